"""Fields of PostgreSQL's binary COPY format (documentation of COPY, "Binary Format")."""

from __future__ import annotations

import struct
from collections.abc import Callable, Hashable
from decimal import Decimal
from typing import Any, Generic, TypeVar

from psycopg import adapters
from psycopg.adapt import PyFormat

from connectors.timescale.exact import fits
from hadron.values import number

HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TAIL = b"\xff\xff"
NULL = b"\xff\xff\xff\xff"
# TIMESTAMPTZ counts microseconds from 2000-01-01.
EPOCH_US = 946_684_800_000_000
_INTEGER_OID = 23

K = TypeVar("K", bound=Hashable)


class Fields(dict[K, bytes], Generic[K]):
    """Fields that were written before, by value: few instruments, prices and sizes come again."""

    def __init__(self, write: Callable[[K], bytes], *, capacity: int = 200_000) -> None:
        super().__init__()
        self._write = write
        self._capacity = capacity

    def __missing__(self, value: K) -> bytes:
        if len(self) >= self._capacity:
            self.clear()
        field = self[value] = self._write(value)
        return field


def sized(data: bytes) -> bytes:
    """A field of raw bytes."""
    return struct.pack(">i", len(data)) + data


def field(data: bytes | None) -> bytes:
    """A field of raw bytes, or NULL."""
    return NULL if data is None else sized(data)


def text(value: str) -> bytes:
    """A text field."""
    return sized(value.encode())


def integer(value: int) -> bytes:
    """An integer field of four bytes."""
    return struct.pack(">ii", 4, value)


def integers(values: tuple[int, ...]) -> bytes:
    """An integer[] field of one dimension."""
    head = struct.pack(">iii", 1 if values else 0, 0, _INTEGER_OID)
    if not values:
        return sized(head)
    items = b"".join(struct.pack(">ii", 4, value) for value in values)
    return sized(head + struct.pack(">ii", len(values), 1) + items)


def price(parts: tuple[int, int]) -> bytes:
    """A NUMERIC(20,8) field of (mantissa, scale); NULL if it would have to be rounded."""
    mantissa, scale = parts
    if not -18 <= scale <= 30:  # a long has 19 digits: what is beyond cannot fit
        return NULL
    value = number(mantissa, scale)
    return sized(_numeric(value)) if fits(value) else NULL


def _numeric(value: Decimal) -> bytes:
    dumper: Any = adapters.get_dumper(Decimal, PyFormat.BINARY)
    return bytes(dumper(Decimal).dump(value))


def fields_of(row: bytes, at: int) -> list[bytes | None]:
    """What the fields of a row hold from byte `at` on. Raise ValueError where they are broken."""
    found: list[bytes | None] = []
    while at < len(row):
        size = int.from_bytes(row[at : at + 4], signed=True)
        at += 4
        if size < -1 or at + size > len(row):
            raise ValueError("no field of so many bytes")
        found.append(None if size < 0 else row[at : at + size])
        at += max(size, 0)
    return found


def integers_of(field: bytes) -> tuple[int, ...]:
    """The items of an integer[] of one dimension. Raise ValueError for another one."""
    if len(field) == 12:
        return ()
    if len(field) < 20:
        raise ValueError("no list of integers")
    dimensions, nulls, _, count, lower = struct.unpack(">iiiii", field[:20])
    if (dimensions, nulls, lower, 20 + 8 * count) != (1, 0, 1, len(field)):
        raise ValueError("no list of integers that starts at 1")
    return struct.unpack(">" + "4xi" * count, field[20:])
