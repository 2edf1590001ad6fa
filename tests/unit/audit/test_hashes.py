"""The hash of a state depends on the state, and that of a run on all of the run."""

from __future__ import annotations

import random
from collections.abc import Mapping
from decimal import Decimal
from hashlib import sha256

from hadron.audit.hashes import PART, Hashes, StateDigest, resumed
from tests.support import a_decision


def hashes(every: int = 10, at: int = 0, parts: Mapping[str, bytes] | None = None) -> Hashes:
    made = resumed("engine", parts or {}, every=every, at=at)
    assert made is not None
    return made


def test_the_state_alone_decides_not_how_it_came_about() -> None:
    chance = random.Random(1)
    parts = {f"part/{number}": bytes([number]) * 3 for number in range(50)}
    at_once, bit_by_bit = StateDigest(), StateDigest()

    for name in sorted(parts, key=lambda _: chance.random()):
        bit_by_bit.take({name: b"before", "gone": b"x"})
        bit_by_bit.take({name: parts[name], "gone": b""})

    assert at_once.take(parts) == bit_by_bit.take({})
    assert at_once.take({"part/7": b"other"}) != bit_by_bit.take({})
    assert at_once.take({"part/7": parts["part/7"]}) == bit_by_bit.take({})


def test_a_part_cannot_pass_for_another() -> None:
    assert StateDigest().take({"a": b"bc"}) != StateDigest().take({"ab": b"c"})
    assert StateDigest().take({}) == bytes(32) != sha256().digest()


def test_it_is_due_after_so_many_entries() -> None:
    assert [entry for entry in range(1, 31) if hashes(10).is_due(entry)] == [10, 20, 30]


def test_decisions_count_in_their_order_but_not_who_made_them() -> None:
    first, second = a_decision(), a_decision(index=1)

    def outputs(*decisions: object) -> bytes:
        made = hashes()
        made.said(decisions)
        return made.take(10)[0].outputs

    assert outputs(first, second) != outputs(second, first) != outputs(first)
    assert outputs(a_decision(version="other")) == outputs(first)
    assert outputs(a_decision(quantity=Decimal(7))) != outputs(first)
    assert outputs("no decision", first) == outputs(first)


def test_the_chain_remembers_what_the_state_has_forgotten() -> None:
    straight, detour = hashes(), hashes()
    detour.changed({"a": b"1"})
    pairs = [(straight.take(10)[0], detour.take(10)[0])]
    detour.changed({"a": b""})
    pairs.append((straight.take(20)[0], detour.take(20)[0]))

    assert [one.state == other.state for one, other in pairs] == [False, True]
    assert [one.chain == other.chain for one, other in pairs] == [False, False]


def test_who_goes_on_from_a_checkpoint_says_the_same() -> None:
    whole, cut = hashes(), hashes()
    for made in (whole, cut):
        made.changed({"a": b"1"})
        made.take(10)
        made.said([a_decision()])
        made.changed({"b": b"2"})
    rest = hashes(at=15, parts={"a": b"1", "b": b"2", PART: cut.kept()})

    assert rest.take(20)[0] == whole.take(20)[0]


def test_a_chain_begins_anew_where_hashes_are_taken_at_other_entries() -> None:
    rest = hashes(5, at=15, parts={PART: hashes(10).kept()})

    assert rest.take(20)[0].since == 15
    assert resumed("engine", {}, every=0, at=0) is None
