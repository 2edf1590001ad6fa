"""A strategy beside live, on a real log: the same one agrees, another differs where it says so."""

from __future__ import annotations

import json
import random
import signal
import subprocess
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from connectors.kafka.groups import Admin, committed
from hadron import topics
from hadron.market.facts import Tick, TradePrinted
from hadron.orders.touch import touch
from hadron.portfolio.positions import Position, filled
from hadron.strategy.book import LastPrices
from hadron.strategy.facts import DecisionMade
from tests.integration.platform import SHARDS, Platform, kill, platform, until
from tests.integration.replaying import commanding, generated, make_room, reparametrised

SYMBOLS = ("AIG", "BAC", "IBM", "SPY")
EVENTS, ROUNDS = 12_000, 6
PROCESSES = ("normalize", "engine", "desk", "gateway", "portfolio")
GROUP = "shadow.hadron.sma"
WHOLE = ("--from", "beginning", "--until", "end")

Report = dict[str, Any]


@pytest.fixture(scope="module")
def alone() -> Iterator[Platform]:
    """A platform whose live run the first test makes."""
    with platform() as made:
        make_room(made)
        yield made


def ended(child: subprocess.Popen[str], code: int) -> Report:
    """The JSON document of a shadow that must end with `code`."""
    out, told = child.communicate(timeout=120)
    assert child.returncode == code, told + out
    report: Report = json.loads(out)
    return report


def shadowed(alone: Platform, *arguments: str, code: int = 0) -> Report:
    with commanding(alone, "shadow", *arguments, "--json") as child:
        return ended(child, code)


def refused(alone: Platform, *arguments: str) -> str:
    with commanding(alone, "shadow", *arguments) as child:
        out, told = child.communicate(timeout=60)
        assert (out, child.returncode) == ("", 4), told
        return told


def of_sma(alone: Platform, topic: str = "decisions") -> dict[tuple[str, int, int], DecisionMade]:
    """The decisions of sma, by tick, but for how many decided before it there."""
    return {
        (one.source, one.partition, one.offset): msgspec.structs.replace(one, index=0)
        for one in alone.facts(topic)
        if one.strategy == "sma"
    }


def followed(alone: Platform) -> bool:
    """Whether the shadow's group is where the journal ends."""
    places = [("journal.engine", partition) for partition in range(SHARDS)]
    at = committed(Admin({"bootstrap.servers": alone.settings.kafka}), GROUP)
    return bool(at) and all(at.get(place) == end for place, end in alone.log.ends(places).items())


def test_the_same_version_beside_a_live_run_with_crashes_differs_nowhere(alone: Platform) -> None:
    # given a live run, and a shadow that begins in the middle of it
    events, size = generated(SYMBOLS, EVENTS, random.Random(5)), EVENTS // ROUNDS
    rounds = [events[first : first + size] for first in range(0, EVENTS, size)]
    running = {process: alone.start(process) for process in PROCESSES}
    _append(alone, rounds[0])
    alone.wait_until_taken("normalize", "engine")
    before = of_sma(alone)

    with commanding(alone, "shadow", "sma", "--json") as child:
        until(lambda: followed(alone), "the shadow follows")

        # when live goes on, crashes, and others change
        for number, more in enumerate(rounds[1:]):
            _append(alone, more)
            reparametrised(alone, "crossover", {"quantity": str(number + 2)})
            if number == 2:
                kill(running["engine"])
                alone.start("engine")
        alone.wait_until_taken(*PROCESSES)
        until(lambda: followed(alone), "the shadow is where live is")
        child.send_signal(signal.SIGTERM)
        report = ended(child, 0)
    alone.stop_all()

    # then it decided what live did since, and said so on a topic of its own
    live = {place: one for place, one in of_sma(alone).items() if place not in before}
    assert len(live) > 10
    assert report["agree"] is True
    assert report["decisions"]["equal"] == report["decisions"]["live"] >= len(live)
    assert (report["waiting"], report["differing"], report["failures"]) == (0, [], [])
    assert list(report["live_versions"]) == [report["version"]]
    assert Decimal(report["profit"]["difference"]) == 0
    said = of_sma(alone, "shadow.decisions")
    assert live.items() <= said.items()
    assert len(said) == report["decisions"]["shadow"]


def test_from_the_beginning_it_differs_nowhere_and_writes_nothing_else(alone: Platform) -> None:
    names = [topic.name for topic in topics.ALL if not topic.name.startswith("shadow.")]
    places = [(name, partition) for name in names for partition in range(SHARDS)]
    ends = alone.log.ends(places)
    version = next(iter(of_sma(alone).values())).version

    report = shadowed(alone, f"sma@{version[:8]}", *WHOLE)

    live = of_sma(alone)
    assert report["agree"] is True
    assert report["version"] == version
    assert report["decisions"]["equal"] == report["decisions"]["shadow"] == len(live)
    assert report["orders"]["live"] == report["orders"]["shadow"] > 10
    assert report["profit"]["live"] == report["profit"]["shadow"]
    assert of_sma(alone, "shadow.decisions") == live
    assert alone.log.ends(places) == ends
    assert followed(alone)


