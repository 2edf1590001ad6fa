"""Proofs that a record was stored, for somebody who has a public key and nothing else of ours."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

import msgspec

from hadron.audit.anchors import Verify, introduced, is_signed
from hadron.audit.chain import Block, Entry
from hadron.audit.facts import ChainHead, HeadsAnchored
from hadron.audit.leaves import RECORD, leaf
from hadron.audit.merkle import Step, path, root_by_path
from hadron.errors import ContractError


class Proven(msgspec.Struct, frozen=True):
    """A record that lay at a place on the log before `at_ns`, when the key `key` signed."""

    topic: str
    partition: int
    offset: int
    at_ns: int
    key: str
    schema: str
    body: bytes


class RecordProof(msgspec.Struct, frozen=True):
    """A record and the way from it to a signature.

    Its leaf is at `index` of the tree of `entries[0]`; each entry follows from the one before,
    and the last is a head in `anchor`. `schema` is in Parsing Canonical Form.
    """

    topic: str
    partition: int
    offset: int
    schema: str
    body: bytes
    index: int
    path: list[Step]
    entries: list[Entry]
    anchor: HeadsAnchored


class Proof(msgspec.Struct, frozen=True):
    """What was asked for, its records, and the anchors by which newer keys were introduced."""

    asked: str
    records: list[RecordProof]
    introductions: list[HeadsAnchored] = []


def prove(
    offset: int,
    *,
    schema: str,
    body: bytes,
    block: Block,
    following: Iterable[Entry],
    anchor: HeadsAnchored,
) -> RecordProof:
    """The proof of a record of a block; `following` are the entries up to an anchored one."""
    index = list(block.offsets()).index(offset)
    return RecordProof(
        topic=block.entry.topic,
        partition=block.entry.partition,
        offset=offset,
        schema=schema,
        body=body,
        index=index,
        path=path(block.leaves, index),
        entries=[block.entry, *following],
        anchor=anchor,
    )


def check(proof: Proof, trusted: Iterable[bytes], verify: Verify) -> list[Proven]:
    """What a proof proves to somebody who trusts these keys. Raise ContractError where it fails."""
    if not proof.records:
        raise ContractError("the proof has no record")
    keys = set(introduced(trusted, proof.introductions, verify))
    return [_checked(record, keys, verify) for record in proof.records]


def _checked(record: RecordProof, keys: set[bytes], verify: Verify) -> Proven:
    where = f"{record.topic}/{record.partition}/{record.offset}"
    if not record.entries:
        raise ContractError(f"{where}: the proof has no entry")
    fingerprint = sha256(record.schema.encode()).digest()
    place = (record.topic, record.partition)
    first = record.entries[0]
    its_leaf = leaf(RECORD, *place, record.offset, fingerprint, record.body)
    if root_by_path(its_leaf, record.index, first.count, record.path) != first.root:
        raise ContractError(f"{where}: the record is not in the tree of entry {first.number}")
    head = _followed(record, place, where)
    if head not in record.anchor.heads:
        raise ContractError(f"{where}: entry {head.number} is not the one that was signed")
    if record.anchor.public_key not in keys:
        raise ContractError(f"{where}: signed by {record.anchor.key}, a key that is not trusted")
    if not is_signed(record.anchor, verify):
        raise ContractError(f"{where}: the signature does not hold")
    anchor = record.anchor
    return Proven(*place, record.offset, anchor.at_ns, anchor.key, record.schema, record.body)


def _followed(record: RecordProof, place: tuple[str, int], where: str) -> ChainHead:
    before: Entry | None = None
    for entry in record.entries:
        if (entry.topic, entry.partition) != place:
            raise ContractError(f"{where}: entry {entry.number} is of another chain")
        if before is not None and (entry.previous, entry.number) != (
            before.hash,
            before.number + 1,
        ):
            raise ContractError(
                f"{where}: entry {entry.number} does not follow from the one before"
            )
        before = entry
    return record.entries[-1].head
