"""What is decided is decided in the order of the journal, whatever happens meanwhile."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Iterator, Sequence
from decimal import Decimal

import msgspec
import pytest

from hadron.audit.facts import SlicesSequenced
from hadron.audit.names import name_of
from hadron.control.facts import LimitsChanged, RulesChanged
from hadron.partitions import partition_of
from hadron.strategy.facts import DecisionMade
from hadron.topics import TICKS, key_of
from tests.integration.platform import SHARDS, Platform, kill, platform, until
from tests.integration.replaying import control_of, generated, replayed
from tests.support import codec, some_rules

SYMBOLS = ("AIG", "BAC", "IBM", "SPY", "KO", "XOM")
EVENTS, ROUNDS = 12_000, 6
FOLDS = ("normalize", "engine", "desk", "portfolio")
MOVED, JOIN = ("engine", "desk"), 1  # of these another one comes in a round
FROM_BEGINNING = ("--from", "beginning", "--compare")


@pytest.fixture(scope="module")
def alone() -> Iterator[Platform]:
    """A run in which processes were killed, shards moved, and people changed their minds."""
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # noqa: T201
    chance = random.Random(seed)
    with platform() as made:
        control_of(made).append(some_rules())
        many = Decimal(10**9)
        control_of(made).append(
            LimitsChanged("test", "room", time.time_ns(), 2, "main", many, many, many)
        )
        running = {name: made.start(name) for name in (*FOLDS, "gateway")}
        events = generated(SYMBOLS, EVENTS, chance)
        for number in range(ROUNDS):
            _append(made, events[number * EVENTS // ROUNDS : (number + 1) * EVENTS // ROUNDS])
            if number % 2 == 0:
                made.wait_until_taken("normalize", "engine")
            _change(made, number, chance)
            if number == JOIN:
                others = [made.start(name) for name in MOVED]
            if number % 2:
                time.sleep(chance.uniform(0.1, 1.5))
                victim = chance.choice(["engine", "desk"])
                kill(running[victim])
                running[victim] = made.start(victim)
        for other in others:
            other.send_signal(signal.SIGTERM)  # its shards move back
        made.wait_until_taken(*FOLDS)
        made.stop_all()
        yield made


def _append(alone: Platform, events: Sequence[tuple[int, int, str, bytes]]) -> None:
    for partition, _, key, value in events:
        alone.log.append("raw.massive", partition, [(key, value)])
    alone.log.flush()


def _change(alone: Platform, number: int, chance: random.Random) -> None:
    control = control_of(alone)
    newest = control.newest()
    rules = newest["rules"]
    assert isinstance(rules, RulesChanged)
    lanes: dict[str, list[str]] = {"fast": [], "warm": [], "cold": []}
    for symbol in SYMBOLS:
        lanes[chance.choice(sorted(lanes))].append(f"eq:{symbol}")
    version = {"version": rules.version + 1, "at_ns": time.time_ns()}
    control.append(msgspec.structs.replace(rules, **lanes, **version))
    before = newest["strategy/sma"]
    quantity = {"quantity": str(number + 1), "threshold_bps": "1"}
    control.append(msgspec.structs.replace(before, parameters=quantity, at_ns=time.time_ns()))


def test_the_run_is_worth_comparing(alone: Platform) -> None:
    entries = alone.facts("journal.engine")

    assert all(isinstance(entry, SlicesSequenced) for entry in entries)
    topics = {slice.topic for entry in entries for slice in entry.slices}
    assert topics > {"control", "positions"}
    assert len(topics & {topic.name for topic in TICKS.values()}) > 1  # lanes, by chance
    made = alone.facts("decisions")
    assert len(made) > 20
    assert len({name_of(one) for one in made}) == len(made)
    assert len({one.version for one in made}) > 2  # what people changed came between


@pytest.mark.parametrize("process", ["engine", "desk", "portfolio"])
def test_stepped_again_in_the_order_of_the_journal_it_decides_the_same_bytes(
    alone: Platform, process: str
) -> None:
    reports = [
        replayed(alone, *FROM_BEGINNING, "--process", process, "--workers", str(workers), *speed)
        for workers, speed in ((1, ()), (2, ()), (4, ("--speed", "100x")))
    ]

    assert {report["identical"] for report in reports} == {True}
    assert len({report["hash"] for report in reports}) == 1
    assert reports[0]["hash"] == reports[0]["live_hash"]
    topic = {"engine": "decisions", "desk": "intents", "portfolio": "positions"}[process]
    assert reports[0]["replayed"] == reports[0]["live"] == len(alone.facts(topic)) > 20


def test_a_process_that_slept_through_its_session_steps_nothing_of_anothers(
    alone: Platform,
) -> None:
    # given an engine that sleeps while another gets its shards and steps on
    sleeper, _ = alone.start("engine"), alone.start("normalize")
    _append(alone, generated(SYMBOLS, 300, random.Random(1)))
    alone.wait_until_taken("normalize", "engine")
    sleeper.send_signal(signal.SIGSTOP)
    alone.start("engine")
    _append(alone, generated(SYMBOLS, 300, random.Random(2)))
    alone.wait_until_taken("normalize", "engine")

    # when it wakes up
    sleeper.send_signal(signal.SIGCONT)

    # then it ends, and what was decided still follows from the journal
    until(lambda: sleeper.poll() is not None, "the sleeper stops itself")
    assert replayed(alone, *FROM_BEGINNING)["identical"] is True


def test_a_decision_that_does_not_follow_is_named(alone: Platform) -> None:
    true: DecisionMade = alone.facts("decisions")[0]
    false = msgspec.structs.replace(true, index=true.index + 7)
    partition = partition_of(key_of(false), SHARDS)
    alone.log.append("decisions", partition, [(key_of(false), codec().encode(false))])
    alone.log.flush()

    report = replayed(alone, *FROM_BEGINNING, code=3)

    assert report["identical"] is False
    assert report["difference"]["name"] == str(name_of(false))
    assert report["difference"]["replayed"] is None
    assert report["replayed"] == report["live"] - 1
