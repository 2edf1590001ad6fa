"""Runs strategies over the ticks of one shard."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from hadron.control.facts import StrategyConfigured
from hadron.control.refused import refused
from hadron.errors import ContractError, ImpossibleTransition
from hadron.fold import Slice
from hadron.market import holdings
from hadron.market.facts import Tick, TradePrinted
from hadron.market.holdings import Holdings
from hadron.portfolio.facts import PositionChanged
from hadron.strategy.facts import StrategyDeployed
from hadron.strategy.outcomes import Cause, decision, failure, mark, quarantine, released
from hadron.strategy.registry import KINDS, NO_CODES, Deployment, build
from hadron.strategy.strategy import IN_ORDER, Book, Strategy
from hadron.strategy.versions import Code
from hadron.strategy.watch import Said, Watch, answers, restored

TICKS = "ticks."
CONTROL = "control"
WATCH = "watch/"

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
        self,
        kinds: Mapping[str, type[Strategy]] = KINDS,
        codes: Mapping[str, Code] = NO_CODES,
        *,
        process: str = "engine",
    ) -> None:
        self.superseded = 0
        self._kinds = kinds
        self._codes = codes
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
                self._deployments = {
                    one.name: build(one, self._kinds, self._codes) for one in known
                }
            elif name.startswith(holdings.PREFIX):
                self._holdings.restore(name, value)
            else:
                instrument = name.removeprefix(WATCH)
                self._watches[instrument] = restored(instrument, value)

    def deployed(self) -> list[StrategyDeployed]:
        """What each strategy that is configured now is made of."""
        return [self._deployments[name].made_of for name in sorted(self._deployments)]

    def prices(self, instrument: str) -> Book | None:
        """The last real prices of an instrument; None if no tick of it was seen."""
        watch = self._watches.get(instrument)
        return watch.prices if watch is not None else None

    def follow(
        self, ticks: Iterable[Tick], cause_of: Callable[[int, Tick], Cause]
    ) -> Iterator[tuple[int, list[Any]]]:
        """Yield the facts that follow from a tick, with its place among `ticks`, where any do.

        `cause_of` says where a tick lies. A tick is asked for when all is said of the one before,
        and what else changes this fold may be stepped between them.
        """
        # Runs for each tick: no call but that of the strategies, no object where nobody decides.
        watches, in_order = self._watches, IN_ORDER
        name = ""
        for place, tick in enumerate(ticks):
            if tick.instrument != name:
                name = tick.instrument
                watch = watches.get(name) or self._watch(name)
                self._touched.add(watch)
                applied, prices = watch.applied, watch.prices
            venue = tick.venue
            if venue in applied and tick.raw_offset <= applied[venue]:
                self.superseded += 1
                continue
            applied[venue] = tick.raw_offset
            if watch.asleep:
                watch.wake(self._deployments, held=self._holdings.holds(name))
            if isinstance(tick, TradePrinted):
                if tick.price > 0 and tick.quality in in_order:
                    prices.last_mantissa = tick.price
                    prices.last_scale = tick.price_scale
                said = answers(watch.on_trade, tick, prices)
            else:
                if tick.quality in in_order:
                    prices.take_quote(tick)
                said = answers(watch.on_quote, tick, prices) if watch.on_quote else None
            if said or (watch.held and tick.at_ns not in watch.quiet):
                facts = self._facts(watch, said or (), tick, cause_of(place, tick))
                if facts:
                    yield place, facts
                    name = ""  # the watch may have been stored meanwhile

    def _apply(self, slice: Slice) -> list[Any]:
        def cause_of(place: int, tick: Tick) -> Cause:
            return Cause(slice.topic, slice.partition, slice.records[place].offset)

        facts: list[Any] = []
        for _, more in self.follow([record.fact for record in slice.records], cause_of):
            facts += more
        return facts

    def _watch(self, instrument: str) -> Watch:
        watch = self._watches[instrument] = Watch(instrument)
        return watch

    def _facts(self, watch: Watch, said: Sequence[Said], tick: Tick, cause: Cause) -> list[Any]:
        prices = watch.prices
        facts: list[Any] = []
        failures: list[tuple[Deployment, Exception]] = []
        for deployment, signal in said:
            try:
                if isinstance(signal, Exception):
                    raise signal
                facts.append(decision(deployment, signal, tick, cause.at(len(facts)), prices))
            except MemoryError:
                raise
            except Exception as raised:  # a user's code raises, and returns, whatever it likes
                watch.quarantine(deployment.name)
                failures.append((deployment, raised))
        due = watch.held and tick.at_ns not in watch.quiet
        if due and tick.quality in IN_ORDER and prices.known:
            watch.marked(tick.at_ns)
            facts.append(mark(prices, tick, cause.at(len(facts))))
        for deployment, error in failures:
            of_tick = (deployment, error, tick)
            facts.append(failure(*of_tick, cause.at(len(facts)), process=self._process))
            facts.append(quarantine(*of_tick, cause.at(len(facts)), process=self._process))
        return facts

    def _configure(self, slice: Slice) -> list[Any]:
        facts: list[Any] = []
        for record in slice.records:
            if isinstance(record.fact, StrategyConfigured):
                try:
                    deployment = build(record.fact, self._kinds, self._codes)
                except ContractError as error:
                    facts.append(refused(slice, record, process=self._process, error=error))
                    continue
                if any(deployment.name in one.quarantined for one in self._watches.values()):
                    cause = Cause(slice.topic, slice.partition, record.offset)
                    at_ns = record.fact.at_ns
                    facts.append(released(deployment, cause, at_ns=at_ns, process=self._process))
                self._deploy(deployment)
        return facts

    def _deploy(self, deployment: Deployment) -> None:
        """States stay where the same edition goes on running; else they begin anew."""
        before = self._deployments.get(deployment.name)
        same_edition = before is not None and before.edition == deployment.edition
        self._deployments[deployment.name] = deployment
        self._deployments_touched = True
        for watch in self._watches.values():
            if watch.redeploy(deployment, same_edition=same_edition):
                self._touched.add(watch)

    def _hold(self, position: PositionChanged) -> None:
        if self._holdings.follow(position) and position.instrument in self._watches:
            self._watches[position.instrument].asleep = True
