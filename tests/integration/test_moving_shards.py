"""Shards move between processes while ticks flow: all is decided as where nothing moves."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any

import msgspec
import pytest

from connectors.kafka.groups import readers
from connectors.timescale.querying.accounting import accounts, ticks_named_twice
from hadron import topics
from hadron.topics import LIVE
from tests.integration.platform import SHARDS, Platform, platform, until
from tests.integration.replaying import (
    commanding,
    control_of,
    endless,
    reparametrised,
    replayed,
)
from tests.support import codec, some_rules

SYMBOLS = ("AIG", "BAC", "IBM", "SPY", "KO", "XOM")
MOVING = ("normalize", "engine")
BURST = 10_000  # at once, whenever shards begin to move
STREAM = 50  # each time that somebody looks whether they have moved
PREFIXES = ("", "replay.still.")  # of the topics of both runs

Shares = Mapping[int, Sequence[int]]  # shards by the pid of their owner
Owned = Mapping[str, Shares]  # by process


class Traffic:
    """Raw events that go on while shards move."""

    def __init__(self, alone: Platform) -> None:
        self._log = alone.log
        self._events = endless(SYMBOLS, random.Random(51))
        self.sent = 0

    def send(self, count: int) -> None:
        for partition, _, key, value in list(islice(self._events, count)):
            self._log.append("raw.massive", partition, [(key, value)])
        self._log.flush()
        self.sent += count

    def until(self, holds: Callable[[], bool], what: str) -> None:
        def seen() -> bool:
            self.send(STREAM)
            return holds()

        until(seen, what)


class Moved(msgspec.Struct, frozen=True):
    """What became of a run in which every shard moved."""

    alone: Platform
    sent: int
    first: Owned
    both: Owned
    second: Owned
    status: Any  # what `hadron status` said of both


@pytest.fixture(scope="module")
def moved() -> Iterator[Moved]:
    """One of each process works, another joins it, and the first one leaves."""
    with platform("postgres") as alone:
        control_of(alone).append(some_rules())
        reparametrised(alone, "sma", {"quantity": "7", "threshold_bps": "1"})
        traffic = Traffic(alone)
        alone.start("archive")
        children = [alone.start(name) for name in MOVING]
        first = _settled(alone, traffic, processes=1)

        for name in MOVING:
            alone.start(name)
        traffic.until(lambda: len(_shares(alone, "engine")) != 1, "another engine comes")
        traffic.send(BURST)
        both = _settled(alone, traffic, processes=2)
        with commanding(alone, "status", "--json") as asking:
            status = json.loads(asking.communicate(timeout=60)[0])

        traffic.send(BURST)
        for child in children:
            child.terminate()
        second = _settled(alone, traffic, processes=1)

        assert [child.wait(30) for child in children] == [0, 0]
        alone.wait_until_taken(*MOVING)
        until(alone.archived, "the archive has everything")
        alone.stop_all()
        yield Moved(alone, traffic.sent, first, both, second, status)


def _settled(alone: Platform, traffic: Traffic, *, processes: int) -> Owned:
    """Who owns which shards when so many of each share them, and have stepped all of them."""
    found: dict[str, Shares] = {}

    def even(name: str) -> bool:
        found[name] = _shares(alone, name)
        sizes = [len(share) for share in found[name].values()]
        return sizes == [SHARDS // processes] * processes

    for name in MOVING:
        traffic.until(lambda name=name: even(name), f"{processes} of {name} share all")  # type: ignore[misc]
    before = _entries(alone)
    traffic.until(lambda: all(map(int.__gt__, _entries(alone), before)), "all shards step")
    return found


def _shares(alone: Platform, process: str) -> Shares:
    """What each process of a kind owns, if the broker is not about to share it out anew."""
    found = readers(alone.admin, LIVE.group(process)).owners
    return {int(one.client.rpartition("-")[2]): list(one.shards) for one in found}


def _entries(alone: Platform) -> list[int]:
    """How far each shard of the engine has come."""
    return list(alone.log.ends([("journal.engine", p) for p in range(SHARDS)]).values())


def _by_instrument(alone: Platform, topic: str) -> Mapping[str, Sequence[bytes]]:
    """The records of decisions in their order; that of instruments among each other is chance."""
    found: dict[str, list[bytes]] = defaultdict(list)
    for record in alone.records(topic):
        assert record.value is not None
        found[codec().decode(record.value).instrument].append(record.value)
    return found


def test_every_shard_moves_to_one_that_comes_and_to_it_alone_when_the_other_goes(
    moved: Moved,
) -> None:
    for name in MOVING:
        [first], [second] = moved.first[name], moved.second[name]
        assert first != second
        assert set(moved.both[name]) == {first, second}
        for owned in (moved.first, moved.both, moved.second):
            assert sorted(chain(*owned[name].values())) == list(range(SHARDS))


def test_status_shows_who_owns_which_shards(moved: Moved) -> None:
    for name, both in moved.both.items():
        rows = [one for one in moved.status["owners"] if one["group"] == LIVE.group(name)]
        assert {int(one["client"].rpartition("-")[2]): one["shards"] for one in rows} == both
        assert {one["host"] for one in rows} == {"127.0.0.1"}
        [group] = [one for one in moved.status["groups"] if one["group"] == LIVE.group(name)]
        assert group["members"] == len(both)
        assert group["lag"] == sum(one["lag"] for one in rows)


def test_ticks_and_decisions_are_byte_for_byte_those_of_a_run_where_nothing_moves(
    moved: Moved,
) -> None:
    alone = moved.alone

    report = replayed(alone, "--from", "beginning", "--run", "still", "--keep")

    assert report["raw"] == {"read": moved.sent, "compared": moved.sent}
    assert report["holds"] is True
    ticks = [[record.value for record in alone.records(f"{at}ticks.warm")] for at in PREFIXES]
    assert ticks[0] == ticks[1]
    decisions = [_by_instrument(alone, f"{at}decisions") for at in PREFIXES]
    assert decisions[0] == decisions[1]
    assert set(decisions[0]) == {f"eq:{symbol}" for symbol in SYMBOLS}


def test_each_event_is_one_tick_and_each_record_one_row(moved: Moved) -> None:
    database = moved.alone.settings.database_read
    assert database is not None
    stored = {topic.name: topic for topic in topics.sink_topics()}

    found = accounts(database.get_secret_value(), moved.alone.log, stored, partitions=SHARDS)

    assert [one for one in found if not one.holds] == []
    produced = {one.topic: one.produced for one in found}
    assert produced["raw.massive"] == produced["ticks.warm"] == moved.sent > 2 * BURST
    assert ticks_named_twice(database.get_secret_value()) == 0
