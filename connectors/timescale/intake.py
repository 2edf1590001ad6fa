"""From Kafka messages to the rows of a batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from connectors.timescale.batch import Batch, Partition
from connectors.timescale.layout import Layout, Place
from connectors.timescale.raw import RawRows
from connectors.timescale.tables import LAYOUTS, row
from connectors.timescale.ticks import TickRows
from hadron import metrics
from hadron.audit.leaves import Leaves, tombstone
from hadron.errors import ContractError, PoisonLimitReached
from hadron.market.facts import RawReceived, TradePrinted
from hadron.ports import Codec, Telemetry
from hadron.topics import Topic

POISON_LIMIT = 100
# topic, partition, offset, value, message; plain, because one is made for each record.
Fresh = tuple[str, int, int, bytes, Any]
Write = Callable[[Any, int, int, bytes], Any]  # of a fact, its place and its bytes


class Intake:
    """Reads each record once: those before a partition's position are skipped."""

    def __init__(
        self,
        topics: Mapping[str, Topic],
        *,
        codec: Codec,
        telemetry: Telemetry,
    ) -> None:
        self._codec = codec
        self._telemetry = telemetry
        self._leaves = Leaves(codec.fingerprint)
        self._poison_run = 0
        self._compacted = {name for name, topic in topics.items() if topic.compacted}
        self._writers = {name: self._of_topic(name, topic) for name, topic in topics.items()}

    def take(self, messages: Sequence[Any], batch: Batch, positions: dict[Partition, int]) -> None:
        """Add messages to a batch and move the positions.

        Raise PoisonLimitReached at the hundredth unreadable record in a row.
        """
        fresh = _fresh(messages, batch, positions)
        writers = self._writers
        leaves, leaf = batch.leaves, self._leaves.record
        facts = self._facts([one[3] for one in fresh])
        for (topic, partition, offset, value, message), fact in zip(fresh, facts, strict=True):
            writer = writers[topic].get(type(fact))
            if writer is None:
                self._refuse(message, fact, batch)
                continue
            self._poison_run = 0
            layout, write = writer
            rows = batch.of(layout)
            rows.rows.append(write(fact, partition, offset, value))
            rows.messages.append(message)
            leaves[topic, partition][offset] = leaf(topic, partition, offset, value)
        batch.size += len(messages)
        for topic, count in Counter(one[0] for one in fresh).items():
            self._telemetry.count(metrics.RECORDS_IN, count, process="archive", topic=topic)

    def _facts(self, values: Sequence[bytes]) -> list[Any]:
        """The fact, or the error, of each value; those of one schema in one call."""
        by_head: dict[bytes, list[int]] = {}
        for place, value in enumerate(values):
            by_head.setdefault(value[:5], []).append(place)
        facts: list[Any] = [None] * len(values)
        for places in by_head.values():
            for place, fact in zip(
                places, self._alike([values[place] for place in places]), strict=True
            ):
                facts[place] = fact
        return facts

    def _alike(self, values: Sequence[bytes]) -> list[Any]:
        try:
            return self._codec.decode_many(values)
        except ContractError:
            return [self._fact_or_error(value) for value in values]

    def _fact_or_error(self, value: bytes) -> Any:
        try:
            return self._codec.decode(value)
        except ContractError as error:
            return error

    def _refuse(self, message: Any, fact: Any, batch: Batch) -> None:
        if message.value() is None and message.topic() in self._compacted:
            place = (message.topic(), message.partition())
            batch.leaves[place][message.offset()] = tombstone(*place, message.offset())
            return
        self._poison_run += 1
        if self._poison_run >= POISON_LIMIT:
            raise PoisonLimitReached(
                f"{self._poison_run} records in a row cannot be read, the last is"
                f" {message.topic()}/{message.partition()}/{message.offset()}:"
                f" {_sentence(fact, message)}"
            )
        self._telemetry.count(metrics.POISONED, process="archive")
        batch.bury(message, _sentence(fact, message), self._codec)

    def _of_topic(self, name: str, topic: Topic) -> Mapping[type[Any], tuple[Layout, Write]]:
        hot: dict[type[Any], Write] = {}
        if TradePrinted in topic.facts:
            hot = dict(TickRows(name, self._codec).writers)
        elif RawReceived in topic.facts:
            hot = dict(RawRows(name, self._codec).writers)
        return {kind: (LAYOUTS[kind], hot.get(kind) or self._plain(name)) for kind in topic.facts}

    def _plain(self, topic: str) -> Write:
        def write(fact: Any, partition: int, offset: int, value: bytes) -> tuple[Any, ...]:
            return row(fact, Place(topic, partition, offset), value, self._codec)

        return write


def _fresh(messages: Sequence[Any], batch: Batch, positions: dict[Partition, int]) -> list[Fresh]:
    """The messages that are ours and were not read before; the positions move behind them."""
    fresh: list[Fresh] = []
    expected = batch.expected
    for message in messages:
        topic, partition, offset = message.topic(), message.partition(), message.offset()
        place = (topic, partition)
        position = positions.get(place)
        if position is None or offset < position:
            continue
        if place not in expected:
            expected[place] = position
        positions[place] = offset + 1
        fresh.append((topic, partition, offset, message.value() or b"", message))
    return fresh


def _sentence(fact: Any, message: Any) -> str:
    if message.value() is None:
        return "no value: a tombstone on a topic that is not compacted"
    if isinstance(fact, ContractError):
        return str(fact)
    return f"{type(fact).__name__} does not belong on {message.topic()}"
