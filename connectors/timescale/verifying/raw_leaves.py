"""Leaves of raw events, many at once, as `tick_leaves` has those of ticks."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from hashlib import sha256

import numpy as np

from connectors.timescale import raw
from connectors.timescale.binary import EPOCH_US, fields_of
from connectors.timescale.connection import Connection
from connectors.timescale.kept import version_of
from connectors.timescale.verifying import bulk
from connectors.timescale.verifying.longs import longs_of_rows
from connectors.timescale.verifying.rereading import Range
from hadron.audit.leaves import Leaves
from hadron.audit.verification import Slice
from hadron.envelope import HEAD
from hadron.errors import ContractError
from hadron.market.facts import RawReceived
from hadron.ports import Codec

COLUMNS = (
    *("at", "seen_ns", "log_offset", "frame", "frame_index"),
    *("payload", "record", "connection", "venue", "symbol", "instrument"),
)
_INTEGERS = struct.Struct(">2x" + "4xq" * 4 + "4xi")
_PAYLOAD = _INTEGERS.size + 4
_LONGS = 4  # frame, index, seen_ns and the size of the payload

Run = tuple[bytes, bytes]


class RawLeaves:
    """Reads the rows of `raw_events` of one partition."""

    def __init__(self, place: tuple[str, int], codec: Codec, leaves: Leaves) -> None:
        self._place, self._codec, self._leaves = place, codec, leaves
        self._runs: dict[bytes, Run] = {}

    def slices(self, connection: Connection, aside: Connection, asked: Range) -> Iterator[Slice]:
        """The leaves of rows in order; `aside` is asked for those that are not plain."""
        for rows in bulk.rows(connection, raw.TABLE, COLUMNS, asked):
            yield self._slice(rows, aside)

    def _slice(self, rows: Sequence[bytes], aside: Connection) -> Slice:
        offsets: list[int] = [0] * len(rows)
        found: list[bytes] = [b""] * len(rows)
        plain: list[tuple[int, int, Run, bytes]] = []
        longs: list[int] = []
        for index, row in enumerate(rows):
            at, seen_ns, offset, frame, place = _INTEGERS.unpack_from(row)
            offsets[index] = offset
            end = _PAYLOAD + int.from_bytes(row[_PAYLOAD - 4 : _PAYLOAD], signed=True)
            payload, key = row[_PAYLOAD:end], row[end:]
            run = self._runs.get(key) or self._begin(key)
            if run is None or at != seen_ns // 1000 - EPOCH_US or end < _PAYLOAD:
                continue
            plain.append((index, offset, run, payload))
            longs += (frame, place, seen_ns, len(payload))
        middles = longs_of_rows(np.array(longs, np.int64).reshape(-1, _LONGS))
        for (index, offset, (begun, first), payload), middle in zip(plain, middles, strict=True):
            whole = b"".join((begun, offset.to_bytes(8), first, middle, payload))
            found[index] = sha256(whole).digest()
        return offsets, bulk.completed(
            aside,
            raw.TABLE,
            self._place,
            offsets,
            found,
            codec=self._codec,
            leaves=self._leaves,
        )

    def _begin(self, key: bytes) -> Run | None:
        """What all rows have in common that end like this; None if our codec is to judge them."""
        run = self._begun(key)
        if run is not None:  # a record that is kept whole is in its key, and comes but once
            self._runs[key] = run
        return run

    def _begun(self, key: bytes) -> Run | None:
        try:
            record, *cells = fields_of(key, 0)
            connection, *texts = [cell for cell in cells if cell is not None]
            venue, symbol, instrument = (text.decode() for text in texts)
            version, [number] = version_of(record), struct.unpack(">q", connection)
            if version is None:
                return None
            first, second = (
                self._codec.encode_as(
                    RawReceived(venue, symbol, instrument, number, n, n, n, payload), version
                )
                for n, payload in ((0, b""), (-1, b"x"))
            )
        except (ValueError, struct.error, ContractError):
            return None
        if first[:-_LONGS] != second[: -_LONGS - 1] or first[-_LONGS:] != bytes(_LONGS):
            return None  # the contract has its longs elsewhere than we think
        return self._leaves.begun(*self._place, first[:HEAD]), first[HEAD:-_LONGS]
