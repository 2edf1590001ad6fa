"""A content hash stands for what a record says and for the schema that gives it its meaning."""

from __future__ import annotations

from hashlib import sha256

import pytest

import schemas
from hadron.audit.content import UNREADABLE, content_hash, hash_of
from hadron.envelope import AvroCodec, Version
from hadron.errors import ContractError
from tests.support import a_fill, a_trade, codec

RENUMBERED = AvroCodec([Version(c.id + 7000, c.name, c.schema) for c in schemas.catalogue()])


def test_it_is_the_sha256_of_fingerprint_and_body() -> None:
    value = codec().encode(a_fill())
    [known] = [one for one in schemas.catalogue() if one.id == int.from_bytes(value[1:5])]

    assert codec().fingerprint(value).hex() == known.fingerprint
    assert hash_of(value, codec()) == sha256(bytes.fromhex(known.fingerprint) + value[5:]).digest()


def test_the_id_on_the_wire_does_not_matter() -> None:
    ours, theirs = codec().encode(a_trade("1.50")), RENUMBERED.encode(a_trade("1.50"))

    assert ours != theirs
    assert hash_of(ours, codec()) == hash_of(theirs, RENUMBERED)


@pytest.mark.parametrize("other", [a_trade("1.5"), a_trade("1.50", raw_offset=1), a_fill()])
def test_what_says_something_else_has_another_hash(other: object) -> None:
    said = hash_of(codec().encode(a_trade("1.50")), codec())

    assert hash_of(codec().encode(other), codec()) != said


@pytest.mark.parametrize("value", [b"", b"junk", b"\x00\xff\xff\xff\xff..."])
def test_bytes_of_no_schema_have_a_hash_of_their_own(value: bytes) -> None:
    with pytest.raises(ContractError):
        codec().fingerprint(value)

    assert hash_of(value, codec()) == content_hash(UNREADABLE, value)