def test_twice_the_quantity_differs_in_nothing_else_and_makes_twice_the_profit(
    alone: Platform,
) -> None:
    live = of_sma(alone)

    report = shadowed(alone, "sma", "--set", "quantity=14", *WHOLE, code=3)

    assert report["agree"] is False
    assert report["decisions"]["differing"] == len(live)
    assert report["fields"] == {"quantity": len(live)}
    one = report["differing"][0]
    assert (one["live"]["quantity"], one["shadow"]["quantity"]) == ("7", "14")
    profit = {name: Decimal(report["profit"][name]["realised"]) for name in ("live", "shadow")}
    assert profit["shadow"] == 2 * profit["live"] != 0
    assert any("live decided as version" in note for note in report["notes"])


def test_other_rules_differ_where_the_decisions_on_the_log_do(alone: Platform) -> None:
    report = shadowed(alone, "sma", "--set", "threshold_bps=3", *WHOLE, code=3)

    live = of_sma(alone)
    shadow = {
        place: one
        for place, one in of_sma(alone, "shadow.decisions").items()
        if one.version == report["version"]
    }
    only_live, only_shadow = live.keys() - shadow.keys(), shadow.keys() - live.keys()
    assert only_live
    counts = report["decisions"]
    assert (counts["live"], counts["shadow"]) == (len(live), len(shadow))
    assert (counts["only_live"], counts["only_shadow"]) == (len(only_live), len(only_shadow))
    assert counts["equal"] + counts["differing"] == len(live.keys() & shadow.keys())
    told = {tuple(one["tick"].rsplit("/", 2)) for one in report["differing"]}
    named = {(source, str(partition), str(offset)) for source, partition, offset in only_live}
    assert named <= told
    for name, decided in (("live", live), ("shadow", shadow)):
        realised, unrealised = profit(alone, list(decided.values()))
        assert Decimal(report["profit"][name]["realised"]) == realised
        assert Decimal(report["profit"][name]["unrealised"]) == unrealised
    assert report["profit"]["live"] != report["profit"]["shadow"]


def test_a_strategy_that_live_has_not_decides_alone(alone: Platform) -> None:
    report = shadowed(alone, "fresh", "--kind", "SMACross", "--set", "fast=2", *WHOLE, code=3)

    assert report["decisions"]["live"] == 0
    assert report["decisions"]["only_shadow"] > 0
    assert report["notes"] == ["live decided nothing meanwhile by a strategy of this name"]


def test_another_version_than_is_here_is_refused_with_both(alone: Platform) -> None:
    version = next(iter(of_sma(alone).values())).version

    told = refused(alone, "sma@nonsense", "--until", "end")

    assert f"sma@{version}" in told
    assert "sma@nonsense" in told
    assert "'nobody' is not configured" in refused(alone, "nobody", "--until", "end")
    assert "crossover, sma" in refused(alone, "nobody", "--until", "end")


def profit(alone: Platform, decisions: Sequence[DecisionMade]) -> tuple[Decimal, Decimal]:
    """What decisions come to: each filled whole at its touch, what is held at the last prices."""
    positions: dict[str, Position] = {}
    for one in decisions:
        before = positions.get(one.instrument) or Position("main", "sma", one.instrument)
        found = touch(one.side, bid=one.bid, ask=one.ask, last=one.last)
        assert found is not None
        positions[one.instrument] = filled(
            before, side=one.side, quantity=one.quantity, price=found.price
        )
    books: dict[str, LastPrices] = {}
    for tick in _ticks(alone):
        book = books.setdefault(tick.instrument, LastPrices())
        if isinstance(tick, TradePrinted):
            book.take_trade(tick)
        else:
            book.take_quote(tick)
    unrealised = Decimal(0)
    for name, position in positions.items():
        if position.quantity:
            side, book = ("sell" if position.quantity > 0 else "buy"), books[name]
            found = touch(side, bid=book.bid, ask=book.ask, last=book.last)  # type: ignore[arg-type]
            assert found is not None
            unrealised += position.unrealised(found.price) or 0
    return sum((one.realised for one in positions.values()), Decimal(0)), unrealised


def _ticks(alone: Platform) -> list[Tick]:
    """All that strategies were shown, in the order of the venue."""
    ticks = alone.facts(*(topic.name for topic in topics.TICKS.values()))
    shown = [tick for tick in ticks if tick.quality in ("live", "gap", "stale")]
    return sorted(shown, key=lambda tick: (tick.raw_partition, tick.raw_offset))


def _append(alone: Platform, events: Sequence[tuple[int, int, str, bytes]]) -> None:
    for partition, _, key, value in events:
        alone.log.append("raw.massive", partition, [(key, value)])
    alone.log.flush()
