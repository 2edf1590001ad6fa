"""Writers of single fields: the bytes that fastavro writes, without a walk through their schema.

What was written of texts and exact numbers is kept, for most of them come again and again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any

from fastavro import parse_schema
from fastavro._write import write_data  # type: ignore[attr-defined]

from hadron.avro.longs import varint
from hadron.values import exact

LONGS = parse_schema({"type": "array", "items": "long"})
MOST_KEPT = 16_384

Write = Callable[[Any], bytes]
# The place, or places, of a value among those of a record, and what writes it.
Segment = tuple[int | slice, Write]

_SIZES = [varint(2 * count) for count in range(64)]  # of most texts, as longs
_LONG = ("int", "long")
_NULL, _SECOND, _END = b"\0", b"\2", b"\0"  # branches of a union, and the end of a map
_MOST_LONGS = 62  # of a group: their count takes one byte


def segments(fields: Sequence[Any], names: dict[str, Any]) -> list[Segment]:
    """What writes the fields of a parsed schema, one after the other.

    Neighbouring longs are written together: a long costs as much as three of them.
    """
    found: list[Segment] = []
    kinds = [field["type"] for field in fields]
    for are_longs, group in groupby(range(len(kinds)), lambda place: kinds[place] in _LONG):
        places = list(group)
        if are_longs and 2 <= len(places) <= _MOST_LONGS:
            found.append((slice(places[0], places[-1] + 1), longs))
        else:
            found += [(place, writer_of(kinds[place], names)) for place in places]
    return found


def writer_of(kind: Any, names: dict[str, Any]) -> Write:
    """What writes values of a parsed type; `names` are the types that it may refer to."""
    match kind:
        case "string":
            return text
        case "bytes":
            return data
        case "hadron.Exact" | {"name": "hadron.Exact"}:
            return number
        case ["null", other]:
            return _optional(writer_of(other, names))
        case {"type": "map", "values": "string"}:
            return texts
    return _by_fastavro(kind, names)


@lru_cache(MOST_KEPT)
def text(value: str) -> bytes:
    """A string."""
    return data(value.encode())


def data(value: bytes) -> bytes:
    """Bytes."""
    return _size(len(value)) + value


def texts(value: Mapping[str, str]) -> bytes:
    """A map of strings, of which only the keys come again."""
    count = len(value)
    if not count:
        return _END
    parts = [_size(count)]
    for key, item in value.items():
        parts += (text(key), data(item.encode()))
    parts.append(_END)
    return b"".join(parts)


def _size(count: int) -> bytes:
    return _SIZES[count] if count < len(_SIZES) else varint(2 * count)


def longs(values: Sequence[int]) -> bytes:
    """Two to 62 longs, one after the other."""
    record = bytearray()
    write_data(record, values, LONGS, {}, "", {})
    return bytes(record[1:-1])  # an array is its count, its items, and a count of 0


def number(value: Any) -> bytes:
    """A Decimal, kept by its text: equal ones, such as 1.5 and 1.50, differ in their scale."""
    return _number(str(value))


@lru_cache(MOST_KEPT)
def _number(written: str) -> bytes:
    return longs(exact(written))


def _optional(write: Write) -> Write:
    def write_optional(value: Any) -> bytes:
        return _NULL if value is None else _SECOND + write(value)

    return write_optional


def _by_fastavro(kind: Any, names: dict[str, Any]) -> Write:
    def write(value: Any) -> bytes:
        record = bytearray()
        write_data(record, value, kind, names, "", {})
        return bytes(record)

    return write
