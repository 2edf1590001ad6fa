"""How much of its state topic a shard reads when it is restored, and what it writes again."""

from __future__ import annotations

import pytest

from connectors.memory import MemoryLog
from hadron.audit.checkpoints import BASE_EVERY, Checkpoints, Recovered, recover, slot
from hadron.audit.facts import CheckpointTaken
from hadron.ports import Record
from hadron.strategy.engine import Engine
from hadron.topics import LIVE
from streams.outbox import Outbox
from streams.restoring import newest_checkpoint, restored
from streams.shard import Place, Shard
from tests.support import a_position, a_trade, codec

ENGINE = Place("engine", 1, LIVE)
STATE = ENGINE.state_topic


def taken(count: int) -> list[CheckpointTaken]:
    checkpoints = Checkpoints("engine", Recovered())
    return [
        checkpoints.take([(f"watch/{n % 7}", b"%d" % n)], positions={("t", 0): n}, ends={})
        for n in range(count)
    ]


def a_log(*records: tuple[str, bytes]) -> MemoryLog:
    log = MemoryLog(now_ms=lambda: 1)
    log.append(STATE, 0, records)
    return log


def stored(checkpoints: list[CheckpointTaken]) -> list[tuple[str, bytes]]:
    return [(slot(one), codec().encode(one)) for one in checkpoints]


def test_what_a_newer_base_replaced_is_not_read_though_nothing_was_compacted() -> None:
    checkpoints = taken(5 * BASE_EVERY + 7)
    log = a_log(*[("old", b"nobody can read this")] * 1_000, *stored(checkpoints))

    found = newest_checkpoint(ENGINE, 0, log=log, codec=codec())

    assert found == recover(checkpoints)


@pytest.mark.parametrize("count", [0, 1, BASE_EVERY - 1, BASE_EVERY, 3 * BASE_EVERY - 1])
def test_what_compaction_left_is_found_wherever_it_lies(count: int) -> None:
    checkpoints = taken(count)
    others = [("other", b"") for _ in range(900)]
    log = a_log(*stored(checkpoints))
    log.compact(STATE, 0)
    log.append(STATE, 0, [(key, None) for key, _ in others])

    found = newest_checkpoint(ENGINE, 0, log=log, codec=codec())

    assert found == recover(checkpoints)


def test_a_base_of_another_that_woke_up_late_is_not_taken_for_the_newest() -> None:
    checkpoints = taken(4 * BASE_EVERY + 30)
    late = checkpoints[BASE_EVERY - 1]
    log = a_log(*stored([*checkpoints, *[late] * 10]))

    assert newest_checkpoint(ENGINE, 0, log=log, codec=codec()) == recover(checkpoints)


@pytest.mark.parametrize("lying", [(0, 0, 0), (5, 5, 5), (5, 0, 0), (5, 3, 0), (1, 4, 5)])
def test_a_mark_is_written_only_to_the_partitions_where_a_crash_left_none(
    lying: tuple[int, ...],
) -> None:
    # given the state of a shard, and of the marks after it so many on each partition
    place, before = Place("engine", len(lying), LIVE), MemoryLog()
    step_marks(a_shard(place, before), before, partitions=place.partitions)
    log = MemoryLog()
    a_shard(place, log)
    for partition, count in enumerate(lying):
        for record in before.read("marks", partition, start=0, end=count):
            log.append("marks", partition, [(record.key, record.value)])

    # when it is restored, and steps the same again
    shard = restored(place, 0, Engine(), log=log, codec=codec())
    step_marks(shard, log, partitions=place.partitions)

    # then each mark lies once on each partition, in order
    for partition in range(len(lying)):
        records = log.read("marks", partition, start=0, end=100)
        found = [codec().name(record.value or b"").offset for record in records]
        assert found == [0, 1, 2, 3, 4], partition


def a_shard(place: Place, log: MemoryLog) -> Shard:
    """A shard that stored its first state."""
    shard = restored(place, 0, Engine(), log=log, codec=codec())
    outputs = place.output_partitions()
    taken = shard.checkpoint(log.ends(outputs))
    log.append(place.state_topic, 0, stored([taken]))
    return shard


def step_marks(shard: Shard, log: MemoryLog, *, partitions: int) -> None:
    """Step a position and five seconds of trades, and append what follows."""
    held = Record("positions", 0, 0, 0, None, codec().encode(a_position(instrument="eq:AAPL")))
    trades = [
        a_trade(instrument="eq:AAPL", at_ns=second * 10**9, raw_offset=second, lane="warm")
        for second in range(5)
    ]
    ticks = [
        Record("ticks.warm", 0, offset, 0, None, codec().encode(trade))
        for offset, trade in enumerate(trades)
    ]
    outbox = Outbox(log, codec(), names=LIVE, partitions=partitions)
    for topic, records in (("positions", [held]), ("ticks.warm", ticks)):
        outbox.append(shard.step(topic, records, codec()), written=shard.written)
