"""The backtest itself: batches through the code that runs live, in one process without Kafka."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from decimal import Decimal
from hashlib import sha256
from typing import Any

import msgspec

from hadron.audit.facts import AlertRaised, RecordPoisoned
from hadron.backtest.batches import Batch, Controls, Raws, Ticks
from hadron.backtest.exchange import Exchange
from hadron.backtest.intake import Intake
from hadron.backtest.ledger import Ledger
from hadron.backtest.models import Named, models
from hadron.backtest.results import Counts, Result, Run
from hadron.backtest.trading import Trading
from hadron.backtest.trips import round_trips
from hadron.control.facts import StrategyConfigured
from hadron.errors import ContractError
from hadron.fold import Received, Slice
from hadron.market.facts import PriceMarked, Tick
from hadron.portfolio.facts import PositionChanged
from hadron.ports import Codec
from hadron.strategy.engine import Engine
from hadron.strategy.facts import DecisionMade
from hadron.strategy.outcomes import Cause
from hadron.strategy.registry import KINDS, NO_CODES, build
from hadron.strategy.strategy import Strategy
from hadron.strategy.versions import Code
from hadron.topics import TICKS
from hadron.venues.parsed import Parser

S = 1_000_000_000


class Settings(msgspec.Struct, frozen=True):
    """What a backtest is run with, besides its data."""

    source: str = ""  # of the data, in words
    models: Named = Named()
    capital: Decimal = Decimal(1_000_000)  # of each portfolio
    equity_every_ns: int = S
    partitions: int = 4  # as many as live has, for the same names


class Backtest:
    """Takes batches once, in their order, and says what came of them.

    A position changes the lane of ticks from the next batch of raw events on; decisions are the
    same in every lane.
    """

    def __init__(
        self,
        settings: Settings,
        parsers: Mapping[str, Parser],
        kinds: Mapping[str, type[Strategy]] = KINDS,
        codes: Mapping[str, Code] = NO_CODES,
    ) -> None:
        """Raise SettingsError if a model has another name, or needs something else."""
        chosen = models(settings.models)
        ledger = Ledger(
            chosen.fees, capital=settings.capital, every_ns=max(1, settings.equity_every_ns)
        )
        self.alerts: list[AlertRaised] = []
        self._settings = settings
        self._kinds, self._codes = kinds, codes
        self._intake = Intake(parsers)
        self._engine = Engine(kinds, codes)
        self._exchange = Exchange(chosen)
        self._trading = Trading(self._exchange, ledger, partitions=settings.partitions)
        self._versions: dict[str, str] = {}
        self._ticks = self._poisoned = 0
        self._begin_ns: int | None = None
        self._end_ns: int | None = None

    def run(self, batches: Iterable[Batch]) -> None:
        """Take batches; may be called again with what follows."""
        for batch in batches:
            match batch:
                case Controls():
                    self._control(batch)
                case Raws():
                    ticks, poisoned = self._intake.normalized(batch)
                    self._take(poisoned)
                    self._follow(ticks)
                case Ticks():
                    self._follow(batch)

    def result(self, codec: Codec) -> Result:
        """All that happened so far."""
        trading, settings = self._trading, self._settings
        trading.value()
        digest = sha256()
        for decision in trading.decisions:
            value = codec.encode(decision)
            digest.update(len(value).to_bytes(8))
            digest.update(value)
        fills = trading.ledger.fills
        return Result(
            run=Run(
                source=settings.source,
                strategies=dict(sorted(self._versions.items())),
                models=settings.models.written(),
                capital=settings.capital,
                equity_every_ns=settings.equity_every_ns,
                begin_ns=self._begin_ns,
                end_ns=self._end_ns,
            ),
            counts=Counts(self._intake.taken, self._ticks, self._engine.superseded, self._poisoned),
            sha256=digest.hexdigest(),
            decisions=trading.decisions,
            outcomes=trading.outcomes,
            orders=list(trading.blotter.orders()),
            fills=fills,
            positions=trading.positions,
            equity=trading.ledger.equity,
            trades=round_trips(fills),
            alerts=self.alerts,
        )

    def _control(self, batch: Controls) -> None:
        for fact in batch.facts:
            if isinstance(fact, StrategyConfigured):
                with suppress(ContractError):  # which the engine says, too
                    self._versions[fact.name] = build(fact, self._kinds, self._codes).version
            slice = Slice("control", 0, [Received(0, fact)])
            self._take([*self._intake.step(slice), *self._engine.step(slice)])
            self._trading.control(fact)

    def _follow(self, batch: Ticks) -> None:
        """Step the engine through ticks, and the exchange before it where an order may meet one."""
        exchange, ticks, offsets = self._exchange, iter(batch.ticks), batch.offsets
        if batch.span is not None:
            begin_ns, end_ns = batch.span
            self._begin_ns = begin_ns if self._begin_ns is None else self._begin_ns
            self._end_ns = end_ns
        done = 0

        def cause_of(place: int, tick: Tick) -> Cause:
            return Cause(TICKS[tick.lane].name, tick.raw_partition, offsets[done + place])

        while done < len(offsets):
            if exchange.idle and not exchange.every_tick:
                done += self._alone(ticks, cause_of) or len(offsets) - done
            else:
                done += self._together(ticks, cause_of)
        self._ticks += len(offsets)

    def _alone(self, ticks: Iterator[Tick], cause_of: Callable[[int, Tick], Cause]) -> int:
        """Go on until an order is open. Return how many ticks that took; 0 for all."""
        for place, facts in self._engine.follow(ticks, cause_of):
            self._take(facts)
            if not self._exchange.idle:
                return place + 1
        return 0

    def _together(self, ticks: Iterator[Tick], cause_of: Callable[[int, Tick], Cause]) -> int:
        """Go on while an order is open. Return how many ticks that took."""
        exchange, seen = self._exchange, 0

        def shown() -> Iterator[Tick]:
            nonlocal seen
            for tick in ticks:
                seen += 1
                if said := exchange.take(tick):
                    self._hold(self._trading.settle(said))
                yield tick
                if exchange.idle and not exchange.every_tick:
                    return

        for _, facts in self._engine.follow(shown(), cause_of):
            self._take(facts)
        return seen

    def _take(self, facts: Iterable[Any]) -> None:
        for fact in facts:
            match fact:
                case PriceMarked():
                    self._trading.mark(fact)
                case RecordPoisoned():
                    self._poisoned += 1
                case AlertRaised():
                    self.alerts.append(fact)
                case DecisionMade():
                    self._hold(self._trading.decide(fact))

    def _hold(self, positions: Iterable[PositionChanged]) -> None:
        for position in positions:
            slice = Slice("positions", 0, [Received(0, position)])
            self._intake.step(slice)
            self._engine.step(slice)
