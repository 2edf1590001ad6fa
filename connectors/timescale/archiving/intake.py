"""From Kafka messages to the rows of a batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from connectors.timescale.archiving.batch import Batch, Partition
from connectors.timescale.layout import Place
from connectors.timescale.raw import RawRows
from connectors.timescale.tables import LAYOUTS, row
from connectors.timescale.ticks import Prices, TickRows
from hadron import metrics
from hadron.audit.leaves import Leaves, tombstone
from hadron.errors import ContractError, PoisonLimitReached
from hadron.market.facts import RawReceived, TradePrinted
from hadron.ports import Codec, Telemetry
from hadron.topics import Topic

POISON_LIMIT = 100


class Hot(Protocol):
    """Writes rows of one partition as COPY's own bytes, where there are many of them."""

    def rows(self, offsets: Sequence[int], values: Sequence[bytes]) -> list[bytes]: ...

    def row(self, fact: Any, offset: int, value: bytes) -> bytes: ...


class Taken(NamedTuple):
    """Records of one partition in their order, as columns, because one is made for each."""

    messages: list[Any]
    offsets: list[int]
    values: list[bytes]


class Intake:
    """Reads each record once: those before a partition's position are skipped."""

    def __init__(
        self,
        topics: Mapping[str, Topic],
        *,
        codec: Codec,
        telemetry: Telemetry,
    ) -> None:
        self._topics, self._codec, self._telemetry = topics, codec, telemetry
        self._leaves = Leaves(codec.fingerprint)
        self._poison_run = 0
        self._prices = Prices()
        self._hot: dict[Partition, Hot | None] = {}

    def take(self, messages: Sequence[Any], batch: Batch, positions: dict[Partition, int]) -> None:
        """Add messages to a batch and move the positions.

        Raise PoisonLimitReached at the hundredth unreadable record in a row.
        """
        counts: Counter[str] = Counter()
        for place, taken in _fresh(messages, batch, positions).items():
            counts[place[0]] += len(taken.messages)
            if not self._took_together(place, taken, batch):
                self._take_each(place, taken, batch)
        batch.size += len(messages)
        for topic, count in counts.items():
            self._telemetry.count(metrics.RECORDS_IN, count, process="archive", topic=topic)

    def _took_together(self, place: Partition, taken: Taken, batch: Batch) -> bool:
        hot = self._hot_of(place)
        if hot is None:
            return False
        messages, offsets, values = taken
        try:
            written = hot.rows(offsets, values)
        except ContractError:
            return False  # one of them is poison, or of an older contract
        self._poison_run = 0
        rows = batch.of(LAYOUTS[self._topics[place[0]].facts[0]])
        rows.rows += written
        rows.messages += messages
        leaves = self._leaves.records(*place, offsets, values)
        batch.leaves[place].update(zip(offsets, leaves, strict=True))
        return True

    def _take_each(self, place: Partition, taken: Taken, batch: Batch) -> None:
        topic, partition = place
        kinds, hot, codec = self._topics[topic].facts, self._hot_of(place), self._codec
        facts = self._facts(taken.values)
        for message, offset, value, fact in zip(*taken, facts, strict=True):
            if type(fact) not in kinds:
                self._refuse(message, fact, batch)
                continue
            self._poison_run = 0
            rows = batch.of(LAYOUTS[type(fact)])
            rows.rows.append(
                hot.row(fact, offset, value)
                if hot is not None
                else row(fact, Place(topic, partition, offset), value, codec)
            )
            rows.messages.append(message)
            leaf = self._leaves.record(topic, partition, offset, value)
            batch.leaves[place][offset] = leaf

    def _facts(self, values: Sequence[bytes]) -> list[Any]:
        """The fact, or the error, of each value."""
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
        if message.value() is None and self._topics[message.topic()].compacted:
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

    def _hot_of(self, place: Partition) -> Hot | None:
        if place in self._hot:
            return self._hot[place]
        facts = self._topics[place[0]].facts
        hot: Hot | None = None
        if TradePrinted in facts:
            hot = TickRows(*place, self._codec, self._prices)
        elif RawReceived in facts:
            hot = RawRows(*place, self._codec)
        self._hot[place] = hot
        return hot


def _fresh(
    messages: Sequence[Any], batch: Batch, positions: dict[Partition, int]
) -> dict[Partition, Taken]:
    """The messages that are ours and were not read before; the positions move behind them."""
    found: dict[Partition, Taken] = {}
    for message in messages:
        place, offset = (message.topic(), message.partition()), message.offset()
        position = positions.get(place)
        if position is None or offset < position:
            continue
        positions[place] = offset + 1
        taken = found.get(place)
        if taken is None:
            taken = found[place] = Taken([], [], [])
            batch.expected.setdefault(place, position)
        taken[0].append(message)
        taken[1].append(offset)
        taken[2].append(message.value() or b"")
    return found


def _sentence(fact: Any, message: Any) -> str:
    if message.value() is None:
        return "no value: a tombstone on a topic that is not compacted"
    if isinstance(fact, ContractError):
        return str(fact)
    return f"{type(fact).__name__} does not belong on {message.topic()}"
