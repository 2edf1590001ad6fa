from __future__ import annotations

from decimal import Decimal

import msgspec

from connectors.memory import MemoryLog
from hadron.cli.changes import Control
from hadron.cli.control import seed_defaults
from hadron.cli.defaults import defaults, limits
from hadron.control.facts import TradingHalted, TradingResumed
from hadron.market.rules import Rules
from hadron.strategy.registry import build
from hadron.topics import key_of
from tests.support import T0_NS, codec


def _control(log: MemoryLog, partitions: int = 3) -> Control:
    return Control(log, codec(), topic="control", partitions=partitions)


def test_a_change_goes_to_every_partition_with_the_next_version_of_its_subject() -> None:
    control = _control(MemoryLog())
    control.append(limits(T0_NS))

    first = control.append(TradingHalted("ann", "feed is wrong", T0_NS, 0))
    second = control.append(TradingResumed("bob", "feed is right", T0_NS + 1, 0))

    assert (first.version, second.version) == (1, 2)
    assert [here["trading"] for here in control.by_partition()] == [second] * 3


def test_a_change_that_was_cut_short_is_overtaken_everywhere_by_the_next() -> None:
    log = MemoryLog()
    Control(log, codec(), topic="control", partitions=1).append(TradingHalted("a", "b", T0_NS, 0))

    written = _control(log).append(TradingResumed("a", "b", T0_NS, 0))

    assert written.version == 2
    assert [here["trading"] for here in _control(log).by_partition()] == [written] * 3


def test_defaults_are_written_once() -> None:
    log = MemoryLog()

    first = seed_defaults(log, codec(), 3, T0_NS)
    again = seed_defaults(log, codec(), 3, T0_NS + 1)

    assert (first, again) == (defaults(T0_NS), [])
    assert [len(here) for here in _control(log).by_partition()] == [4] * 3


def test_a_seeding_that_was_cut_short_is_completed_with_the_same_facts() -> None:
    log = MemoryLog()
    seed_defaults(log, codec(), 1, T0_NS)

    seed_defaults(log, codec(), 3, T0_NS + 1)

    expected = {key_of(fact): fact for fact in defaults(T0_NS)}
    assert _control(log).by_partition() == [expected] * 3


def test_defaults_stay_away_from_what_a_person_has_set() -> None:
    log = MemoryLog()
    _control(log).append(msgspec.structs.replace(limits(T0_NS), author="ann", notional=Decimal(1)))

    assert seed_defaults(log, codec(), 3, T0_NS) == []


def test_the_defaults_can_be_followed() -> None:
    rules, _, *strategies = defaults(T0_NS)

    Rules(rules)  # type: ignore[arg-type]
    kinds = [build(one).configured.kind for one in strategies]  # type: ignore[arg-type]

    assert kinds == ["SimpleSMA", "Crossover"]
