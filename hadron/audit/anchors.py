"""Signed heads: what exactly is signed, and whose signatures count.

The core does not sign. `Sign` and `Verify` are Ed25519 (RFC 8032), done by whoever calls.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha256

import msgspec

from hadron.audit.facts import ChainHead, HeadsAnchored, RowsRetired

Sign = Callable[[bytes], bytes]
Verify = Callable[[bytes, bytes, bytes], bool]  # public key, signature, what was signed

_ANCHOR = b"\3hadron anchor\0"  # the key signs nothing else, and nothing else begins like this
_COUNTS = struct.Struct(">qI")
_HEAD = struct.Struct(">IQQ")
_MORE = b"\4"  # what anchors have since there are certificates; without one they end before it
_MANY = struct.Struct(">?I")
_RETIRED = struct.Struct(">IqqQQQI")


def key_id(public_key: bytes) -> str:
    """What a key is called."""
    return sha256(public_key).hexdigest()


def anchor(
    heads: Iterable[ChainHead],
    *,
    public_key: bytes,
    sign: Sign,
    at_ns: int,
    introduces: bytes | None = None,
    retired: Iterable[RowsRetired] = (),
    restored: bool = False,
) -> HeadsAnchored:
    """Sign heads, and what else an anchor may say."""
    unsigned = HeadsAnchored(
        key=key_id(public_key),
        public_key=public_key,
        at_ns=at_ns,
        heads=sorted(heads, key=lambda head: (head.topic, head.partition)),
        introduces=introduces,
        signature=b"",
        retired=list(retired),
        restored=restored,
    )
    return msgspec.structs.replace(unsigned, signature=sign(statement(unsigned)))


def statement(anchor: HeadsAnchored) -> bytes:
    """The bytes that are signed: every field but the signature, each of a known length."""
    parts = [_ANCHOR, _sized(anchor.public_key), _COUNTS.pack(anchor.at_ns, len(anchor.heads))]
    for head in anchor.heads:
        parts.append(_sized(head.topic.encode()))
        parts.append(_HEAD.pack(head.partition, head.number, head.last))
        parts.append(_sized(head.hash))
    parts.append(_sized(anchor.introduces or b""))
    if anchor.retired or anchor.restored:
        parts += [_MORE, _MANY.pack(anchor.restored, len(anchor.retired))]
        parts += [part for one in anchor.retired for part in _certificate(one)]
    return b"".join(parts)


def _certificate(one: RowsRetired) -> Iterator[bytes]:
    yield from (_sized(text.encode()) for text in (one.topic, one.table, one.chunk, one.why))
    times = one.from_ns, one.until_ns
    entries = one.first_entry, one.last_entry
    yield _RETIRED.pack(one.partition, *times, one.rows, *entries, len(one.runs))
    yield struct.pack(f">{len(one.runs)}Q", *one.runs)
    yield _sized(one.root)
    yield _sized(one.entry_hash)


def is_signed(anchor: HeadsAnchored, verify: Verify) -> bool:
    """Whether the key that it names has signed it."""
    if anchor.key != key_id(anchor.public_key):
        return False
    try:
        said = statement(anchor)
    except (struct.error, OverflowError):  # numbers that nobody signs
        return False
    return verify(anchor.public_key, anchor.signature, said)


def strange(
    anchors: Iterable[HeadsAnchored], trusted: Iterable[bytes], verify: Verify
) -> list[HeadsAnchored]:
    """The anchors that neither a trusted key nor one that it introduced has signed."""
    said = list(anchors)
    known = set(introduced(trusted, said, verify))
    return [one for one in said if one.public_key not in known or not is_signed(one, verify)]


def introduced(
    trusted: Iterable[bytes], anchors: Iterable[HeadsAnchored], verify: Verify
) -> Iterator[bytes]:
    """The trusted public keys, and those that one of them introduced, or one introduced so."""
    introducing = [one for one in anchors if one.introduces and is_signed(one, verify)]
    known: set[bytes] = set()
    waiting = list(trusted)
    while waiting:
        key = waiting.pop()
        if key in known:
            continue
        known.add(key)
        yield key
        waiting += [
            one.introduces for one in introducing if one.public_key == key and one.introduces
        ]


def _sized(data: bytes) -> bytes:
    return len(data).to_bytes(2) + data


def standing(anchors: Iterable[HeadsAnchored]) -> list[tuple[HeadsAnchored, list[ChainHead]]]:
    """Anchors by time, each with the heads that its chains must still have.

    Where a database was lost and its chains were restored up to some heads, what was anchored
    behind them until then is lost. That is only said with the key.
    """
    ordered = sorted(anchors, key=lambda one: one.at_ns)
    restored = [
        (one.at_ns, {(head.topic, head.partition): head.number for head in one.heads})
        for one in ordered
        if one.restored
    ]
    return [
        (one, [head for head in one.heads if _stands(head, one.at_ns, restored)]) for one in ordered
    ]


def _stands(
    head: ChainHead, at_ns: int, restored: Iterable[tuple[int, Mapping[tuple[str, int], int]]]
) -> bool:
    return not any(
        when > at_ns and head.number > numbers.get((head.topic, head.partition), -1)
        for when, numbers in restored
    )
