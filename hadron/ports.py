"""What the platform needs from outside, named by role."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

import msgspec

from hadron.audit.facts import Severity
from hadron.audit.names import Name

Ends = Mapping[tuple[str, int], int]
T = TypeVar("T")
# Records to what was made of their repeated fields, and the longs of all of them in a row. It
# raises ContractError if one is of another contract, or has other bytes than we would write.
Split = Callable[[Sequence[bytes]], tuple[list[T], list[int]]]


class Record(msgspec.Struct, frozen=True, gc=False):
    """One record as it lies on the log."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()


class Codec(Protocol):
    """Turns facts into bytes of the wire format and back."""

    def encode(self, fact: Any) -> bytes:
        """Raise ContractError if the fact does not fit its contract."""

    def encode_many(self, facts: Sequence[Any]) -> list[bytes]:
        """Encode facts in order, cheaper than one by one; raise if any does not fit."""

    def decode(self, value: bytes) -> Any:
        """Raise ContractError if the bytes fit no known contract."""

    def name(self, value: bytes) -> Name:
        """The name of the derived fact that these bytes are, cheaper than to decode it.

        Of what follows its name nothing is read. Raise as `decode` does.
        """

    def decode_many(self, values: Sequence[bytes]) -> list[Any]:
        """Decode values in order, cheaper than one by one; raise if any cannot be."""

    def splitter(self, kinds: Iterable[type[Any]], make: Callable[[Any], T]) -> Split[T]:
        """What splits records of these kinds, whose fields after the repeated ones are longs.

        `make` is called with a fact for each new combination of the repeated fields.
        """

    def version(self, value: bytes) -> int | None:
        """Which version of its contract wrote these bytes, from 1; None where none of ours did.

        Raise ContractError if they name no known schema.
        """

    def newest(self, kind: type[Any]) -> int:
        """The version that `encode` writes."""

    def encode_as(self, fact: Any, version: int) -> bytes:
        """As this version writes it, which may lack fields; raise ContractError if it cannot."""

    def later_fields(self, kind: type[Any], version: int) -> Set[str]:
        """The fields that a version has not yet."""

    def fingerprint(self, value: bytes) -> bytes:
        """The fingerprint of the schema that wrote these bytes; raise ContractError if unknown."""


class Reading(Protocol):
    """The log for those who may not write to it."""

    def ends(self, partitions: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
        """The offset after the last record of each partition."""

    def starts(self, partitions: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
        """The offset of the first record that each partition still has."""

    def read(self, topic: str, partition: int, *, start: int, end: int) -> Iterable[Record]:
        """The records from `start` up to, not including, `end`; compacted ones are missing."""


class Appending(Reading, Protocol):
    """An append-only log of partitions. Appends keep their order within a partition."""

    def append(
        self,
        topic: str,
        partition: int,
        records: Sequence[tuple[str | bytes | None, bytes | None]],
        *,
        timestamp_ms: int = 0,
        headers: Sequence[tuple[str, bytes]] | None = None,
        delivered: Callable[[], None] | None = None,
        placed: Callable[[int], None] | None = None,
    ) -> None:
        """Append (key, value) pairs. `delivered` is called, never from here, once all are stored.

        So is `placed`, with the offset of the last of them. Raise TransientError if the log refuses
        them.
        """


class FactLog(Appending, Protocol):
    """A log for threads. `append` blocks while the local buffer is full."""

    def poll(self, wait_s: float = 0.0) -> None:
        """Serve delivery reports; if there is none, wait so long for one.

        Raise TransientError if an earlier append failed.
        """

    def flush(self, timeout_s: float = 30.0) -> None:
        """Return when all appended records are stored; else raise TransientError."""


class LoopLog(Appending, Protocol):
    """A log for one event loop, which nothing of it blocks."""

    @property
    def full(self) -> bool:
        """Whether so much is not stored yet that more should not be appended."""

    def poll(self) -> None:
        """Serve delivery reports. Raise TransientError if an earlier append failed."""

    async def wait(self, wait_s: float) -> None:
        """Serve delivery reports; if there is none, wait so long for one. Raise as `poll` does."""

    async def drain(self, timeout_s: float = 30.0) -> None:
        """Return when all appended records are stored; else raise TransientError."""


class Telemetry(Protocol):
    """Counts and times, by the names in `hadron.metrics`."""

    def count(self, name: str, amount: float = 1, **labels: str) -> None: ...

    def gauge(self, name: str, value: float, **labels: str) -> None: ...

    def observe(self, name: str, value: float, **labels: str) -> None: ...


class Tracer(Protocol):
    """Follows a frame through the log by W3C trace context in the headers of records."""

    def slice_span(
        self, process: str, headers: Iterable[Sequence[tuple[str, bytes]]]
    ) -> AbstractContextManager[list[tuple[str, bytes]] | None]:
        """A span around the step of one slice, given its records' headers.

        Yields the headers for what follows from it, or None where tracing is off.
        """


class Alarms(Protocol):
    """Where a process says what people should see. It may say so again and again, at no cost.

    Subjects are the process's own: "database" of the archive is archive/database to all others.
    Nothing blocks, nothing raises, and any thread may call.
    """

    def raised(
        self, subject: str, text: str, *, severity: Severity = "critical", after_s: float = 0
    ) -> None:
        """Something is wrong; people are told if it still is after so many seconds."""

    def well(self, subject: str) -> None:
        """It is not wrong, or not any more."""

    def measured(self, subject: str, value: float, *, limit: float, text: str) -> None:
        """Raise a warning above the limit, and clear it below half of that."""

    def stopped(self, error: Exception) -> None:
        """The process ends because of an error."""

    def close(self) -> None:
        """Tell what waits to be told: the process ends."""


class Pulse(Protocol):
    """Where a processing loop says that it goes round, for whoever watches the process."""

    def beat(self) -> None: ...

    def lag(self, records: int) -> None: ...

    def ready(self, check: str, ok: bool, reason: str = "") -> None: ...
