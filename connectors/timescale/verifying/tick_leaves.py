"""Leaves of ticks, many at once: rows as COPY's own bytes, longs as Avro, then one hash each.

A row that is not of the plain kind (kept whole, or not as the archive writes rows) is left to
`expectation.leaf_of`, which takes ten times as long.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any

from connectors.timescale import ticks
from connectors.timescale.binary import EPOCH_US, NULL, numeric_of, texts_of
from connectors.timescale.connection import Connection
from connectors.timescale.kept import FIRST
from connectors.timescale.verifying import bulk
from connectors.timescale.verifying.rereading import Range
from hadron.audit.leaves import Leaves
from hadron.audit.verification import Slice
from hadron.avro import longs_of_many
from hadron.envelope import HEAD as AVRO_HEAD
from hadron.errors import ContractError
from hadron.market.facts import QuoteChanged, TradePrinted
from hadron.ports import Codec

_FIXED = ("at", "at_ns", "seen_ns", "log_offset", "raw_offset", "sequence")
_SMALL = ("raw_partition", "price_scale", "size_scale")
_CELLS = ("record", "price", "size", "conditions", "bid", "ask", "bid_size", "ask_size")
_TEXTS = ("kind", "instrument", "venue", "quality", "lane", "reason")
COLUMNS = (*_FIXED, *_SMALL, *_CELLS, *_TEXTS)
_INTEGERS = struct.Struct(">2x" + "4xq" * 6)
_SCALES = slice(_INTEGERS.size, _INTEGERS.size + 24)  # the cells of _SMALL, as they are
_QUOTE = NULL * 4  # of _CELLS, where it has no record
_LONGS = 4  # before the numbers, in every contract of a tick

Run = tuple[bytes, bytes]  # what is hashed before the offset, and after it before the longs


class TickLeaves:
    """Reads the rows of `ticks` of one partition."""

    def __init__(self, place: tuple[str, int], codec: Codec, leaves: Leaves) -> None:
        self._place, self._codec, self._leaves = place, codec, leaves
        self._runs: dict[bytes, Run | None] = {}
        self._numbers = _ByScales()

    def slices(self, connection: Connection, aside: Connection, asked: Range) -> Iterator[Slice]:
        """The leaves of rows in order; `aside` is asked for those that are not plain."""
        for rows in bulk.rows(connection, ticks.TABLE, COLUMNS, asked):
            yield self._slice(rows, aside)

    def _slice(self, rows: Sequence[bytes], aside: Connection) -> Slice:
        offsets: list[int] = [0] * len(rows)
        found: list[bytes] = [b""] * len(rows)
        plain: list[tuple[int, Run, tuple[bytes, ...]]] = []
        longs: list[int] = []
        runs, unpack = self._runs, _INTEGERS.unpack_from
        for index, row in enumerate(rows):
            at, at_ns, seen_ns, offset, raw_offset, sequence = unpack(row)
            offsets[index] = offset
            trade = not row.startswith(_QUOTE, _SCALES.stop)
            try:
                key, numbers = self._trade(row) if trade else self._quote(row)
            except ValueError:
                continue
            run = runs[key] if key in runs else self._begin(key, trade)
            if run is None or at != at_ns // 1000 - EPOCH_US:
                continue
            plain.append((index, run, numbers))
            longs += (raw_offset, at_ns, seen_ns, sequence)
        middles = longs_of_many(longs, _LONGS) if longs else ()
        for (index, (begun, first), numbers), middle in zip(plain, middles, strict=True):
            place = offsets[index].to_bytes(8)
            found[index] = sha256(b"".join((begun, place, first, middle, *numbers))).digest()
        return offsets, bulk.completed(
            aside,
            ticks.TABLE,
            self._place,
            offsets,
            found,
            codec=self._codec,
            leaves=self._leaves,
        )

    def _quote(self, row: bytes) -> tuple[bytes, tuple[bytes, ...]]:
        scales = row[_SCALES]
        prices, sizes = self._numbers[scales]
        at = _SCALES.stop + 16
        to = at + 4 + row[at + 3]
        bid = prices[row[at:to]]
        at, to = to, to + 4 + row[to + 3]
        ask = prices[row[at:to]]
        at, to = to, to + 4 + row[to + 3]
        bid_size = sizes[row[at:to]]
        at, to = to, to + 4 + row[to + 3]
        return scales + row[to:], (bid, ask, bid_size, sizes[row[at:to]])

    def _trade(self, row: bytes) -> tuple[bytes, tuple[bytes, ...]]:
        scales = row[_SCALES]
        prices, sizes = self._numbers[scales]
        at = _SCALES.stop + 4
        if row[at - 4 : at] != NULL:
            raise ValueError("kept whole")
        to = at + 4 + row[at + 3]
        price = prices[row[at:to]]
        at, to = to, to + 4 + row[to + 3]
        return scales + row[to:], (price, sizes[row[at:to]])

    def _begin(self, key: bytes, trade: bool) -> Run | None:
        """What all rows have in common that end like this; None if our codec is to judge them."""
        run = self._runs[key] = self._begun(key, trade)
        return run

    def _begun(self, key: bytes, trade: bool) -> Run | None:
        small = struct.unpack(">4xi4xi4xi", key[:24])
        try:
            conditions, *texts = texts_of(key[24:], conditions=trade, nulls=4 if trade else 0)
            if texts.pop(0) != ("trade" if trade else "quote"):
                return None
            fields = dict(zip(_SMALL + _TEXTS[1:], [*small, *texts], strict=True))
            first, second = (self._encoded(fields, conditions, trade, long) for long in (0, -1))
        except (ValueError, ContractError):
            return None
        width = 6 if trade else 8
        if first[:-width] != second[:-width] or first[-width:] != bytes(width):
            return None  # the contract has its longs elsewhere than we think
        begun = self._leaves.begun(*self._place, first[:AVRO_HEAD])
        return begun, first[AVRO_HEAD:-width]

    def _encoded(self, fields: dict[str, Any], conditions: Any, trade: bool, long: int) -> bytes:
        numbers = ("price", "size") if trade else ("bid", "ask", "bid_size", "ask_size")
        longs = ("raw_offset", "at_ns", "seen_ns", "sequence", *numbers)
        whole: dict[str, Any] = fields | dict.fromkeys(longs, long)
        if trade:
            return self._codec.encode_as(TradePrinted(**whole, conditions=conditions), FIRST)
        return self._codec.encode_as(QuoteChanged(**whole), FIRST)


class _Numbers(dict[bytes, bytes]):
    """Longs as Avro has them, by the cells of NUMERICs of one scale.

    Raise ValueError for what would have to be rounded.
    """

    def __init__(self, scale: int) -> None:
        super().__init__()
        self._scale = scale

    def __missing__(self, cell: bytes) -> bytes:
        if len(self) > 200_000:
            self.clear()
        value = numeric_of(cell).scaleb(self._scale)
        if value != int(value) or not -(2**63) <= value < 2**63:
            raise ValueError("not a whole number of units, or of too many")
        [self[cell]] = longs_of_many([int(value)], 1)
        return self[cell]


class _ByScales(dict[bytes, tuple[_Numbers, _Numbers]]):
    """Prices and sizes of two scales, by the cells of _SMALL. Raise ValueError for odd scales."""

    def __missing__(self, scales: bytes) -> tuple[_Numbers, _Numbers]:
        _, price, size = struct.unpack(">4xi4xi4xi", scales)
        if not (0 <= price < 128 and 0 <= size < 128):
            raise ValueError("scales that only our codec is to judge")
        pair = self[scales] = _Numbers(price), _Numbers(size)
        return pair
