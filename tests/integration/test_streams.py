"""Slices in Faust on real Kafka: nothing lost, nothing twice."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

import pytest

from hadron.topics import RAW, TICKS
from tests.integration.platform import SHARDS, Platform, kill, platform, until

TICK_TOPICS = tuple(topic.name for topic in TICKS.values())
TRADES = 60_000


@pytest.fixture
def alone() -> Iterator[Platform]:
    with platform() as made:
        yield made


def ticks_on_the_log(alone: Platform) -> int:
    places = [(topic, p) for topic in TICK_TOPICS for p in range(SHARDS)]
    return sum(alone.log.ends(places).values())


def each_raw_event_once(alone: Platform) -> None:
    """Every raw record has one tick, on one lane; by the names of causes."""
    raw = Counter(
        (record.topic, record.partition, record.offset)
        for record in alone.records(*(topic.name for topic in RAW.values()))
    )
    named = Counter(
        {
            (name.source, name.partition, name.offset): count
            for name, count in alone.named(*TICK_TOPICS).items()
        }
    )
    assert named == raw


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_kills_inside_slices_lose_and_double_nothing(alone: Platform, seed: int) -> None:
    # given a normalizer that is killed again and again while events flow
    draw = random.Random(seed)
    alone.produce_trades(TRADES)
    child = alone.start("normalize")
    for _ in range(4):
        goal = ticks_on_the_log(alone) + draw.randrange(1, 8_000)
        until(lambda wanted=goal: ticks_on_the_log(alone) >= min(wanted, TRADES), "ticks")  # type: ignore[misc]
        kill(child)
        child = alone.start("normalize")

    # when it is left alone at last
    alone.wait_until_taken("normalize")

    # then every raw event has exactly one tick
    each_raw_event_once(alone)


def test_kills_between_slices_lose_and_double_nothing(alone: Platform) -> None:
    # given a normalizer that is killed each time it has taken everything
    for part in range(3):
        child = alone.start("normalize")
        alone.produce_trades(500, first=part * 500)
        until(lambda wanted=(part + 1) * 500: ticks_on_the_log(alone) == wanted, "all ticks")  # type: ignore[misc]
        kill(child)

    # when a last one starts
    alone.start("normalize")
    alone.wait_until_taken("normalize")

    # then every raw event has exactly one tick
    each_raw_event_once(alone)


def test_a_first_slice_of_one_record_does_not_hold_the_commit_back(alone: Platform) -> None:
    """Faust's own bookkeeping of offsets would wait for ever behind offset 0."""
    child = alone.start("normalize")
    alone.produce_trades(1)
    alone.wait_until_taken("normalize")
    alone.produce_trades(1_000, first=1)

    alone.wait_until_taken("normalize")

    assert child.poll() is None
    each_raw_event_once(alone)


def test_poison_is_dead_lettered_with_its_bytes_and_place(alone: Platform) -> None:
    # given good events, one value that is no fact, and one payload that is no event
    alone.produce_trades(600)
    place = alone.log.ends([("raw.massive", 0)])["raw.massive", 0]
    alone.log.append("raw.massive", 0, [("eq:X", b"not a fact")])
    alone.log.flush()

    # when they are normalized
    alone.start("normalize")
    alone.wait_until_taken("normalize")

    # then the poison is on `dead`, whole, and the rest are ticks
    [dead] = alone.facts("dead")
    assert (dead.source, dead.partition, dead.offset) == ("raw.massive", 0, place)
    assert dead.value == b"not a fact"
    assert dead.key == b"eq:X"
    assert "wire format" in dead.error
    assert ticks_on_the_log(alone) == 600


def test_a_hundred_poisoned_in_a_row_stop_the_process(alone: Platform) -> None:
    # given a partition in which a deploy wrote rubbish
    alone.log.append("raw.massive", 1, [("eq:X", b"rubbish")] * 150)
    alone.log.flush()

    # when it is normalized
    child = alone.start("normalize")

    # then the process stops and says why; it has committed nothing of it
    until(lambda: child.poll() is not None, "the process stopped")
    assert child.returncode == 1
    assert "100 records in a row cannot be read" in alone.said("normalize")
    assert alone.left(["normalize"]) >= 150


def test_what_stopped_a_process_stops_it_again_after_a_restart(alone: Platform) -> None:
    # given rubbish whose dead letters are on the log already
    alone.log.append("raw.massive", 1, [("eq:X", b"rubbish")] * 150)
    alone.log.flush()
    assert alone.start("normalize").wait(60) == 1

    # when a supervisor starts the process again
    child = alone.start("normalize")

    # then it does not pass over what it wrote of before
    until(lambda: child.poll() is not None, "the process stopped")
    assert alone.left(["normalize"]) >= 150
