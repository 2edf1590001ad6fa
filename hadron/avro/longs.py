"""Many longs at once.

Avro's long and protobuf's sint64 are the same bytes: zigzag, seven bits a byte (Avro specification,
"Binary Encoding"; Protocol Buffers, "Encoding"). So protobuf, which is C throughout, reads a run of
them in a sixth of the time of fastavro, which asks a file object for each byte, and writes it in a
third.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

from hadron.errors import ContractError

# Of a number all bytes but the last are above 127.
LAST = 127
MORE = bytes(range(128, 256))
MOST_SHOWN = 1_000  # bytes that an error keeps


def longs(body: bytes, count: int) -> list[int]:
    """So many longs, one after the other. Raise ContractError if the bytes are not just these."""
    message, undecodable = _message()
    try:
        items: list[int] = list(message.FromString(_TAG + varint(len(body)) + body).items)
    except undecodable as error:
        raise ContractError("a number has no end", record=body[:MOST_SHOWN]) from error
    if len(items) != count:
        raise ContractError("records run into each other", record=body[:MOST_SHOWN])
    return items


def groups(values: Iterable[int], width: int) -> list[bytes]:
    """Longs as Avro writes them, `width` of them together.

    Raise ValueError for one that does not fit 64 bits, TypeError for what is no whole number.
    """
    message, _ = _message()
    run: bytes = message(items=values).SerializeToString()
    length = together(1).match(run, len(_TAG))  # none where there are no values
    return together(width).findall(run, length.end()) if length else []


def varint(number: int) -> bytes:
    """A number from 0 up, seven bits a byte, the lowest first."""
    left, out = number, bytearray()
    while left > 127:
        out.append(left & 127 | 128)
        left >>= 7
    out.append(left)
    return bytes(out)


@cache
def together(count: int) -> re.Pattern[bytes]:
    """Matches so many longs."""
    return re.compile(rb"(?:[\x80-\xff]*[\x00-\x7f]){%d}" % count)


@cache
def _message() -> tuple[Any, type[Exception]]:
    """A run of longs as protobuf's message, and what it raises for bytes that are none."""
    # Not at the top: who reads single records need not wait for protobuf.
    from google.protobuf import (  # type: ignore[import-untyped]
        descriptor_pb2,
        descriptor_pool,
        message_factory,
    )
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    file = descriptor_pb2.FileDescriptorProto(name="longs", package="hadron", syntax="proto3")
    field = descriptor_pb2.FieldDescriptorProto
    file.message_type.add(name="Longs").field.add(
        name="items", number=1, label=field.LABEL_REPEATED, type=field.TYPE_SINT64
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("hadron.Longs")), DecodeError


_TAG = b"\x0a"  # field 1, a run of bytes
