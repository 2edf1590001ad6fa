"""Tells the run of repeated fields that a record begins with from the rest of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from hadron.avro.shape import MOST_RUNS
from hadron.errors import ContractError

T = TypeVar("T")

BEGINNING = 16  # bytes of a run by which its length is guessed


class Runs(Generic[T]):
    """Knows the runs that it has met by their bytes.

    Avro is self-delimiting: a record begins with one run at most. How long that is, its first bytes
    tell, or leave few to try: names of contracts on one event begin alike, but differ little in
    length.
    """

    def __init__(self, learn: Callable[[bytes], tuple[bytes, T]], *, head: int = 0) -> None:
        """`learn` is given a record whose run is new, and returns that and what is made of it.

        All records have `head` bytes before the run, which count to it.
        """
        self._learn = learn
        self._beginning = head + BEGINNING
        self._lengths: dict[bytes, list[int]] = {}
        self._known: dict[bytes, T] = {}

    def split(self, records: Sequence[bytes]) -> tuple[list[T], list[bytes]]:
        """What was made of each record's run, and what is behind it.

        Raise ContractError where another encoder wrote a run.
        """
        known, lengths, beginning = self._known, self._lengths, self._beginning
        made: list[T] = []
        rests: list[bytes] = []
        for record in records:
            for length in lengths.get(record[:beginning], ()):
                thing = known.get(record[:length])
                if thing is not None:
                    break
            else:
                length, thing = self._learned(record)
            made.append(thing)
            rests.append(record[length:])
        return made, rests

    def _learned(self, record: bytes) -> tuple[int, T]:
        run, thing = self._learn(record)
        if not record.startswith(run):
            raise ContractError("its first fields are not written as we write them", record=record)
        if len(self._known) >= MOST_RUNS:
            self._known.clear()
            self._lengths.clear()
        self._known[run] = thing
        lengths = self._lengths.setdefault(record[: self._beginning], [])
        if len(run) not in lengths:
            lengths.append(len(run))
        return len(run), thing
