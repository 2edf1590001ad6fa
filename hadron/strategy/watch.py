"""What the engine remembers of one instrument."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from hadron.market.facts import Quality
from hadron.strategy.book import LastPrices
from hadron.strategy.registry import Deployment
from hadron.strategy.strategy import Signal, Strategy

Ask = tuple[Deployment, frozenset[Quality], Callable[[Any, Any], Signal | None]]
Said = tuple[Deployment, Any]  # what a strategy returned, or the error that it raised

MARK_EVERY_NS = 1_000_000_000
NOBODY: frozenset[str] = frozenset()  # one for all: each would take 216 bytes


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """The state of one strategy, and the edition that wrote it."""

    edition: str
    state: bytes


class Snapshot(msgspec.Struct, frozen=True):
    """A Watch as it is stored."""

    prices: LastPrices
    applied: dict[str, int]
    marked_at_ns: int | None
    strategies: dict[str, Kept]
    quarantined: list[str]


_encode = msgspec.msgpack.Encoder(order="deterministic").encode
_decode = msgspec.msgpack.Decoder(Snapshot).decode


class Watch:
    """One instrument: its prices, its strategies with their states, and how far it was stepped.

    Asleep means that the strategies to ask are not known: they are woken before the next tick.
    """

    __slots__ = (
        "applied",
        "asleep",
        "held",
        "instrument",
        "kept",
        "marked_at_ns",
        "on_quote",
        "on_trade",
        "prices",
        "quarantined",
        "quiet",
        "running",
    )

    def __init__(self, instrument: str) -> None:
        self.instrument = instrument
        self.prices = LastPrices()
        self.applied: dict[str, int] = {}  # raw offset of the newest tick taken, by venue
        self.marked_at_ns: int | None = None
        self.quiet = range(0)  # times at which no mark is due
        self.kept: dict[str, Kept] = {}  # restored, and not woken yet
        self.running: dict[str, tuple[Deployment, Strategy]] = {}
        self.quarantined = NOBODY
        self.held = False
        self.asleep = True
        self.on_trade: list[Ask] = []
        self.on_quote: list[Ask] = []

    def wake(self, deployments: Mapping[str, Deployment], *, held: bool) -> None:
        """Find the strategies to ask, in the order of their names, each with its own state."""
        self.held, self.asleep = held, False
        self.on_trade, self.on_quote = [], []
        for name in sorted(deployments):
            deployment = deployments[name]
            if name in self.quarantined or not deployment.runs_on(self.instrument):
                continue
            strategy = self._strategy(deployment)
            self.on_trade.append((deployment, deployment.accepts, strategy.on_trade))
            if deployment.hears_quotes:
                self.on_quote.append((deployment, deployment.accepts, strategy.on_quote))

    def _strategy(self, deployment: Deployment) -> Strategy:
        name = deployment.name
        kept = self.kept.pop(name, None)
        if name in self.running:
            strategy = self.running[name][1]
        elif kept is not None and kept.edition == deployment.edition:
            strategy = deployment.resume(kept.state)
        else:
            strategy = deployment.start()
        self.running[name] = deployment, strategy
        return strategy

    def redeploy(self, deployment: Deployment, *, same_edition: bool) -> bool:
        """Take a new configuration. True if a state or a quarantine ended with it."""
        name = deployment.name
        self.asleep = True
        if not (name in self.running or name in self.kept or name in self.quarantined):
            return False
        if same_edition and name not in self.quarantined and deployment.runs_on(self.instrument):
            return False
        self.forget(name)
        return True

    def forget(self, name: str) -> None:
        """Drop the state of one strategy; it begins anew when it is woken."""
        self.running.pop(name, None)
        self.kept.pop(name, None)
        self.quarantined = self.quarantined - {name} or NOBODY
        self.asleep = True

    def quarantine(self, name: str) -> None:
        """Ask a strategy no more, until it is forgotten."""
        self.forget(name)
        self.quarantined |= {name}

    def marked(self, at_ns: int) -> None:
        """Take when it was marked last. The next is due a second later, or after time went back."""
        self.marked_at_ns = at_ns
        self.quiet = range(at_ns, at_ns + MARK_EVERY_NS)

    def snapshot(self) -> bytes:
        """All of it, as bytes that are equal where the state is."""
        states = dict(self.kept)
        for name, (deployment, strategy) in self.running.items():
            states[name] = Kept(deployment.edition, deployment.saved(strategy))
        return _encode(
            Snapshot(self.prices, self.applied, self.marked_at_ns, states, sorted(self.quarantined))
        )


def answers(asks: Sequence[Ask], tick: Any, prices: LastPrices) -> list[Said] | None:
    """What strategies returned or raised; None if nobody said anything."""
    said: list[Said] | None = None
    for deployment, accepts, ask in asks:
        if tick.quality in accepts:
            try:
                signal = ask(tick, prices)
            except MemoryError:
                raise
            except Exception as error:  # a user's code raises whatever it likes
                said = [*(said or ()), (deployment, error)]
            else:
                if signal is not None:
                    said = [*(said or ()), (deployment, signal)]
    return said


def restored(instrument: str, value: bytes) -> Watch:
    """A watch that sleeps as `snapshot` saw it."""
    snapshot = _decode(value)
    watch = Watch(instrument)
    watch.prices, watch.applied = snapshot.prices, snapshot.applied
    watch.kept = snapshot.strategies
    if snapshot.marked_at_ns is not None:
        watch.marked(snapshot.marked_at_ns)
    watch.quarantined = frozenset(snapshot.quarantined) or NOBODY
    return watch
