"""How facts lie in a table: its columns, and what every row begins with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

from connectors.timescale.exact import microseconds

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# What a row of any table says of its record. Ticks and raw events have them in another order.
LOG: tuple[tuple[str, str], ...] = (
    ("at", "timestamptz"),
    ("log_topic", "text"),
    ("log_partition", "int4"),
    ("log_offset", "int8"),
)


class Place(NamedTuple):
    """Where a record lies on the log."""

    topic: str
    partition: int
    offset: int


class Column(NamedTuple):
    """A field of a fact and the column, or two, that it fills."""

    field: str
    name: str
    kind: Literal["plain", "price", "number", "json"]
    type: str


@dataclass(frozen=True, eq=False)
class Layout:
    """How facts lie in `table`, one row each, in cells of these names and types."""

    name: str
    table: str
    names: tuple[str, ...]
    types: tuple[str, ...]  # binary COPY writes wrong widths without; none: rows are COPY's bytes
    columns: tuple[Column, ...] = ()  # of the fact's fields, where they are derived


def time_of(at_ns: int) -> datetime:
    """The time as `at` has it, rounded down to microseconds."""
    return EPOCH + timedelta(microseconds=microseconds(at_ns))
