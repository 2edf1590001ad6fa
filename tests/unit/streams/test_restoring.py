"""How much of its state topic a shard reads when it is restored."""

from __future__ import annotations

import pytest

from connectors.memory import MemoryLog
from hadron.audit.checkpoints import BASE_EVERY, Checkpoints, Recovered, recover, slot
from hadron.audit.facts import CheckpointTaken
from hadron.topics import LIVE
from streams.restoring import newest_checkpoint
from streams.shard import Place
from tests.support import codec

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
