"""Runs over one journal, on the log in memory: the same, or parting at one event."""

from __future__ import annotations

import random
from functools import partial
from math import ceil, log2

import msgspec
import pytest

from connectors.memory import MemoryLog
from hadron.audit.checkpoints import Recovered
from hadron.audit.facts import SequencedSlice, SlicesSequenced
from hadron.cli.diff.comparing import Comparing, Report
from hadron.cli.diff.recording import record
from hadron.cli.diff.runs import Run
from hadron.settings import settings_from
from hadron.strategy.engine import Engine
from hadron.strategy.registry import KINDS, build
from hadron.strategy.versions import version_of
from hadron.topics import HASHES, LIVE
from hadron.wiring.loading import code_in, loaded
from hadron.wiring.strategies import installed
from streams.deployments import Deployments
from streams.restoring import follow
from streams.shard import Place, Shard
from tests.support import a_strategy, a_trade, codec

TICKS, OF_ENTRY, EVERY, SHARDS = 600, 3, 5, 2
SMA = "hadron.strategy.sma"
LINE = "if not 0 < price < FITS:"
SETTINGS = settings_from(
    {
        "HADRON_KAFKA": "memory:1",
        "HADRON_NUM_SHARDS": str(SHARDS),
        "HADRON_HASH_ENTRIES": str(EVERY),
    }
)


@pytest.fixture(scope="module")
def log() -> MemoryLog:
    """A live run of two shards that hashed its states."""
    made = MemoryLog()
    chance = random.Random(11)
    for shard in range(SHARDS):
        made.append("control", shard, [("k", codec().encode(a_strategy()))])
        _sequence(made, shard, "control", 0, 1)
        for number in range(TICKS):
            price = f"{chance.randint(9_900, 10_100) / 100:.2f}"
            trade = a_trade(price, raw_offset=number, lane="warm", raw_partition=shard)
            made.append("ticks.warm", shard, [("eq:AAPL", codec().encode(trade))])
        for first in range(0, TICKS, OF_ENTRY):
            _sequence(made, shard, "ticks.warm", first, first + OF_ENTRY)
        _live(made, shard)
    return made


def _sequence(log: MemoryLog, shard: int, topic: str, first: int, end: int) -> None:
    entry = SlicesSequenced("engine", [SequencedSlice(topic, first, end)])
    log.append("journal.engine", shard, [("engine", codec().encode(entry))])


def _live(log: MemoryLog, partition: int) -> None:
    place, engine = Place("engine", SHARDS, LIVE, EVERY), Engine(KINDS, installed())
    shard = Shard(place, partition, engine, Recovered())
    for _ in follow(shard, place, log=log, codec=codec()):
        pass
    for fact, _ in shard.hashed:
        log.append(HASHES.name, partition, [(str(fact.entries), codec().encode(fact))])
    Deployments(log, codec(), names=LIVE, partitions=SHARDS).say_of(engine)


def recorded(log: MemoryLog, run: str, line: str = LINE) -> None:
    """Record a run in which this line stands for the one that is installed."""
    made_of = build(a_strategy(), KINDS, installed()).made_of
    modules = {**made_of.modules, SMA: made_of.modules[SMA].replace(LINE, line)}
    made_of = msgspec.structs.replace(made_of, modules=modules)
    made_of = msgspec.structs.replace(made_of, version=version_of(made_of))
    kinds, codes = {"SimpleSMA": loaded(made_of)}, {"SimpleSMA": code_in(made_of)}
    record(run, SETTINGS, log=log, codec=codec(), make=partial(Engine, kinds, codes))


def compared(log: MemoryLog, left: str, right: str) -> Report:
    runs = [Run(name, log=log, codec=codec(), partitions=SHARDS) for name in (left, right)]
    return Comparing(*runs, log=log, codec=codec(), partitions=SHARDS).report()


def test_the_same_code_makes_the_same_run_in_one_look_a_shard(log: MemoryLog) -> None:
    recorded(log, "same")

    found = compared(log, "live", "same")

    assert (found.same, found.first, found.notes, found.compared) == (True, None, [], SHARDS)
    assert found.hashes == SHARDS * (1 + TICKS // OF_ENTRY) // EVERY


@pytest.mark.parametrize("at", [0, 1, 250, 251, TICKS - 1])
def test_one_changed_line_is_found_with_its_event_and_what_it_met(log: MemoryLog, at: int) -> None:
    run = f"changed-{at}"
    recorded(log, run, f"if not 0 < price < FITS or (trade.raw_offset == {at}):")

    found = compared(log, "live", run)

    assert not found.same
    assert found.notes == []
    for shard in found.shards:
        assert shard.compared <= 1 + ceil(log2(shard.hashes))
    first = found.first
    assert first is not None
    assert (first.event.topic, first.event.offset, first.event.kind) == (
        "ticks.warm",
        at,
        "TradePrinted",
    )
    assert first.entry == 1 + at // OF_ENTRY
    assert first.before.keys() == ({"watch/eq:AAPL"} if at else set())
    assert any("state" in change.what and "SimpleSMA" in change.what for change in first.changes)
    [code] = found.code
    assert code.what == f"SimpleSMA modules {SMA}"
    assert code.left is not None
    assert code.left.strip() == LINE


def test_two_recorded_runs_can_be_compared_and_their_order_is_kept(log: MemoryLog) -> None:
    recorded(log, "one")
    recorded(log, "two", "if not 0 < price < FITS or trade.raw_offset in (90, 300):")

    found = compared(log, "two", "one")

    assert found.first is not None
    assert found.first.event.offset == 90
    assert (found.first.left.run, found.first.right.run) == ("two", "one")


def test_another_comment_is_no_other_decision(log: MemoryLog) -> None:
    recorded(log, "comment", LINE + "  # as the venue says")

    assert compared(log, "live", "comment").same


def test_a_run_that_no_known_version_leads_to_is_told_as_an_interval(log: MemoryLog) -> None:
    recorded(log, "known", "if not 0 < price < FITS or trade.raw_offset == 31:")
    forged = MemoryLog()
    forged._records = {place: list(records) for place, records in log._records.items()}
    forged._ends = dict(log._ends)
    for place in [place for place in forged._records if place[0] == "replay.known.strategies"]:
        forged._records[place] = []

    found = compared(forged, "live", "known")

    assert not found.same
    assert found.first is None
    assert "no version that is known of known leads to its hash" in found.notes[0]
