"""Runs strategies over the ticks of one shard."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from hadron.control.facts import StrategyConfigured
from hadron.control.refused import refused
from hadron.errors import ContractError, ImpossibleTransition
from hadron.fold import Received, Slice
from hadron.market import holdings
from hadron.market.facts import Tick, TradePrinted
from hadron.market.holdings import Holdings
from hadron.portfolio.facts import PositionChanged
from hadron.strategy.outcomes import Cause, decision, failure, mark, quarantine, released
from hadron.strategy.registry import KINDS, Deployment, build
from hadron.strategy.strategy import IN_ORDER, Strategy
from hadron.strategy.watch import Ask, Watch, restored

TICKS = "ticks."
CONTROL = "control"
WATCH = "watch/"

MARK_EVERY_NS = 1_000_000_000

_configurations = msgspec.msgpack.Decoder(list[StrategyConfigured]).decode


class Engine:
    """A fold of `ticks.<lane>`, `control` and `positions`.

    Emits of each tick, in this order: DecisionMade, PriceMarked, and a RecordPoisoned and an
    AlertRaised for each strategy that raised. `index` counts them. Of each configuration that ends
    a quarantine: AlertCleared. `step` is the only way in and
    all time comes with the facts, so a journal of the slices, written before each step, is all
    that a replay needs.
    Parts of the snapshot: `control`, `held/<instrument>` and `watch/<instrument>`.
    """

    def __init__(
        self, kinds: Mapping[str, type[Strategy]] = KINDS, *, process: str = "engine"
    ) -> None:
        self.superseded = 0
        self._kinds = kinds
        self._process = process
        self._deployments: dict[str, Deployment] = {}
        self._deployments_touched = False
        self._holdings = Holdings()
        self._watches: dict[str, Watch] = {}
        self._touched: set[Watch] = set()

    def step(self, slice: Slice, /) -> list[Any]:
        """Raise ImpossibleTransition for a topic that this fold does not take."""
        if slice.topic.startswith(TICKS):
            return self._apply(slice)
        if slice.topic == CONTROL:
            return self._configure(slice)
        if slice.topic == "positions":
            for record in slice.records:
                self._hold(record.fact)
            return []
        raise ImpossibleTransition(f"{self._process} does not read topic {slice.topic!r}")

    def snapshot(self) -> list[tuple[str, bytes]]:
        """The parts that changed since the last call; empty bytes for a part that went."""
        parts = sorted((WATCH + watch.instrument, watch.snapshot()) for watch in self._touched)
        self._touched.clear()
        parts += self._holdings.snapshot()
        if self._deployments_touched:
            known = [self._deployments[name].configured for name in sorted(self._deployments)]
            parts.append((CONTROL, msgspec.msgpack.encode(known)))
            self._deployments_touched = False
        return parts

    def restore(self, parts: Iterable[tuple[str, bytes]]) -> None:
        """Take the parts of a snapshot, into a fold that has not stepped yet.

        Raise ContractError if a strategy in it is no longer known to this code.
        """
        for name, value in parts:
            if name == CONTROL:
                known = _configurations(value)
                self._deployments = {one.name: build(one, self._kinds) for one in known}
            elif name.startswith(holdings.PREFIX):
                self._holdings.restore(name, value)
            else:
                instrument = name.removeprefix(WATCH)
                self._watches[instrument] = restored(instrument, value)

    def _apply(self, slice: Slice) -> list[Any]:
        watches, touch = self._watches, self._touched.add
        facts: list[Any] = []
        for record in slice.records:
            tick: Tick = record.fact
            watch = watches.get(tick.instrument) or self._watch(tick.instrument)
            if tick.raw_offset <= watch.applied.get(tick.venue, -1):
                self.superseded += 1
                continue
            watch.applied[tick.venue] = tick.raw_offset
            touch(watch)
            if watch.asleep:
                watch.wake(self._deployments, held=self._holdings.holds(tick.instrument))
            in_order = tick.quality in IN_ORDER
            if isinstance(tick, TradePrinted):
                if in_order:
                    watch.prices.take_trade(tick)
                asks = watch.on_trade
            else:
                if in_order:
                    watch.prices.take_quote(tick)
                asks = watch.on_quote
            if asks or watch.held:
                self._follow_up(watch, asks, slice, record, facts)
        return facts

    def _watch(self, instrument: str) -> Watch:
        watch = self._watches[instrument] = Watch(instrument)
        return watch

    def _follow_up(
        self, watch: Watch, asks: list[Ask], slice: Slice, record: Received, facts: list[Any]
    ) -> None:
        tick, prices, first = record.fact, watch.prices, len(facts)
        quality, failures = tick.quality, None
        for deployment, accepts, ask in asks:
            if quality not in accepts:
                continue
            try:
                signal = ask(tick, prices)
                if signal is not None:
                    cause = Cause(slice, record, len(facts) - first)
                    facts.append(decision(deployment, signal, cause=cause, prices=prices))
            except MemoryError:
                raise
            except Exception as error:  # a user's code raises whatever it likes
                watch.quarantine(deployment.name)
                failures = [*(failures or ()), (deployment, error)]
        if watch.held and quality in IN_ORDER and _is_due(watch, tick.at_ns):
            watch.marked_at_ns = tick.at_ns
            facts.append(mark(prices, cause=Cause(slice, record, len(facts) - first)))
        for deployment, raised in failures or ():
            cause = Cause(slice, record, len(facts) - first)
            facts.append(failure(deployment, raised, cause=cause, process=self._process))
            cause = Cause(slice, record, len(facts) - first)
            facts.append(quarantine(deployment, raised, cause=cause, process=self._process))

    def _configure(self, slice: Slice) -> list[Any]:
        facts: list[Any] = []
        for record in slice.records:
            if isinstance(record.fact, StrategyConfigured):
                try:
                    deployment = build(record.fact, self._kinds)
                except ContractError as error:
                    facts.append(refused(slice, record, process=self._process, error=error))
                    continue
                if any(deployment.name in one.quarantined for one in self._watches.values()):
                    cause = Cause(slice, record, 0)
                    facts.append(released(deployment, cause=cause, process=self._process))
                self._deploy(deployment)
        return facts

    def _deploy(self, deployment: Deployment) -> None:
        """States stay where the same version goes on running; else they begin anew."""
        before = self._deployments.get(deployment.name)
        same_version = before is not None and before.version == deployment.version
        self._deployments[deployment.name] = deployment
        self._deployments_touched = True
        for watch in self._watches.values():
            if watch.redeploy(deployment, same_version=same_version):
                self._touched.add(watch)

    def _hold(self, position: PositionChanged) -> None:
        if self._holdings.follow(position) and position.instrument in self._watches:
            self._watches[position.instrument].asleep = True


def _is_due(watch: Watch, at_ns: int) -> bool:
    """True again, too, after time went back."""
    before = watch.marked_at_ns
    return watch.prices.known and (before is None or not before <= at_ns < before + MARK_EVERY_NS)
