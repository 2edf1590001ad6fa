"""What a new installation begins with: rules, limits and the two sample strategies."""

from __future__ import annotations

from decimal import Decimal

from hadron import topics
from hadron.cli.changes import Control
from hadron.control.facts import (
    ControlFact,
    LimitsChanged,
    RulesChanged,
    StrategyConfigured,
)
from hadron.ports import Codec, FactLog
from hadron.topics import LIVE, Names, key_of

AUTHOR = "hadron"
REASON = "default"
PORTFOLIO = "main"


def seed_defaults(
    log: FactLog, codec: Codec, partitions: int, now_ns: int, *, names: Names = LIVE
) -> list[ControlFact]:
    """Write the defaults if nobody has set anything yet; return what was written.

    A seeding that was cut short is completed: until a person writes, every partition gets all.
    """
    topic = names.write(topics.CONTROL.name)
    return seeded(Control(log, codec, topic=topic, partitions=partitions), now_ns)


def seeded(control: Control, now_ns: int) -> list[ControlFact]:
    """As `seed_defaults`, on a control topic that is open already."""
    found = control.by_partition()
    if any(fact.author != AUTHOR for here in found for fact in here.values()):
        return []
    newest = control.newest()
    lacking = [
        newest.get(key_of(fact), fact)
        for fact in defaults(now_ns)
        if any(key_of(fact) not in here for here in found)
    ]
    control.write(*lacking)
    return lacking


def defaults(now_ns: int) -> list[ControlFact]:
    """Version 1 of everything, as of `now_ns`."""
    return [rules(now_ns), limits(now_ns), *strategies(now_ns)]


def rules(now_ns: int) -> RulesChanged:
    """WARM, but FAST where a position is open or the price moved 20 bps within 10 s."""
    return RulesChanged(
        author=AUTHOR,
        reason=REASON,
        at_ns=now_ns,
        version=1,
        fast=[],
        warm=[],
        cold=[],
        open_position_is_fast=True,
        volatile_bps=20,
        volatile_window_ms=10_000,
        stale_after_ms=0,
        default="warm",
    )


def limits(now_ns: int) -> LimitsChanged:
    """Limits of the simulated portfolio `main`."""
    return LimitsChanged(
        author=AUTHOR,
        reason=REASON,
        at_ns=now_ns,
        version=1,
        portfolio=PORTFOLIO,
        position=Decimal(1_000),
        notional=Decimal(250_000),
        exposure=Decimal(1_000_000),
    )


def strategies(now_ns: int) -> list[ControlFact]:
    """SimpleSMA and Crossover on all instruments, with their own defaults."""
    return [
        StrategyConfigured(
            author=AUTHOR,
            reason=REASON,
            at_ns=now_ns,
            version=1,
            name=name,
            kind=kind,
            enabled=True,
            portfolio=PORTFOLIO,
            instruments=[],
            parameters={},
        )
        for name, kind in (("sma", "SimpleSMA"), ("crossover", "Crossover"))
    ]
