"""The engine with one strategy, as it is to be tried, on all that live's engine takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from hadron.control.facts import StrategyConfigured
from hadron.fold import Received, Slice
from hadron.strategy.engine import CONTROL, Engine
from hadron.strategy.registry import KINDS, NO_CODES
from hadron.strategy.strategy import Book, Strategy
from hadron.strategy.versions import Code

PROCESS = "shadow"
_configurations = msgspec.msgpack.Decoder(list[StrategyConfigured]).decode


class Alone:
    """A fold as live's engine is, and restored from its snapshots; other strategies are left out.

    Kind and parameters stay those of `fixed`. Whether it runs, for whom and on what follows live's
    configuration of that name.
    """

    superseded = 0

    def __init__(
        self,
        fixed: StrategyConfigured,
        kinds: Mapping[str, type[Strategy]] = KINDS,
        codes: Mapping[str, Code] = NO_CODES,
    ) -> None:
        self._engine = Engine(kinds, codes, process=PROCESS)
        self._fixed = fixed

    def step(self, slice: Slice, /) -> list[Any]:
        """See Engine."""
        if slice.topic == CONTROL:
            ours = [
                Received(received.offset, self._as_fixed(received.fact))
                for received in slice.records
                if self._is_ours(received.fact)
            ]
            slice = Slice(slice.topic, slice.partition, ours)
        return self._engine.step(slice)

    def snapshot(self) -> list[tuple[str, bytes]]:
        """See Engine."""
        return self._engine.snapshot()

    def restore(self, parts: Iterable[tuple[str, bytes]]) -> None:
        """Take a snapshot of live's engine. A state goes on where the strategy's edition does."""
        self._engine.restore((name, self._only_ours(name, part)) for name, part in parts)

    def prices(self, instrument: str) -> Book | None:
        """The last real prices of an instrument; None if no tick of it was seen."""
        return self._engine.prices(instrument)

    def _only_ours(self, name: str, part: bytes) -> bytes:
        if name != CONTROL:
            return part
        known = [self._as_fixed(one) for one in _configurations(part) if self._is_ours(one)]
        return msgspec.msgpack.encode(known)

    def _is_ours(self, fact: Any) -> bool:
        return isinstance(fact, StrategyConfigured) and fact.name == self._fixed.name

    def _as_fixed(self, live: StrategyConfigured) -> StrategyConfigured:
        fixed = self._fixed
        return msgspec.structs.replace(live, kind=fixed.kind, parameters=fixed.parameters)
