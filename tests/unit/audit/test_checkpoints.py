"""Checkpoints: whatever was stored last comes back whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hadron.audit.checkpoints import BASE_EVERY, Checkpoints, Recovered, recover, slot
from hadron.audit.facts import CheckpointTaken
from hadron.errors import ImpossibleTransition

CHANGES = st.lists(
    st.dictionaries(st.sampled_from("abcde"), st.binary(max_size=3), max_size=3), max_size=150
)


@given(CHANGES)
def test_the_newest_state_comes_back_from_what_compaction_leaves(
    changes: list[dict[str, bytes]],
) -> None:
    # given a shard that takes checkpoints, and a topic that keeps the newest of each slot
    checkpoints, kept, state = Checkpoints("engine", Recovered()), {}, {}
    for place, changed in enumerate(changes):
        taken = checkpoints.take(
            changed.items(), positions={("t", 0): place}, ends={("out", 1): place * 2}
        )
        kept[slot(taken)] = taken
        state.update(changed)

    # when the shard is recovered
    found = recover(kept.values())

    # then it is as it was
    assert found.parts == {name: part for name, part in state.items() if part}
    if changes:
        assert found.positions == {("t", 0): len(changes) - 1}
        assert found.ends == {("out", 1): 2 * len(changes) - 2}
        assert found.number == len(changes)


def test_a_missing_delta_stops_the_recovery() -> None:
    checkpoints = Checkpoints("engine", Recovered())
    taken = [checkpoints.take([], positions={}, ends={}) for _ in range(3)]

    with pytest.raises(ImpossibleTransition, match="checkpoint 2 is missing"):
        recover([taken[0], taken[2]])


def test_no_checkpoint_is_an_empty_shard() -> None:
    assert recover([]) == Recovered()


def test_a_recovered_shard_goes_on_counting() -> None:
    # given a shard that stopped after five checkpoints
    before = Checkpoints("engine", Recovered())
    taken: list[CheckpointTaken] = [
        before.take([("a", b"1")], positions={}, ends={}) for _ in range(5)
    ]

    # when it is recovered and takes more than a round of them
    after = Checkpoints("engine", recover(taken))
    kept = {slot(t): t for t in taken}
    for _ in range(BASE_EVERY + 3):
        t = after.take([], positions={}, ends={})
        kept[slot(t)] = t

    # then nothing is missing
    assert recover(kept.values()).parts == {"a": b"1"}
