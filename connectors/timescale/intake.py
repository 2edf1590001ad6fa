"""From Kafka messages to the rows of a batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from connectors.timescale.batch import Batch, Partition
from connectors.timescale.rows import Place, row
from connectors.timescale.ticks import TickRows, Write
from hadron import metrics
from hadron.errors import ContractError, PoisonLimitReached
from hadron.market.facts import QuoteChanged, TradePrinted
from hadron.ports import Codec, Telemetry
from hadron.topics import Topic

TICKS = (TradePrinted, QuoteChanged)
POISON_LIMIT = 100


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
        self._poison_run = 0
        self._compacted = {name for name, topic in topics.items() if topic.compacted}
        self._writers = {name: self._of_topic(name, topic) for name, topic in topics.items()}

    def take(self, messages: Sequence[Any], batch: Batch, positions: dict[Partition, int]) -> None:
        """Add messages to a batch and move the positions.

        Raise PoisonLimitReached at the hundredth unreadable record in a row.
        """
        decode, ticks = self._codec.decode, batch.of(bytes)
        expected, writers = batch.expected, self._writers
        for message in messages:
            topic, partition, offset = message.topic(), message.partition(), message.offset()
            place = (topic, partition)
            position = positions.get(place)
            if position is None or offset < position:
                continue  # no longer ours, or read before
            if place not in expected:
                expected[place] = position
            positions[place] = offset + 1
            value = message.value() or b""
            try:
                fact = decode(value)
                kind = type(fact)
                written = writers[topic][kind](fact, partition, offset, value)
            except (ContractError, KeyError) as error:
                self._refuse(message, error, batch)
                continue
            self._poison_run = 0
            rows = ticks if type(written) is bytes else batch.of(kind)
            rows.rows.append(written)
            rows.messages.append(message)
        batch.size += len(messages)
        for topic, count in Counter(message.topic() for message in messages).items():
            self._telemetry.count(metrics.RECORDS_IN, count, process="archive", topic=topic)

    def _refuse(self, message: Any, error: Exception, batch: Batch) -> None:
        if message.value() is None and message.topic() in self._compacted:
            return  # a tombstone
        self._poison_run += 1
        if self._poison_run >= POISON_LIMIT:
            raise PoisonLimitReached(
                f"{self._poison_run} records in a row cannot be read, the last is"
                f" {message.topic()}/{message.partition()}/{message.offset()}: {error}"
            )
        self._telemetry.count(metrics.POISONED, process="archive")
        batch.bury(message, _sentence(error, message), self._codec)

    def _of_topic(self, name: str, topic: Topic) -> Mapping[type[Any], Callable[..., Any]]:
        ticks: Mapping[type[Any], Write] = TickRows(name, self._codec).writers
        return {kind: ticks[kind] if kind in TICKS else self._plain(name) for kind in topic.facts}

    def _plain(self, topic: str) -> Callable[[Any, int, int, bytes], tuple[Any, ...]]:
        def write(fact: Any, partition: int, offset: int, value: bytes) -> tuple[Any, ...]:
            return row(fact, Place(topic, partition, offset), value, self._codec)

        return write


def _sentence(error: Exception, message: Any) -> str:
    if message.value() is None:
        return "no value: a tombstone on a topic that is not compacted"
    if isinstance(error, KeyError):
        return f"{error.args[0].__name__} does not belong on {message.topic()}"
    return str(error)
