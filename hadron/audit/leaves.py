"""The hash of one record, from which alone the trees and chains of the audit are made.

A leaf is SHA-256 of byte 0 (RFC 6962, section 2.1: a leaf and a node never hash the same bytes),
the kind of leaf, topic, partition, the fingerprint of the schema, offset, and the Avro body. So it
says what was written, as what, and where. Ids of a registry, keys and timestamps are not in it:
the first are names, the others are derived from the fact, and no row has them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

from hadron.envelope import HEAD

SIZE = 32
# A row of its own, a record kept as a dead letter (hashed as the letter, which has its bytes and
# the archive's words), and a record without a value, which has no row.
RECORD, LETTER, TOMBSTONE = b"\0", b"\1", b"\2"
_LEAF = b"\0"


class Leaves:
    """Hashes records; `fingerprint_of` gives the fingerprint of the schema of a record's bytes."""

    def __init__(self, fingerprint_of: Callable[[bytes], bytes]) -> None:
        self._fingerprint_of = fingerprint_of
        self._begun: dict[tuple[str, int, bytes], bytes] = {}

    def record(self, topic: str, partition: int, offset: int, value: bytes) -> bytes:
        """The leaf of a record that could be read."""
        head = value[:HEAD]
        begun = self._begun.get((topic, partition, head)) or self._begin(topic, partition, head)
        return sha256(begun + offset.to_bytes(8) + value[HEAD:]).digest()

    def records(
        self, topic: str, partition: int, offsets: Sequence[int], values: Sequence[bytes]
    ) -> list[bytes]:
        """The leaves of records of one partition, cheaper than one by one."""
        heads = dict.fromkeys(value[:HEAD] for value in values)
        begun = {head: self.begun(topic, partition, head) for head in heads}
        return [
            sha256(begun[value[:HEAD]] + offset.to_bytes(8) + value[HEAD:]).digest()
            for offset, value in zip(offsets, values, strict=True)
        ]

    def letter(self, topic: str, partition: int, offset: int, letter: bytes) -> bytes:
        """The leaf of a record of which there is a dead letter, which is encoded as `letter`."""
        fingerprint = self._fingerprint_of(letter[:HEAD])
        return leaf(LETTER, topic, partition, offset, fingerprint, letter[HEAD:])

    def begun(self, topic: str, partition: int, head: bytes) -> bytes:
        """What is hashed of every record of a partition and a schema, before offset and body."""
        return self._begun.get((topic, partition, head)) or self._begin(topic, partition, head)

    def _begin(self, topic: str, partition: int, head: bytes) -> bytes:
        begun = _beginning(RECORD, topic, partition, self._fingerprint_of(head))
        self._begun[topic, partition, head] = begun
        return begun


def tombstone(topic: str, partition: int, offset: int) -> bytes:
    """The leaf of a record without a value. Its key is not covered: no row has it."""
    return leaf(TOMBSTONE, topic, partition, offset, bytes(SIZE), b"")


def leaf(
    kind: bytes, topic: str, partition: int, offset: int, fingerprint: bytes, body: bytes
) -> bytes:
    """The leaf from its parts, as somebody has them who has no codec."""
    begun = _beginning(kind, topic, partition, fingerprint)
    return sha256(begun + offset.to_bytes(8) + body).digest()


def _beginning(kind: bytes, topic: str, partition: int, fingerprint: bytes) -> bytes:
    name = topic.encode()
    return b"".join((_LEAF, kind, len(name).to_bytes(2), name, partition.to_bytes(4), fingerprint))
