"""Raw events as rows of `raw_events` and back: as many as ticks, so written as COPY's own bytes."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any

from connectors.timescale.binary import EPOCH_US, NULL, Fields, sized, text
from connectors.timescale.layout import Layout
from hadron.market.facts import RawReceived
from hadron.ports import Codec

TABLE = "raw_events"
COLUMNS = (
    *("at", "seen_ns", "log_partition", "log_offset", "connection", "frame", "frame_index"),
    *("log_topic", "venue", "symbol", "instrument", "payload", "record"),
)
LAYOUT = Layout(TABLE, TABLE, COLUMNS, ())
# The number of fields, then each integer after its own length.
_INTEGERS = struct.Struct(">h" + "iq" * 2 + "ii" + "iq" * 3 + "ii")


class RawRows:
    """Writes the rows of one topic. A record whose columns cannot give it back is kept whole."""

    def __init__(self, topic: str, codec: Codec) -> None:
        self._topic = text(topic)
        self._texts: Fields[str] = Fields(text)
        # The head of the newest contract. Only such a record comes back from columns.
        self._head = codec.encode(_BLANK)[:5]
        self.writers: Mapping[type[Any], Callable[..., bytes]] = {RawReceived: self.raw}

    def raw(self, fact: RawReceived, partition: int, offset: int, value: bytes) -> bytes:
        """The row of a raw event that lies at (partition, offset) as `value`."""
        texts = self._texts
        return b"".join(
            (
                _integers(fact, partition, offset),
                self._topic,
                texts[fact.venue],
                texts[fact.symbol],
                texts[fact.instrument],
                sized(fact.payload),
                NULL if value[:5] == self._head else sized(value),
            )
        )


def _integers(fact: RawReceived, partition: int, offset: int) -> bytes:
    # Each after its length.
    seen_ns = fact.seen_ns
    return _INTEGERS.pack(
        len(COLUMNS),
        *(8, seen_ns // 1000 - EPOCH_US, 8, seen_ns),
        *(4, partition, 8, offset),
        *(8, fact.connection, 8, fact.frame, 4, fact.index),
    )


def raw(row: Mapping[str, Any]) -> RawReceived:
    """The fact that a row of `raw_events` without `record` stands for."""
    return RawReceived(
        venue=row["venue"],
        symbol=row["symbol"],
        instrument=row["instrument"],
        connection=row["connection"],
        frame=row["frame"],
        index=row["frame_index"],
        seen_ns=row["seen_ns"],
        payload=bytes(row["payload"]),
    )


_BLANK = RawReceived("", "", "", 0, 0, 0, 0, b"")
