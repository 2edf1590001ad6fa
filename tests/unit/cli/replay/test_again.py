"""A journal in which one that was frozen says again what another had said meanwhile."""

from __future__ import annotations

import pytest

from connectors.memory import MemoryLog
from hadron.audit.facts import SequencedSlice, SlicesSequenced
from hadron.cli.replay.bounds import Bound, Offsets
from tests.support import codec
from tests.unit.cli.replay.journals import JOURNAL, TICKS, a_journalled_log, replaying, straight
from tests.unit.cli.replay.logs import BEGUN_MS

ENTRIES = 4


def said_again(number: int) -> MemoryLog:
    """The journal of the first shard ends with an entry that repeats one of its four."""
    log = a_journalled_log([0.0, 1, 2, 3], [0.5])
    slices = [SequencedSlice("ticks.warm", number * TICKS, (number + 1) * TICKS)]
    value = codec().encode(SlicesSequenced("engine", slices))
    log.append(JOURNAL, 0, [(None, value)], timestamp_ms=BEGUN_MS + 4_000)
    return log


@pytest.mark.parametrize("number", range(ENTRIES))
def test_what_is_said_again_changes_nothing_of_a_comparison(number: int) -> None:
    once, again = straight(a_journalled_log([0.0, 1, 2, 3], [0.5])), straight(said_again(number))

    assert len(again[0].live) > ENTRIES
    assert again == once
    assert [one.difference for one in again] == [None, None]


@pytest.mark.parametrize("first", [1, ENTRIES])
def test_nor_of_one_that_begins_later(first: int) -> None:
    begin: Bound = Offsets({(JOURNAL, 0): first, (JOURNAL, 1): 0})
    with replaying(said_again(0), begin=begin, paused=False) as playing:
        found = playing.result.result(20)

    assert [one.difference for one in found] == [None, None]
    assert found[0].records == (ENTRIES - first) * TICKS
