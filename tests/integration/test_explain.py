"""From a fill back to the frame and from a decision on to the position, whatever is asked by."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from msgspec.structs import replace

from connectors.memory import MemoryLog
from connectors.timescale.querying.explanation import Explainer
from connectors.timescale.querying.lineage import lineage
from hadron.__main__ import run
from hadron.audit.content import hash_of
from hadron.audit.ids import read
from hadron.audit.story import Share, Step
from hadron.cli.exits import Exit
from hadron.ports import FactLog
from tests.integration import story
from tests.integration.access import unbelt
from tests.integration.every_fact import a_rejected_order
from tests.support import codec

DAY = {**story.facts(), "raw.massive": story.frames()}


@pytest.fixture
def url(database: str) -> str:
    story.store(database, DAY)
    return database


def told(url: str, asked: str, log: FactLog | None = None) -> Step:
    with lineage(url, codec(), lambda: log) as found:
        return Explainer(found, codec()).explain(read(asked))


def change(url: str, statement: str) -> None:
    unbelt(url)
    with psycopg.connect(url) as connection:
        connection.execute(statement.encode())


def back(step: Step) -> list[Step]:
    """The step and its causes, the first of each."""
    return [step, *(back(step.causes[0]) if step.causes else [])]


def on(step: Step) -> list[Step]:
    return [step, *(on(step.effects[0]) if step.effects else [])]


@pytest.mark.parametrize("asked", ["h-intents-0-2", "orders/0/0", "intents/0/2/0"])
def test_a_fill_leads_back_to_the_venues_frame(url: str, asked: str) -> None:
    steps = back(told(url, asked))

    assert [(step.kind, step.place) for step in steps] == [
        ("OrderFilled", "orders/0/0"),
        ("IntentApproved", "intents/0/2"),
        ("DecisionMade", "decisions/0/2"),
        ("TradePrinted", "ticks.warm/0/2"),
        ("RawReceived", "raw.massive/0/2"),
    ]
    facts = [DAY[step.place.split("/")[0]][int(step.place.split("/")[2])] for step in steps]
    assert [step.fact for step in steps] == facts
    hashes = [hash_of(codec().encode(fact), codec()).hex() for fact in facts]
    assert [step.content_hash for step in steps] == hashes
    assert {step.found for step in steps} == {"archive"}
    assert steps[1].fact.limits["position"] == "0+100 of 500"
    assert steps[1].shares == (Share("sma", "buy", "100", "decisions/0/2"),)
    assert steps[2].fact.evidence == {"sma": "100.02"}
    assert steps[4].frame == DAY["raw.massive"][2].payload.decode()


def test_a_fill_holds_the_prices_that_it_was_chosen_from(url: str) -> None:
    steps = back(told(url, "orders/0/0"))
    fill, intent, decision, tick, _ = (step.fact for step in steps)

    seen = {name: getattr(decision, name) for name in ("bid", "ask", "last")}
    assert seen == {name: getattr(intent, name) for name in seen}
    assert seen == {"bid": Decimal("99.99"), "ask": Decimal("100.01"), "last": Decimal("100.00")}
    assert (fill.side, fill.price_from) == ("buy", "ask")
    assert fill.price - seen[fill.price_from] == Decimal("0.04")  # what the venue took more
    assert {fill.venue, intent.venue, decision.venue} == {tick.venue}
    assert decision.quality == "live"


@pytest.mark.parametrize(
    ("asked", "kinds"),
    [
        ("orders/0/0", ["OrderFilled", "PositionChanged"]),
        ("decisions/0/2/0", ["IntentApproved", "OrderFilled", "PositionChanged"]),
        ("decisions/0/0", ["DecisionMade", "DecisionDismissed"]),
        ("decisions/0/1", ["DecisionMade", "IntentRejected"]),
        ("decisions/0/3", ["DecisionMade", "IntentApproved", "OrderRejected"]),
        ("h-intents-0-5", ["IntentApproved"]),  # in flight
        (
            "raw.massive/0/4",
            [
                *("RawReceived", "TradePrinted", "DecisionMade", "IntentApproved", "OrderFilled"),
                "PositionChanged",
            ],
        ),
    ],
)
def test_any_fact_leads_on_to_what_became_of_it(url: str, asked: str, kinds: list[str]) -> None:
    assert [step.kind for step in on(told(url, asked))] == kinds


def test_what_is_refused_has_its_reason_and_its_cause(url: str) -> None:
    refused = told(url, "decisions/0/1/0")

    assert refused.fact.reason == "position limit"
    assert [step.kind for step in back(refused)][1:] == [
        "DecisionMade",
        "TradePrinted",
        "RawReceived",
    ]


def test_all_events_of_an_order_are_told(database: str) -> None:
    first = DAY["orders"][0]
    later = a_rejected_order(
        offset=2, order=first.order, verdict=first.verdict, at_ns=first.at_ns + 1
    )
    story.store(database, {**DAY, "orders": (*DAY["orders"], later)})

    newest = told(database, first.order)

    assert newest.place == "orders/0/3"
    [intent] = newest.causes
    assert [other.place for other in intent.effects] == ["orders/0/0"]


def test_a_tick_that_is_gone_does_not_hide_the_frame(url: str) -> None:
    change(url, "DELETE FROM ticks WHERE log_offset = 2")

    steps = back(told(url, "orders/0/0"))

    assert (steps[3].place, steps[3].found, steps[3].fact) == ("ticks.warm/0/2", "nowhere", None)
    assert steps[4].kind == "RawReceived"


def test_a_frame_that_is_not_stored_comes_from_the_log_if_that_answers(url: str) -> None:
    change(url, "DELETE FROM raw_events")
    log = MemoryLog()
    values: Any = [(b"key", codec().encode(frame)) for frame in DAY["raw.massive"]]
    log.append("raw.massive", 0, values)

    without, with_log = back(told(url, "orders/0/0"))[4], back(told(url, "orders/0/0", log))[4]

    assert (without.found, without.content_hash) == ("nowhere", None)
    assert (with_log.found, with_log.fact) == ("log", DAY["raw.massive"][2])


def test_a_time_that_misleads_does_not_hide_the_cause(database: str) -> None:
    filled = replace(DAY["orders"][0], at_ns=story.at_ns(50))  # a venue's own time of its fill
    story.store(database, {**DAY, "orders": (filled,)})

    assert [step.kind for step in back(told(database, "orders/0/0"))][1:3] == [
        "IntentApproved",
        "DecisionMade",
    ]


def told_by_command(
    url: str, capsys: pytest.CaptureFixture[str], *arguments: str, code: Exit = Exit.OK
) -> tuple[str, str]:
    environ = {"HADRON_DATABASE": url, "HADRON_KAFKA": "127.0.0.1:1", "HADRON_REDIS": "redis://x"}
    capsys.readouterr()
    assert run(["explain", *arguments], environ) == code
    captured = capsys.readouterr()
    return captured.out, captured.err


def test_the_command_shows_a_tree_and_one_document(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    tree, _ = told_by_command(url, capsys, "h-intents-0-2")
    text, _ = told_by_command(url, capsys, "h-intents-0-2", "--json")

    document = json.loads(text)
    assert (document["kind"], document["fact"]["price"]) == ("OrderFilled", "100.05")
    raw = document["causes"][0]["causes"][0]["causes"][0]["causes"][0]
    for told_there in (document["content_hash"], raw["content_hash"], raw["place"], raw["frame"]):
        assert told_there in tree


def test_an_id_that_nobody_knows_says_which_forms_there_are(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for unknown in ("h-intents-0-99", "x-1", "orders/0/99", "decisions/9/9/0", "nonsense/0/0"):
        _, error = told_by_command(url, capsys, unknown, code=Exit.FAILED)
        assert f"nothing is known of {unknown}" in error
        assert "h-intents-0-3" in error
    _, error = told_by_command(url, capsys, "a/b/c", code=Exit.USAGE)
    assert "orders/0/3" in error.replace("\n", " ")
