"""What is asked of a replay by the journal changes when something is stepped, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hadron.cli.replay.bounds import Bound, Edge, Moment, Offsets
from hadron.cli.replay.controls import Command, Player
from hadron.cli.replay.pace import Speed
from hadron.errors import HadronError, RequestRefused
from tests.support import codec
from tests.unit.cli.replay.journals import JOURNAL, a_journalled_log, replaying, straight
from tests.unit.cli.replay.logs import BEGUN_MS

# Entries of two shards, in turn: 0 and 2 s, then 1 and 3 s, and so on.
EVEN, ODD = [0.0, 2, 4, 6, 8], [1.0, 3, 5, 7]
LOG = a_journalled_log(EVEN, ODD)


def at(first: int, second: int) -> dict[str, int]:
    """Where both shards are."""
    return {f"{JOURNAL}/0": first, f"{JOURNAL}/1": second}


def offsets(**by_partition: int) -> Offsets:
    return Offsets({(JOURNAL, int(name[1:])): offset for name, offset in by_partition.items()})


def step(count: int = 1) -> Command:
    return lambda player: player.step(count)


def seek(to: Bound) -> Command:
    return lambda player: player.seek(to)


def play(player: Player) -> None:
    player.play()


def pause(player: Player) -> None:
    player.pause()


def change(speed: Speed) -> Command:
    return lambda player: player.change(speed)


def test_the_log_is_worth_comparing() -> None:
    shards = straight(LOG)

    assert [len(shard.replayed) > 5 for shard in shards] == [True, True]
    assert [shard.replayed == shard.live for shard in shards] == [True, True]
    assert [shard.difference for shard in shards] == [None, None]


def test_a_step_is_the_next_entry_of_all_shards_by_its_time() -> None:
    with replaying(LOG) as playing:
        assert playing.status().next == at(0, 0)
        assert playing.ask(step()).next == at(1, 0)
        assert playing.ask(step()).next == at(1, 1)
        status = playing.ask(step(3))

    assert status.next == at(3, 2)
    assert (status.state, status.done, status.total) == ("paused", 5, 9)
    assert status.at == "2023-11-14T22:13:25.000Z"


def test_a_seek_lands_on_the_first_entries_at_a_time_and_back() -> None:
    with replaying(LOG) as playing:
        there = playing.ask(seek(Moment(BEGUN_MS + 4500)))
        back = playing.ask(seek(Moment(BEGUN_MS + 2000)))
        begun = playing.ask(seek(Edge()))

    assert there.next == at(3, 2)
    assert back.next == at(1, 1)
    assert begun.next == at(0, 0)
    assert {there.state, back.state, begun.state} == {"paused"}


def test_a_seek_lands_on_an_offset_and_the_other_shards_at_its_time() -> None:
    with replaying(LOG) as playing:
        assert playing.ask(seek(offsets(p1=2))).next == at(3, 2)
        assert playing.ask(seek(offsets(p0=1))).next == at(1, 1)
        assert playing.ask(seek(offsets(p0=4, p1=0))).next == at(4, 0)


@pytest.mark.parametrize(
    ("to", "said"),
    [
        (offsets(p0=5), "to: journal.engine/0=5; wanted 1 to 4, which are replayed"),
        (offsets(p0=0), "to: journal.engine/0=0; wanted 1 to 4, which are replayed"),
        (Offsets({("raw.massive", 0): 1}), "to: raw.massive/0=1; wanted one of journal.engine/0"),
        (Moment(BEGUN_MS + 8001), "to: 2023-11-14T22:13:28.001Z; wanted a time up to"),
    ],
)
def test_a_seek_to_nowhere_is_refused_and_moves_nothing(to: Bound, said: str) -> None:
    with replaying(LOG, begin=offsets(p0=1, p1=1)) as playing:
        before = playing.status()

        with pytest.raises(RequestRefused) as refused:
            playing.ask(seek(to))

        assert playing.status() == before
    assert said in str(refused.value)


def test_what_lies_before_the_first_is_stepped_at_once_and_not_compared() -> None:
    with replaying(LOG, begin=offsets(p0=3, p1=2), speed=Speed.X1) as playing:
        assert playing.status().next == at(3, 2)
    late = playing.result.result()

    for shard, whole in zip(late, straight(LOG), strict=True):
        assert shard.difference is None
        assert 0 < len(shard.replayed) < len(whole.replayed)
        assert shard.replayed.items() <= whole.replayed.items()


@pytest.mark.parametrize(("speed", "after_s"), [(Speed.X1, 3.5), (Speed.X10, 0.35)])
def test_entries_are_taken_as_long_after_the_first_as_they_were_written(
    speed: Speed, after_s: float
) -> None:
    with replaying(LOG, speed=speed, paused=False) as playing:
        playing.until(lambda status: status.next == at(1, 0))

        playing.now_s += after_s

        # 3.5 s later: those of 1, 2 and 3 s.
        assert playing.until(lambda status: status.done == 4).next == at(2, 2)


def test_to_play_what_plays_changes_nothing() -> None:
    with replaying(LOG, speed=Speed.X1, paused=False) as playing:
        playing.until(lambda status: status.next == at(1, 0))

        playing.ask(play)

        assert playing.ask(pause).next == at(1, 0)


def test_the_speed_can_be_changed_while_it_plays_and_while_it_is_paused() -> None:
    with replaying(LOG, speed=Speed.X1, paused=False) as playing:
        playing.until(lambda status: status.next == at(1, 0))
        assert playing.ask(change(Speed.X100)).speed == "100x"
        playing.now_s += 0.021
        playing.until(lambda status: status.done == 4)
        assert playing.ask(pause).state == "paused"
        playing.now_s += 1000
        assert playing.ask(change(Speed.MAX)).done == 4
        playing.ask(play)
    assert playing.result.result() == straight(LOG)


COMMANDS = st.one_of(
    st.just(play),
    st.just(pause),
    st.integers(1, 4).map(step),
    st.sampled_from(Speed).map(change),
    st.integers(-1, 8).map(lambda second: seek(Moment(BEGUN_MS + second * 1000))),
    st.tuples(st.integers(0, 4), st.integers(0, 3)).map(lambda p: seek(offsets(p0=p[0], p1=p[1]))),
)


@settings(max_examples=25, deadline=None)
@given(commands=st.lists(COMMANDS, max_size=6))
def test_whatever_is_asked_the_result_is_the_same(commands: Sequence[Command]) -> None:
    with replaying(LOG) as playing:
        asked = [playing.controls.ask(command) for command in commands]

    assert playing.result.result() == straight(LOG)
    errors = [answer.exception() for answer in asked]
    assert {type(error) for error in errors} <= {type(None), RequestRefused}  # if it had ended


def test_a_difference_is_found_though_it_was_passed_over_forth_and_back() -> None:
    log = a_journalled_log(EVEN, ODD)
    [record] = log.read("decisions", 0, start=3, end=4)
    false = msgspec.structs.replace(codec().decode(record.value or b""), strategy="other")
    log.append("decisions", 0, [(None, codec().encode(false))])

    with replaying(log) as playing:
        playing.ask(seek(Moment(BEGUN_MS + 8000)))
        playing.ask(seek(Edge()))
        playing.ask(step(2))

    first, second = playing.result.result()
    assert first.difference is not None
    assert second.difference is None


def test_a_worker_that_fails_ends_the_replay_with_its_error() -> None:
    log = a_journalled_log(EVEN, ODD)
    log.delete_before("ticks.warm", 1, 4)

    with replaying(log, paused=False) as playing:
        error = playing.result.exception(20)

    assert isinstance(error, HadronError)
    assert "reading ticks.warm/1 from 0" in str(error)


def test_after_its_end_it_refuses_what_is_asked() -> None:
    with replaying(LOG, paused=False) as playing:
        playing.result.result(20)
        with pytest.raises(RequestRefused, match="replay: ended; wanted"):
            playing.ask(step())
    assert playing.controls.status is not None
    assert playing.controls.status.state == "ended"
