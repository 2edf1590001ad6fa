"""Rows and offsets that one transaction writes together."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from connectors.timescale.layout import Layout, Place
from connectors.timescale.tables import LAYOUTS, row
from hadron.audit import names
from hadron.audit.facts import ChainHead, RecordPoisoned
from hadron.audit.leaves import Leaves
from hadron.audit.letters import dead_letter
from hadron.ports import Codec

Partition = tuple[str, int]


class Rows:
    """Rows of one layout, and the Kafka messages that they came from."""

    def __init__(self) -> None:
        self.rows: list[Any] = []
        self.messages: list[Any] = []


class Batch:
    """What waits for its transaction."""

    def __init__(self) -> None:
        self.tables: dict[Layout, Rows] = {}
        self.expected: dict[Partition, int] = {}  # where each partition stands before it
        self.next: dict[Partition, int] = {}  # and after it
        # The leaf of every record by its offset, in their order, and what the chains came to.
        self.leaves: dict[Partition, dict[int, bytes]] = defaultdict(dict)
        self.heads: dict[Partition, ChainHead] = {}
        self.size = 0  # messages taken

    def of(self, layout: Layout) -> Rows:
        """The rows of a layout, to append to."""
        rows = self.tables.get(layout)
        if rows is None:
            rows = self.tables[layout] = Rows()
        return rows

    def bury(self, message: Any, error: str, codec: Codec) -> None:
        """Make a record that has no row of its own a dead letter with all of its bytes."""
        place = Place(message.topic(), message.partition(), message.offset())
        value = message.value()
        letter = dead_letter(
            names.Place(*place),
            error.replace("\0", "\\0"),
            process="archive",
            seen_ns=message.timestamp()[1] * 1_000_000,
            key=message.key(),
            value=value or b"",
        )
        written = codec.encode(letter)
        leaf = Leaves(codec.fingerprint).letter(*place, written)
        self.leaves[place.topic, place.partition][place.offset] = leaf
        rows = self.of(LAYOUTS[RecordPoisoned])
        rows.rows.append(row(letter, place, written, codec))
        rows.messages.append(message)
