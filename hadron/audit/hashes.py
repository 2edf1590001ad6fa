"""What the state of a shard and all that it said come to, hashed after every so many entries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

import msgspec

from hadron.audit.facts import StateHashed
from hadron.strategy.facts import DecisionMade

PART = "hashes"  # of a checkpoint; no fold has a part of that name
_ALL = 2**256
_NOTHING = bytes(32)


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """What a checkpoint keeps of it, for who goes on."""

    every: int
    since: int
    outputs: bytes
    chain: bytes


_decode = msgspec.msgpack.Decoder(Kept).decode
_canonical = msgspec.msgpack.Encoder(order="deterministic").encode


class StateDigest:
    """The sum of the hashes of all parts: the same in whatever order and steps they came about."""

    def __init__(self) -> None:
        self._sum = 0
        self._hashes: dict[str, int] = {}

    def take(self, changed: Mapping[str, bytes]) -> bytes:
        """The digest after parts changed; empty bytes for a part that went."""
        known, total = self._hashes, self._sum
        for name, part in changed.items():
            total -= known.pop(name, 0)
            if part:
                hashed = sha256(b"%d %s" % (len(name), name.encode()) + part).digest()
                known[name] = number = int.from_bytes(hashed)
                total += number
        self._sum = total % _ALL
        return self._sum.to_bytes(32)


class Hashes:
    """The hashes of one shard. `chain` binds each to all before it, back to entry `since`."""

    def __init__(self, process: str, kept: Kept, parts: Mapping[str, bytes]) -> None:
        self._process = process
        self._kept = kept
        self._digest = StateDigest()
        self._changed = dict(parts)
        self._outputs, self._chain = kept.outputs, kept.chain

    def is_due(self, entries: int) -> bool:
        """Whether one is, after so many entries of the journal."""
        return entries % self._kept.every == 0

    def said(self, facts: Iterable[Any]) -> None:
        """Take what followed from a record: decisions, whichever version made them."""
        for fact in facts:
            if type(fact) is DecisionMade:
                self._outputs = sha256(self._outputs + anonymous(fact)).digest()

    def changed(self, parts: Mapping[str, bytes]) -> None:
        """Take parts of the state that changed."""
        self._changed.update(parts)

    def take(self, entries: int) -> tuple[StateHashed, Mapping[str, bytes]]:
        """The hash after so many entries, and the parts that changed since the one before."""
        changed, self._changed = self._changed, {}
        state = self._digest.take(changed)
        self._chain = sha256(self._chain + state + self._outputs).digest()
        fact = StateHashed(
            process=self._process,
            every=self._kept.every,
            since=self._kept.since,
            entries=entries,
            state=state,
            outputs=self._outputs,
            chain=self._chain,
        )
        return fact, changed

    def kept(self) -> bytes:
        """What a checkpoint has to keep."""
        kept = msgspec.structs.replace(self._kept, outputs=self._outputs, chain=self._chain)
        return msgspec.msgpack.encode(kept)


def resumed(process: str, parts: Mapping[str, bytes], *, every: int, at: int) -> Hashes | None:
    """The hashes of a shard that was restored at an entry; None where there shall be none.

    A chain goes on if it was hashed as often before, and begins at that entry else.
    """
    if not every:
        return None
    kept = _decode(parts[PART]) if PART in parts else None
    if kept is None or kept.every != every:
        kept = Kept(every, at, _NOTHING, _NOTHING)
    return Hashes(process, kept, {name: part for name, part in parts.items() if name != PART})


def anonymous(decision: DecisionMade) -> bytes:
    """All that a decision says but the version of who made it."""
    return _canonical(msgspec.structs.replace(decision, version=""))
