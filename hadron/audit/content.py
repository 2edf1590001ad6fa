"""What a record says, as one number: equal whatever id a registry gave its schema."""

from __future__ import annotations

from hashlib import sha256

from hadron.envelope import HEAD
from hadron.errors import ContractError
from hadron.ports import Codec

# Stands for the schema of bytes that fit none. No schema has it, so no readable record is like one.
UNREADABLE = bytes(32)


def content_hash(fingerprint: bytes, body: bytes) -> bytes:
    """The SHA-256 of the writer's schema, as its fingerprint, and of the Avro after the id."""
    return sha256(fingerprint + body).digest()


def hash_of(value: bytes, codec: Codec) -> bytes:
    """The content hash of a record as it lies on the log; of all its bytes if it fits no schema."""
    try:
        fingerprint = codec.fingerprint(value)
    except ContractError:
        return content_hash(UNREADABLE, value)
    return content_hash(fingerprint, value[HEAD:])
