"""The facts that follow from a tick."""

from __future__ import annotations

from typing import Any

import msgspec

from hadron.audit.facts import AlertCleared, AlertRaised, RecordPoisoned
from hadron.market.facts import PriceMarked, Tick
from hadron.strategy.book import LastPrices
from hadron.strategy.facts import DecisionMade
from hadron.strategy.registry import Deployment
from hadron.strategy.strategy import Signal


class Cause(msgspec.Struct, frozen=True):
    """Where a fact lies, and how many facts followed from it before."""

    source: str
    partition: int
    offset: int
    index: int = 0

    def at(self, index: int) -> Cause:
        """The cause of the fact that follows after so many."""
        return Cause(self.source, self.partition, self.offset, index) if index else self

    @property
    def name(self) -> dict[str, Any]:
        """The fields by which a fact that follows from it is named."""
        return {
            "source": self.source,
            "partition": self.partition,
            "offset": self.offset,
            "index": self.index,
        }


def decision(
    deployment: Deployment, signal: Signal, tick: Tick, cause: Cause, prices: LastPrices
) -> DecisionMade:
    """What a strategy wants, with the prices of its instrument at that tick.

    Raise TypeError if what the strategy returned is no signal.
    """
    if not isinstance(signal, Signal):
        raise TypeError(f"it returned {type(signal).__name__}; wanted Signal or None")
    return DecisionMade(
        **cause.name,
        raw_topic=f"raw.{tick.venue}",
        raw_partition=tick.raw_partition,
        raw_offset=tick.raw_offset,
        strategy=deployment.name,
        version=deployment.version,
        portfolio=deployment.configured.portfolio,
        instrument=tick.instrument,
        venue=tick.venue,
        at_ns=tick.at_ns,
        seen_ns=tick.seen_ns,
        side=signal.side,
        quantity=signal.quantity,
        limit_price=signal.limit_price,
        confidence=signal.confidence,
        bid=prices.bid,
        ask=prices.ask,
        last=prices.last,
        quality=tick.quality,
        evidence=dict(signal.evidence),
        metadata=dict(signal.metadata),
    )


def mark(prices: LastPrices, tick: Tick, cause: Cause) -> PriceMarked:
    """The prices of a held instrument at a tick."""
    return PriceMarked(
        **cause.name,
        instrument=tick.instrument,
        at_ns=tick.at_ns,
        bid=prices.bid,
        ask=prices.ask,
        last=prices.last,
    )


def failure(
    deployment: Deployment, error: Exception, tick: Tick, cause: Cause, *, process: str
) -> RecordPoisoned:
    """A strategy that raised. The record is sound: its value is the tick as JSON.

    `process` names the strategy too, so that it can be told from records that nobody can read.
    """
    return RecordPoisoned(
        **cause.name,
        process=f"{process}/{deployment.name}",
        error=(
            f"strategy {deployment.name!r} {deployment.version} raised"
            f" {type(error).__name__}: {error}; it is quarantined on {tick.instrument}"
            " until it is configured again"
        ),
        seen_ns=tick.seen_ns,
        key=tick.instrument.encode(),
        value=msgspec.json.encode(tick),
    )


def quarantine(
    deployment: Deployment, error: Exception, tick: Tick, cause: Cause, *, process: str
) -> AlertRaised:
    """Tells people what `failure` keeps for the record."""
    return AlertRaised(
        **cause.name,
        severity="warning",
        process=process,
        subject=f"strategy/{deployment.name}",
        text=(
            f"strategy {deployment.name!r} {deployment.version} raised {type(error).__name__};"
            f" it is quarantined on {tick.instrument} until it is configured again"
        ),
        at_ns=tick.at_ns,
    )


def released(deployment: Deployment, cause: Cause, *, at_ns: int, process: str) -> AlertCleared:
    """Tells people that a quarantine is over: the strategy is asked again, if it is enabled."""
    return AlertCleared(
        **cause.name,
        severity="warning",
        process=process,
        subject=f"strategy/{deployment.name}",
        text=f"strategy {deployment.name!r} was configured again: its quarantine is over",
        at_ns=at_ns,
    )
