"""What shards say, on its way to the log, and counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hadron.ports import Telemetry
from hadron.topics import HASHES, Names
from streams.outbox import Headers, Outbox
from streams.shard import Shard
from streams.tools import Tools
from streams.watch import Watch

Observer = Callable[[Sequence[Any], Telemetry], Callable[[], None]]


class Emitter:
    """Appends the facts of one process and the hashes of its shards."""

    def __init__(
        self, outbox: Outbox, names: Names, *, tools: Tools, watch: Watch, observe: Observer | None
    ) -> None:
        """`observe` is given what is appended; what it returns is called when all is stored."""
        self._outbox = outbox
        self._tools = tools
        self._watch = watch
        self._observe = observe
        self._hashes = names.write(HASHES.name)

    def facts(self, shard: Shard, outputs: Sequence[Any], headers: Headers = None) -> None:
        """Append what a step of a shard made."""
        if outputs:
            stored = self._observe(outputs, self._tools.telemetry) if self._observe else None
            self._watch.emitted(
                self._outbox.append(outputs, headers=headers, stored=stored, written=shard.written)
            )

    def hashes(self, shard: Shard) -> None:
        """Before the next checkpoint, so that those that are missing are told again."""
        for fact, _ in shard.hashed:
            value = self._tools.codec.encode(fact)
            self._outbox.append_bytes(
                self._hashes, shard.partition, key=str(fact.entries), value=value
            )
        shard.hashed.clear()
