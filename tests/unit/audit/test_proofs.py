"""A proof holds as it was made, for who trusts the key; whatever is changed in it, it fails."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from connectors import anchors, signing
from hadron.audit.chain import block
from hadron.audit.leaves import Leaves
from hadron.audit.proofs import Proof, RecordProof, check, prove
from hadron.envelope import HEAD
from hadron.errors import ContractError
from tests.support import a_fill, codec
from tests.unit.connectors.timescale.vault import a_signer

OURS, NEXT, STRANGER = (a_signer(name) for name in ("ours", "next", "stranger"))
VALUES = [codec().encode(a_fill(offset=n)) for n in range(40)]


def a_proof(signer: signing.Signer = OURS, offset: int = 21) -> Proof:
    """Of one fill of 40, in the second of four entries, of which the last was signed."""
    leaves = Leaves(codec().fingerprint)
    blocks = []
    after = None
    for first in (0, 18, 36, 38):
        offsets = list(range(first, {0: 18, 18: 36}.get(first, first + 2)))
        hashes = [leaves.record("orders", 1, at, VALUES[at]) for at in offsets]
        blocks.append(block("orders", 1, offsets, hashes, after=after, at_ns=first))
        after = blocks[-1].entry.head
    assert after is not None
    record = prove(
        offset,
        schema=codec().canonical(VALUES[offset]),
        body=VALUES[offset][HEAD:],
        block=blocks[1],
        following=[one.entry for one in blocks[2:]],
        anchor=anchors.made([after], signer),
    )
    return Proof("h-0-21", [record])


def changed(proof: Proof, **changes: Any) -> Proof:
    [record] = proof.records
    return Proof(proof.asked, [msgspec.structs.replace(record, **changes)])


def test_it_holds_for_who_trusts_the_key() -> None:
    proof = msgspec.json.decode(msgspec.json.encode(a_proof()), type=Proof)

    [proven] = check(proof, [OURS.public], signing.verify)

    assert (proven.topic, proven.partition, proven.offset) == ("orders", 1, 21)
    assert proven.body == VALUES[21][HEAD:]


def test_another_key_proves_nothing() -> None:
    with pytest.raises(ContractError, match="not trusted"):
        check(a_proof(STRANGER), [OURS.public], signing.verify)
    with pytest.raises(ContractError, match="not trusted"):
        check(a_proof(), [], signing.verify)


def test_a_key_that_was_introduced_by_a_trusted_one_proves() -> None:
    proof = a_proof(NEXT)
    introduction = anchors.made((), OURS, introduces=NEXT.public)
    forged = anchors.made((), STRANGER, introduces=NEXT.public)

    whole = msgspec.structs.replace(proof, introductions=[introduction])
    assert check(whole, [OURS.public], signing.verify)
    with pytest.raises(ContractError, match="not trusted"):
        check(msgspec.structs.replace(proof, introductions=[forged]), [OURS.public], signing.verify)


@pytest.mark.parametrize("field", [f for f in RecordProof.__struct_fields__ if f != "entries"])
def test_whatever_is_changed_it_fails(field: str) -> None:
    proof = a_proof()
    now = getattr(proof.records[0], field)
    other: dict[str, Any] = {
        "path": now[:-1] if field == "path" else None,
        "anchor": anchors.made((), OURS),
    }
    by_type: dict[type[Any], Any] = {str: f"{now} ", bytes: b"\0", int: 1}
    spoilt = other.get(field) or (now + 1 if isinstance(now, int) else by_type[type(now)])

    with pytest.raises(ContractError):
        check(changed(proof, **{field: spoilt}), [OURS.public], signing.verify)


def test_entries_must_follow_each_other_up_to_the_signed_one() -> None:
    proof = a_proof()
    entries = proof.records[0].entries
    moved = msgspec.structs.replace(entries[1], at_ns=7)

    for spoilt in (entries[:-1], entries[1:], [entries[0], entries[2]], [entries[0], moved], []):
        with pytest.raises(ContractError):
            check(changed(proof, entries=spoilt), [OURS.public], signing.verify)


def test_a_proof_of_nothing_proves_nothing() -> None:
    with pytest.raises(ContractError, match="no record"):
        check(Proof("x", []), [OURS.public], signing.verify)
