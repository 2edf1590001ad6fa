"""A journal has one writer a shard, and says so when there are two."""

from __future__ import annotations

import pytest

from connectors.memory import MemoryLog
from hadron.audit.facts import SequencedSlice, SlicesSequenced
from hadron.errors import HadronError
from streams.batching import Fetch
from streams.journal import Journal
from streams.lanes import Lanes, Waiting
from streams.ranks import COLD, FAST
from streams.sequencing import AHEAD, Sequencer
from tests.support import codec

RANK = {"replay.r.ticks.fast": FAST, "replay.r.ticks.cold": COLD}
TURN = {0: 10, FAST: 4, 2: 3, COLD: 2}
SLICE = SequencedSlice("ticks.fast", 0, 3)


class Offset:
    def __init__(self, offset: int) -> None:
        self.offset = offset


def a_journal(log: MemoryLog) -> Journal:
    journal = Journal(log, codec(), topic="journal.engine", process="engine")
    journal.begin(0, log.ends([("journal.engine", 0)])["journal.engine", 0])
    return journal


def waiting(topic: str, first: int, count: int) -> Waiting:
    return Waiting(topic, 0, [Offset(first + n) for n in range(count)], Fetch([], [], 1))


def test_an_entry_is_stored_when_the_log_says_where() -> None:
    log = MemoryLog(now_ms=lambda: 1)
    journal = a_journal(log)

    entry = journal.append(0, [SLICE])
    assert not journal.stored([entry])
    assert not journal.settled(0)
    log.poll()

    assert journal.stored([entry])
    assert journal.settled(0)
    [record] = log.read("journal.engine", 0, start=0, end=1)
    assert codec().decode(record.value or b"") == SlicesSequenced("engine", [SLICE])


def test_whoever_finds_an_entry_of_another_before_its_own_stops() -> None:
    log = MemoryLog(now_ms=lambda: 1)
    ours, others = a_journal(log), a_journal(log)
    first = others.append(0, [SLICE])
    second = ours.append(0, [SLICE])
    log.poll()

    assert others.stored([first])
    with pytest.raises(HadronError, match="our entry got offset 1, wanted 0"):
        ours.stored([second])


def test_a_batch_is_stepped_when_what_it_steps_is_on_the_log() -> None:
    log = MemoryLog(now_ms=lambda: 1)
    lanes = Lanes(RANK, turn=TURN)
    sequencer = Sequencer(lanes, a_journal(log), logical=lambda n: n.removeprefix("replay.r."))
    lanes.put(waiting("replay.r.ticks.cold", 5, 2))
    lanes.put(waiting("replay.r.ticks.fast", 7, 6))

    sequencer.say(sequencer.take(but=None))
    assert not sequencer.may_step()
    log.poll()

    assert sequencer.may_step()
    [record] = log.read("journal.engine", 0, start=0, end=1)
    assert codec().decode(record.value or b"").slices == [
        SequencedSlice("ticks.fast", 7, 11),
        SequencedSlice("ticks.fast", 11, 13),
        SequencedSlice("ticks.cold", 5, 7),
    ]
    assert [turn.last for turn in sequencer.ahead[0].turns] == [False, True, True]


def test_so_many_batches_are_said_ahead_and_no_more() -> None:
    lanes = Lanes(RANK, turn=TURN)
    sequencer = Sequencer(lanes, a_journal(MemoryLog()), logical=lambda name: name)
    lanes.put(waiting("replay.r.ticks.cold", 0, 20))

    while sequencer.takes_more:
        sequencer.say(sequencer.take(but=None))

    assert len(sequencer.ahead) == AHEAD
    assert sequencer.take(but=COLD) == []
