"""Raw events as rows of `raw_events` and back: as many as ticks, so written as COPY's own bytes."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

from connectors.timescale.binary import EPOCH_US, Fields, field, sized, text
from connectors.timescale.kept import kept, marked
from connectors.timescale.layout import Layout
from hadron.errors import ContractError
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
    """Writes the rows of one partition. What its columns cannot give back is kept whole."""

    def __init__(self, topic: str, partition: int, codec: Codec) -> None:
        self._topic, self._partition = text(topic), partition
        self._codec = codec
        self._kept = field(marked(codec.newest(RawReceived)))
        self._texts: Fields[str] = Fields(text)

    def rows(self, offsets: Sequence[int], values: Sequence[bytes]) -> list[bytes]:
        """The rows of raw events at these offsets. Raise ContractError if any is none."""
        facts = self._codec.decode_many(values)
        if not all(type(fact) is RawReceived for fact in facts):
            raise ContractError("not only raw events")
        return list(map(self._row, facts, offsets, values, self._codec.encode_many(facts)))

    def row(self, fact: RawReceived, offset: int, value: bytes) -> bytes:
        """The row of a raw event that lies at `offset` as `value`."""
        return self._row(fact, offset, value, self._codec.encode(fact))

    def _row(self, fact: RawReceived, offset: int, value: bytes, written: bytes) -> bytes:
        """`written` is what we would write of the fact today."""
        texts = self._texts
        return b"".join(
            (
                _integers(fact, self._partition, offset),
                self._topic,
                texts[fact.venue],
                texts[fact.symbol],
                texts[fact.instrument],
                sized(fact.payload),
                self._kept if written == value else field(kept(fact, value, self._codec)),
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
    """The fact that a row of `raw_events` stands for."""
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
