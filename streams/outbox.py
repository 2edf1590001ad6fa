"""Facts on their way to the log, and when all of them have arrived."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hadron.audit.names import NOTHING, Written, name_of
from hadron.market.facts import QuoteChanged, TradePrinted
from hadron.partitions import partition_of
from hadron.ports import Codec, LoopLog
from hadron.topics import Names, key_of, partition_key_of, topic_of

WAIT_S = 0.05  # at most, between two looks: the log says when something is stored
TICKS = frozenset({TradePrinted, QuoteChanged})

Headers = Sequence[tuple[str, bytes]] | None
Batches = dict[tuple[str, int], list[tuple[str | bytes | None, bytes | None]]]


class _Epoch:
    """The appends between two calls of all_stored; `open` are not stored yet."""

    def __init__(self) -> None:
        self.open = 0


class Outbox:
    """Encodes, routes and appends facts; knows which appends are not stored yet."""

    def __init__(self, log: LoopLog, codec: Codec, *, names: Names, partitions: int) -> None:
        self._log = log
        self._codec = codec
        self._names = names
        self._partitions = partitions
        self._epoch = _Epoch()

    def append(
        self,
        facts: Sequence[Any],
        *,
        headers: Headers = None,
        stored: Callable[[], None] | None = None,
        written: Written = NOTHING,
    ) -> dict[str, int]:
        """Append facts in order. `stored` is called when all are. Return how many went where.

        Of a fact that belongs on every partition, only the copies that are not `written` yet.
        """
        batches = self._routed(facts, written)
        counts: dict[str, int] = {}
        left = len(batches)

        def delivered() -> None:
            nonlocal left
            left -= 1
            if left == 0 and stored is not None:
                stored()

        for (topic, partition), records in batches.items():
            counts[topic] = counts.get(topic, 0) + len(records)
            self._append(self._names.write(topic), partition, records, headers, delivered)
        return counts

    def append_bytes(self, topic: str, partition: int, *, key: str, value: bytes) -> None:
        """Append one record that is encoded already, to a topic named in full."""
        self._append(topic, partition, [(key, value)], None, None)

    async def all_stored(self) -> None:
        """Return when everything appended until now is on the log. One caller at a time."""
        epoch, self._epoch = self._epoch, _Epoch()
        while epoch.open:
            await self._log.wait(WAIT_S)

    def _append(
        self,
        topic: str,
        partition: int,
        records: Sequence[tuple[str | bytes | None, bytes | None]],
        headers: Headers,
        stored: Callable[[], None] | None,
    ) -> None:
        epoch = self._epoch
        epoch.open += 1

        def delivered() -> None:
            epoch.open -= 1
            if stored is not None:
                stored()

        self._log.append(topic, partition, records, headers=headers, delivered=delivered)

    def _routed(self, facts: Sequence[Any], written: Written) -> Batches:
        batches: Batches = {}
        # Ticks come by the thousand, and few instruments at a time: find their batch once.
        known: dict[tuple[str, str], list[tuple[str | bytes | None, bytes | None]]] = {}
        for fact, value in zip(facts, self._codec.encode_many(facts), strict=True):
            if type(fact) in TICKS:
                route = (fact.lane, fact.instrument)
                batch = known.get(route)
                if batch is None:
                    batch = known[route] = self._batch(batches, fact)
                batch.append((fact.instrument, value))
            elif topic_of(fact).everywhere:
                record = (key_of(fact), value)
                there = written.get(name_of(fact), ()) if written else ()
                for partition in range(self._partitions):
                    if partition not in there:
                        batches.setdefault((topic_of(fact).name, partition), []).append(record)
            else:
                self._batch(batches, fact).append((key_of(fact), value))
        return batches

    def _batch(self, batches: Batches, fact: Any) -> list[tuple[str | bytes | None, bytes | None]]:
        partition = partition_of(partition_key_of(fact), self._partitions)
        return batches.setdefault((topic_of(fact).name, partition), [])
