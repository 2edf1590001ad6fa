"""Rows and offsets that one transaction writes together."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from connectors.timescale.rows import Place, row
from hadron.audit.facts import ChainHead, RecordPoisoned
from hadron.audit.leaves import Leaves
from hadron.ports import Codec

Partition = tuple[str, int]


class Rows:
    """Rows with the same columns, and the Kafka messages that they came from."""

    def __init__(self) -> None:
        self.rows: list[Any] = []
        self.messages: list[Any] = []


class Batch:
    """`tables` by kind of fact; ticks of both kinds are under `bytes`, ready for COPY."""

    def __init__(self) -> None:
        self.tables: dict[type[Any], Rows] = {}
        self.expected: dict[Partition, int] = {}  # where each partition stands before it
        self.next: dict[Partition, int] = {}  # and after it
        # The leaf of every record by its offset, in their order, and what the chains came to.
        self.leaves: dict[Partition, dict[int, bytes]] = defaultdict(dict)
        self.heads: dict[Partition, ChainHead] = {}
        self.size = 0  # messages taken

    def of(self, kind: type[Any]) -> Rows:
        """The rows of a kind, to append to."""
        rows = self.tables.get(kind)
        if rows is None:
            rows = self.tables[kind] = Rows()
        return rows

    def bury(self, message: Any, error: str, codec: Codec) -> None:
        """Make a record that has no row of its own a dead letter with all of its bytes."""
        place = Place(message.topic(), message.partition(), message.offset())
        value = message.value()
        letter = RecordPoisoned(
            source=place.topic,
            partition=place.partition,
            offset=place.offset,
            index=0,
            process="archive",
            error=error.replace("\0", "\\0"),
            seen_ns=message.timestamp()[1] * 1_000_000,
            key=message.key(),
            value=value or b"",
        )
        written = codec.encode(letter)
        leaf = Leaves(codec.fingerprint).letter(*place, written)
        self.leaves[place.topic, place.partition][place.offset] = leaf
        rows = self.of(RecordPoisoned)
        rows.rows.append(row(letter, place, written, codec))
        rows.messages.append(message)
