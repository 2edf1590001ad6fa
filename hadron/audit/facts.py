"""What the platform says of its own work."""

from __future__ import annotations

from typing import Literal

import msgspec

# info      worth knowing, nothing to do
# warning   something works less than it should, all else goes on
# critical  something stands still or is wrong: somebody must look now
Severity = Literal["info", "warning", "critical"]


class RecordPoisoned(msgspec.Struct, frozen=True):
    """A record that could not be read: where it lies, what was wrong, and all of its bytes."""

    source: str
    partition: int
    offset: int
    index: int
    process: str
    error: str
    seen_ns: int  # Kafka's timestamp of the record
    key: bytes | None
    value: bytes


class AlertRaised(msgspec.Struct, frozen=True):
    """What people should see. It is named by the record that made somebody say it.

    Where no record did, by `process/<process>` and the time as offset.
    """

    source: str
    partition: int
    offset: int
    index: int
    severity: Severity
    process: str
    subject: str  # what it is about: "strategy/sma"
    text: str
    at_ns: int  # of the record that caused it


class AlertCleared(msgspec.Struct, frozen=True):
    """What an alert was about is well again: the newest alert of this subject is over."""

    source: str
    partition: int
    offset: int
    index: int
    severity: Severity  # of the alert that is over
    process: str
    subject: str
    text: str
    at_ns: int


class Position(msgspec.Struct, frozen=True):
    """The next offset of one partition."""

    topic: str
    partition: int
    offset: int


class CheckpointTaken(msgspec.Struct, frozen=True):
    """State of a shard and how far it had read, in one record, so that it can never be torn.

    A base holds every part; a delta holds the parts changed since checkpoint `number - 1`.
    An empty part was removed.
    """

    process: str
    number: int
    base: bool
    positions: list[Position]  # the next offset to read of each source
    ends: list[Position]  # where our outputs ended before this checkpoint's successors
    parts: dict[str, bytes]


class SequencedSlice(msgspec.Struct, frozen=True):
    """Records of one topic, in the partition of the shard, as the live run calls it."""

    topic: str
    first: int
    end: int  # the offset after the last


class SlicesSequenced(msgspec.Struct, frozen=True):
    """What a shard steps next, in this order.

    It is on the log before any of it is stepped, so that whoever reads it can step the same again.
    """

    process: str
    slices: list[SequencedSlice]


class StateHashed(msgspec.Struct, frozen=True):
    """What the state of a shard, and all that it decided, come to after entries of its journal.

    `chain` is of this and of the one before, back to entry `since`: two runs whose chains are equal
    here were equal at all before. `positions` and `parts` are of recorded runs, and lead back to
    the state itself.
    """

    process: str
    every: int  # entries between two of them
    since: int
    entries: int  # the offset of the first entry that is not in it
    state: bytes  # of all parts, in no order
    outputs: bytes  # of the decisions, in their order, but for their versions
    chain: bytes
    positions: list[Position] = []
    parts: dict[str, bytes] = {}  # what changed since the one before; empty for a part that went


class ChainHead(msgspec.Struct, frozen=True):
    """How far a chain has come: its newest entry's number, last offset and hash."""

    topic: str
    partition: int
    number: int
    last: int
    hash: bytes


class RowsRetired(msgspec.Struct, frozen=True):
    """Rows of one partition that go from a table, or were not restored.

    `runs` has (first offset, rows) of each run of offsets without a gap; `root` is the Merkle root
    of their leaves. They are in entries `first_entry` to `last_entry` of the chain; `entry_hash` is
    that of the last, and so binds all before it. `from_ns` to `until_ns` are the times of the chunk
    that goes, or of the rows; `chunk` is empty where only rows go.
    """

    topic: str
    partition: int
    table: str
    chunk: str
    from_ns: int
    until_ns: int
    rows: int
    runs: list[int]
    root: bytes
    first_entry: int
    last_entry: int
    entry_hash: bytes
    why: str  # "age", or "restore" of what the restored log has not

    @property
    def first(self) -> int:
        """The first offset."""
        return self.runs[0]

    @property
    def last(self) -> int:
        """The last offset."""
        return self.runs[-2] + self.runs[-1] - 1


class HeadsAnchored(msgspec.Struct, frozen=True):
    """The heads of the chains at one moment, signed with Ed25519.

    `key` is the SHA-256 of `public_key`, in hex. `introduces` is the public key that will sign from
    now on, where the key is changed. `retired` certifies rows that go. `restored`: the database was
    lost, and its chains are back up to these heads; what was anchored behind them is lost.
    """

    key: str
    public_key: bytes
    at_ns: int
    heads: list[ChainHead]
    introduces: bytes | None
    signature: bytes
    retired: list[RowsRetired] = []
    restored: bool = False
