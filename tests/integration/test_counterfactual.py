"""Other limits for what has happened: the orders that they stop, and what becomes of the money."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from hadron.desk.facts import IntentApproved
from hadron.orders.facts import OrderFilled
from hadron.partitions import partition_of
from hadron.portfolio.money import stated
from hadron.portfolio.positions import Position, filled
from tests.integration.platform import SHARDS, Platform, platform
from tests.integration.replaying import RawEvent, generated, make_room
from tests.support import codec

SYMBOLS = ("AIG", "BAC", "IBM", "SPY")
EVENTS = 3000
JOURNAL_OF_MAIN = ("journal.desk", partition_of("main", SHARDS))
PROCESSES = ("normalize", "engine", "desk", "gateway", "portfolio")

Report = dict[str, Any]


@pytest.fixture(scope="module")
def day() -> Iterator[tuple[Platform, int]]:
    """A live run with orders, and limits that let them pass; and where its journal was halfway."""
    with platform() as made:
        make_room(made)
        for process in PROCESSES:
            made.start(process)
        events = generated(SYMBOLS, EVENTS, random.Random(3))
        feed(made, events[: EVENTS // 2])
        halfway = made.log.ends([JOURNAL_OF_MAIN])[JOURNAL_OF_MAIN]
        feed(made, events[EVENTS // 2 :])
        made.stop_all()
        yield made, halfway


@pytest.fixture(scope="module")
def alone(day: tuple[Platform, int]) -> Platform:
    """The platform of that run."""
    return day[0]


@pytest.fixture(scope="module")
def halfway(day: tuple[Platform, int]) -> int:
    """The offset of the desk's journal between its halves."""
    return day[1]


def feed(made: Platform, events: Iterable[RawEvent]) -> None:
    """Append raw events, and wait until all that follows from them is done."""
    for partition, _, key, value in events:
        made.log.append("raw.massive", partition, [(key, value)])
    made.log.flush()
    made.wait_until_taken(*PROCESSES)


def counterfactual(alone: Platform, *arguments: str, code: int = 0) -> Report:
    """The JSON document of `hadron counterfactual`, which must end with `code`."""
    done = subprocess.run(
        [sys.executable, "-m", "hadron", "counterfactual", *arguments, "--json"],
        env=alone.environment,
        cwd=alone.directory,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == code, done.stderr
    report: Report = json.loads(done.stdout)
    return report


def limits_in_force(alone: Platform) -> dict[str, Any]:
    """What `hadron control show --json` prints."""
    done = subprocess.run(
        [sys.executable, "-m", "hadron", "control", "show", "--json"],
        env=alone.environment,
        cwd=alone.directory,
        capture_output=True,
        timeout=60,
        check=True,
    )
    shown: dict[str, Any] = json.loads(done.stdout)
    return shown


def with_limits(alone: Platform, name: str, **changes: str) -> str:
    """A file of those in force, with some changed."""
    shown = limits_in_force(alone)
    shown["limits/main"]["fact"].update(changes)
    path = alone.directory / f"{name}.json"
    path.write_text(json.dumps(shown))
    return str(path)


def realised(fills: list[OrderFilled]) -> Decimal:
    """What fills come to, by average cost."""
    positions: dict[tuple[str, str], Position] = {}
    for fill in fills:
        key = fill.strategy, fill.instrument
        before = positions.get(key) or Position("main", *key)
        fields = {"side": fill.side, "quantity": fill.quantity, "price": fill.price}
        positions[key] = filled(before, **fields)  # type: ignore[arg-type]
    return sum((stated(one.realised) for one in positions.values()), Decimal(0))


def test_the_limits_that_were_in_force_lead_to_what_is_on_the_log(alone: Platform) -> None:
    decided = len(alone.facts("decisions"))
    assert decided > 20

    for arguments in ((), ("--limits", with_limits(alone, "same"))):
        report = counterfactual(alone, *arguments)

        assert (report["holds"], report["identical"]) == (True, True)
        assert report["decisions"]["judged"] == report["decisions"]["equal"] == decided
        assert report["changed"] == []
        assert report["total"]["live"] == report["total"]["counterfactual"]
        assert Decimal(report["total"]["effect"]) == 0
    assert Decimal(report["total"]["live"]["realised"]) == realised(
        [fact for fact in alone.facts("orders") if isinstance(fact, OrderFilled)]
    )


def test_exactly_the_orders_over_a_limit_are_stopped_and_their_fills_are_gone(
    alone: Platform,
) -> None:
    approved = {
        fact.verdict: fact for fact in alone.facts("intents") if isinstance(fact, IntentApproved)
    }
    fills = [fact for fact in alone.facts("orders") if isinstance(fact, OrderFilled)]
    notional = {fill.verdict: fill.quantity * fill.price for fill in fills}
    bound = sorted(notional.values())[len(notional) // 2]
    over = {verdict for verdict, value in notional.items() if value > bound}
    assert over

    report = counterfactual(alone, "--limits", with_limits(alone, "less", notional=str(bound)))

    assert report["holds"] is True
    assert {one["order"] for one in report["changed"]} == over
    assert report["decisions"]["stopped"] == len(over)
    assert report["decisions"]["approved"] == len(approved)
    one = report["changed"][0]
    assert one["live"]["approved"] is True
    seen = f"{notional[one['order']].normalize():f}"
    assert one["counterfactual"]["reason"] == f"notional: {seen} is over {bound.normalize():f}"
    left = realised([fill for fill in fills if fill.verdict not in over])
    assert Decimal(report["total"]["counterfactual"]["realised"]) == left
    assert Decimal(report["total"]["live"]["realised"]) == realised(fills)
    assert Decimal(report["total"]["effect"]) == sum(
        Decimal(each["effect"]) for each in report["profit"]
    )


def test_a_range_of_time_is_judged_with_the_state_it_began_with(
    alone: Platform, halfway: int
) -> None:
    whole = counterfactual(alone)
    half = f"journal.desk/{JOURNAL_OF_MAIN[1]}={halfway}"

    first = counterfactual(alone, "--to", half)
    second = counterfactual(alone, "--from", half)

    assert first["identical"]
    assert second["identical"]
    judged = [report["decisions"]["judged"] for report in (first, second)]
    assert sum(judged) == whole["decisions"]["judged"]
    assert min(judged) > 0
    live = [Decimal(each["total"]["live"]["realised"]) for each in (first, second, whole)]
    assert live[0] + live[1] == live[2]


def test_a_day_is_that_of_the_journal(alone: Platform) -> None:
    today = time.strftime("%Y-%m-%d", time.gmtime())

    assert counterfactual(alone, "--day", "2013-10-07")["decisions"] == {}
    assert counterfactual(alone, "--day", today)["decisions"]["judged"] > 0


def test_what_live_never_said_is_told_and_ends_with_3(alone: Platform) -> None:
    true = next(fact for fact in alone.facts("intents") if isinstance(fact, IntentApproved))
    false = codec().encode(type(true)(**{**_fields(true), "index": 7}))
    alone.log.append("intents", JOURNAL_OF_MAIN[1], [("main", false)])
    alone.log.flush()

    report = counterfactual(alone, code=3)

    assert (report["holds"], report["identical"]) == (False, False)
    assert report["difference"]["name"].endswith("/7")
    assert "is not what is on the log" in report["notes"][0]


def _fields(fact: Any) -> dict[str, Any]:
    return {name: getattr(fact, name) for name in fact.__struct_fields__}
