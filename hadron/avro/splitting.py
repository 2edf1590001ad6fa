"""Splits records into what repeats and the numbers behind it, without making facts of them.

For readers of many records that only pass them on: it costs a third of decoding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from hadron.avro.longs import LAST, MORE, longs
from hadron.avro.runs import Runs
from hadron.avro.shape import Schema, are_longs, repeated_fields
from hadron.avro.writing import first_writer
from hadron.errors import ContractError

T = TypeVar("T")

# Bytes as their part in a number: more follows, zero, all else.
_PARTS = bytes([0, *[1] * 127, *[128] * 128])
_OVERLONG = b"\x80\0"  # a number that ends in seven bits of nothing
_TOO_LONG = b"\x80" * 9  # beyond 62 bits, where decoders differ


class Splitter(Generic[T]):
    """Splits records of contracts whose fields after the repeated ones are longs.

    `make` is called once for each new combination of repeated fields, with a fact that has it.
    """

    def __init__(
        self,
        contracts: Mapping[bytes, tuple[type[Any], Schema]],  # by the head of their records
        *,
        decode: Callable[[bytes], Any],
        make: Callable[[Any], T],
    ) -> None:
        self._decode, self._make = decode, make
        self._first: dict[bytes, Callable[[Any], bytes]] = {}
        self._widths: dict[bytes, int] = {}
        for head, (kind, schema) in contracts.items():
            repeated = len(repeated_fields(schema))
            fields = schema["fields"]
            if not repeated or not are_longs(fields[repeated:]):
                raise ContractError(f"{kind.__name__} is not repeated fields, then longs")
            self._first[head] = first_writer(kind, schema)
            self._widths[head] = len(fields) - repeated
        self._head = len(next(iter(contracts)))
        self._runs = Runs(self._learned, head=self._head)

    def __call__(self, values: Sequence[bytes]) -> tuple[list[T], list[int]]:
        """What was made for each record, and the longs of all of them in a row.

        Raise ContractError if a record is of another contract, or has other bytes than ours would.
        """
        runs, rests = self._runs.split(values)
        widths = [width for width, _ in runs]
        # By columns, which is cheaper; who wants to know which record it was decodes them.
        counts = [len(rest.translate(None, MORE)) for rest in rests]
        if counts != widths or max([rest[-1] for rest in rests], default=0) > LAST:
            raise ContractError("not as many numbers as its contract has", record=values[0])
        body = b"".join(rests)
        parts = body.translate(_PARTS)
        if _OVERLONG in parts or _TOO_LONG in parts:
            raise ContractError("a number is not written as we write it", record=values[0])
        return [made for _, made in runs], longs(body, sum(widths))

    def _learned(self, value: bytes) -> tuple[bytes, tuple[int, T]]:
        head = value[: self._head]
        write = self._first.get(head)
        if write is None:
            raise ContractError("of another contract", record=value)
        fact = self._decode(value)
        return head + write(fact), (self._widths[head], self._make(fact))
