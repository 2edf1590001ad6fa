"""Leaves of ticks, many at once: rows as COPY's own bytes, numbers by columns, one hash each.

A row that is not of the plain kind (kept whole, or not as the archive writes rows) is left to
`expectation.leaf_of`, which takes ten times as long.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

import numpy as np

from connectors.timescale import ticks
from connectors.timescale.binary import EPOCH_US, fields_of, integers_of
from connectors.timescale.connection import Connection
from connectors.timescale.kept import version_of
from connectors.timescale.verifying import bulk, numerics
from connectors.timescale.verifying.longs import Longs, longs_of_rows
from connectors.timescale.verifying.rereading import Range
from hadron.audit.leaves import Leaves
from hadron.audit.verification import Slice
from hadron.avro.shape import MOST_RUNS
from hadron.envelope import HEAD
from hadron.errors import ContractError
from hadron.market.facts import QuoteChanged, TradePrinted
from hadron.ports import Codec

_LONGS = ("log_offset", "at", "raw_offset", "at_ns", "seen_ns", "sequence")
_SMALL = ("raw_partition", "price_scale", "size_scale")
_PRICES, _QUOTED = ("price", "size"), ("bid", "ask", "bid_size", "ask_size")
_TEXTS = ("kind", "instrument", "venue", "quality", "lane", "reason")
COLUMNS = (*_LONGS, *_SMALL, *_PRICES, *_QUOTED, "record", "conditions", *_TEXTS)
# Each after its size.
_OWN = np.dtype([("longs", [("size", ">i4"), ("is", ">i8")], 6), ("small", ">i4", (3, 2))])
_BEGIN = 2  # of the cells, behind their count
_NUMBERS = _BEGIN + _OWN.itemsize
_SMALLS = slice(_NUMBERS - 24, _NUMBERS)

Run = tuple[bytes, bytes]  # what is hashed before the offset, and after it before the longs


class _Numbers(NamedTuple):
    """The numbers of some rows of one kind, and where what follows them begins."""

    rows: Longs
    columns: list[Longs]
    ends: list[int]


class TickLeaves:
    """Reads the rows of `ticks` of one partition."""

    def __init__(self, place: tuple[str, int], codec: Codec, leaves: Leaves) -> None:
        self._place, self._codec, self._leaves = place, codec, leaves
        self._runs: dict[bytes, Run] = {}

    def slices(self, connection: Connection, aside: Connection, asked: Range) -> Iterator[Slice]:
        """The leaves of rows in order; `aside` is asked for those that are not plain."""
        for rows in bulk.rows(connection, ticks.TABLE, COLUMNS, asked):
            yield self._slice(rows, aside)

    def _slice(self, rows: Sequence[bytes], aside: Connection) -> Slice:
        own = np.frombuffer(b"".join([row[_BEGIN:_NUMBERS] for row in rows]), _OWN)
        longs = own["longs"]["is"].astype(np.int64)
        at_us, at_ns = longs[:, 1], longs[:, 3]
        sound = (at_us == at_ns // 1000 - EPOCH_US) & (own["longs"]["size"] == 8).all(axis=1)
        found = [b""] * len(rows)
        cells = numerics.cells(rows, _NUMBERS, len(_PRICES) + len(_QUOTED))
        quoted = numerics.is_null(cells)
        for trade, chosen in ((True, sound & ~quoted), (False, sound & quoted)):
            numbers = _numbers(cells, own["small"][:, 1:, 1], np.flatnonzero(chosen), trade)
            self._fill(found, rows, longs, numbers, trade)
        offsets: list[int] = longs[:, 0].tolist()
        return offsets, bulk.completed(
            aside,
            ticks.TABLE,
            self._place,
            offsets,
            found,
            codec=self._codec,
            leaves=self._leaves,
        )

    def _fill(
        self,
        found: list[bytes],
        rows: Sequence[bytes],
        longs: Longs,
        numbers: _Numbers,
        trade: bool,
    ) -> None:
        """The leaves of plain trades, or quotes."""
        chosen: list[int] = numbers.rows.tolist()
        begin = _SMALLS.start
        keys = [
            (row := rows[index])[begin:_NUMBERS] + row[end:]
            for index, end in zip(chosen, numbers.ends, strict=True)
        ]
        runs = [self._runs.get(key) or self._begin(key, trade) for key in keys]
        offsets = longs[numbers.rows, 0].astype(">i8").view("V8").tolist()
        written = longs_of_rows(np.column_stack([longs[numbers.rows, 2:], *numbers.columns]))
        for index, run, offset, own in zip(chosen, runs, offsets, written, strict=True):
            if run is not None:
                found[index] = sha256(b"".join((run[0], offset, run[1], own))).digest()

    def _begin(self, key: bytes, trade: bool) -> Run | None:
        """What all rows have in common of this key; None if our codec is to judge them."""
        if len(self._runs) >= MOST_RUNS:
            self._runs.clear()
        run = self._begun(key, trade)
        if run is not None:  # a record that is kept whole is in its key, and comes but once
            self._runs[key] = run
        return run

    def _begun(self, key: bytes, trade: bool) -> Run | None:
        try:
            *small, record, conditions, kind, instrument, venue, quality, lane, reason = fields_of(
                key, 0
            )
            texts = map(_text, (instrument, venue, quality, lane, reason))
            version = version_of(record)
            if version is None or kind != (b"trade" if trade else b"quote"):
                return None
            if trade is (conditions is None):
                return None
            fields = dict(zip((*_SMALL, *_TEXTS[1:]), [*map(_integer, small), *texts], strict=True))
            if conditions is not None:
                fields["conditions"] = integers_of(conditions)
            first, second = (self._encoded(fields, trade, long, version) for long in (0, -1))
        except (ValueError, ContractError):
            return None
        width = 6 if trade else 8
        if first[:-width] != second[:-width] or first[-width:] != bytes(width):
            return None  # the contract has its longs elsewhere than we think
        return self._leaves.begun(*self._place, first[:HEAD]), first[HEAD:-width]

    def _encoded(self, fields: dict[str, Any], trade: bool, long: int, version: int) -> bytes:
        longs = (*_LONGS[2:], *(_PRICES if trade else _QUOTED))
        whole: dict[str, Any] = fields | dict.fromkeys(longs, long)
        fact = TradePrinted(**whole) if trade else QuoteChanged(**whole)
        return self._codec.encode_as(fact, version)


def _numbers(cells: numerics.Cells, scales: Any, chosen: Longs, trade: bool) -> _Numbers:
    price_scale, size_scale = scales[chosen].astype(np.int64).T
    starts, cells = cells.at[chosen], numerics.chosen(cells, chosen)
    if trade:
        price, cells = numerics.units(cells, price_scale)
        size, cells = numerics.units(cells, size_scale)
        columns, cells = [price, size], numerics.nulls(cells, len(_QUOTED))
    else:
        bid, cells = numerics.units(numerics.nulls(cells, len(_PRICES)), price_scale)
        ask, cells = numerics.units(cells, price_scale)
        bid_size, cells = numerics.units(cells, size_scale)
        ask_size, cells = numerics.units(cells, size_scale)
        columns = [bid, ask, bid_size, ask_size]
    good = cells.sound
    ends: list[int] = (_NUMBERS + 2 * (cells.at - starts))[good].tolist()
    return _Numbers(chosen[good], [column[good] for column in columns], ends)


def _integer(field: bytes | None) -> int:
    if field is None or len(field) != 4:
        raise ValueError("no integer of four bytes")
    return int.from_bytes(field, signed=True)


def _text(field: bytes | None) -> str:
    if field is None:
        raise ValueError("no text")
    return field.decode()
