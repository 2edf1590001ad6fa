"""Rows that went with a certificate are missed by nobody; those that went without are found."""

from __future__ import annotations

import random
from collections.abc import Callable

import msgspec
import pytest

from connectors import anchors
from hadron.audit.facts import HeadsAnchored
from hadron.audit.verification import Broken
from tests.unit.connectors.timescale.test_tampering import TICKS, tick
from tests.unit.connectors.timescale.vault import Vault, a_signer

PLACE = TICKS[0]
BATCH, BATCHES = 6, 5
ATTACKS = 1_500


@pytest.fixture(scope="module")
def vault() -> Vault:
    """Ticks on two partitions, signed after each batch; nothing is gone."""
    vault = Vault(a_signer("ours"))
    for batch in range(BATCHES):
        for place in TICKS:
            vault.store(place, [tick(place[1], BATCH * batch + n) for n in range(BATCH)])
        vault.anchor()
    return vault


def dropped(vault: Vault, chance: random.Random) -> tuple[Vault, list[int]]:
    """A copy of which some rows of the first partition went with a certificate."""
    spoilt = vault.copy()
    first = chance.randrange(BATCH * BATCHES - 8)
    # Chunks go by time: what lies in them need not be one run of offsets.
    among = range(first, first + chance.randrange(3, 9))
    offsets = sorted(chance.sample(among, len(among) - chance.randrange(2)))
    spoilt.certify(PLACE, offsets)
    spoilt.drop(PLACE, offsets)
    return spoilt, offsets


def test_rows_that_went_with_a_certificate_are_counted_and_not_missed(vault: Vault) -> None:
    chance = random.Random(1)
    for _ in range(50):
        spoilt, offsets = dropped(vault, chance)

        assert spoilt.verify() == []
        assert [(one.gone, one.there) for one in spoilt.seen] == [(len(offsets), 0)]


def test_rows_that_have_a_certificate_and_are_there_still_are_whole(vault: Vault) -> None:
    waiting = vault.copy()
    waiting.certify(PLACE, range(3, 9))

    assert waiting.verify() == []
    assert [(one.gone, one.there) for one in waiting.seen] == [(0, 6)]


def test_many_certificates_fit_together(vault: Vault) -> None:
    spoilt = vault.copy()
    for first in (0, 4, 11, 17):
        offsets = range(first, min(first + 5, 20))
        spoilt.certify(PLACE, offsets)
        spoilt.drop(PLACE, offsets)
    spoilt.certify(TICKS[1], [0, 7])
    spoilt.drop(TICKS[1], [0, 7])

    assert spoilt.verify() == []


def another_row(spoilt: Vault, gone: list[int], chance: random.Random) -> int:
    """Drop a row more than the certificate has."""
    left = [offset for offset in range(BATCH * BATCHES) if offset not in gone]
    offset = chance.choice(left)
    spoilt.drop(PLACE, [offset])
    return offset


def without(spoilt: Vault, gone: list[int], chance: random.Random) -> int:
    """The certificate never was outside of the database."""
    spoilt.anchors.pop()
    return gone[0]


def forged(spoilt: Vault, gone: list[int], chance: random.Random) -> int:
    """A stranger signs the same certificate."""
    real = spoilt.anchors.pop()
    key = a_signer(str(chance.random()))
    spoilt.anchors.append(anchors.made(real.heads, key, retired=real.retired))
    return gone[0]


def altered(spoilt: Vault, gone: list[int], chance: random.Random) -> int:
    """One field of it is another: the signature does not hold."""
    real = spoilt.anchors.pop()
    [one] = real.retired
    changes = {
        "runs": [*one.runs[:-1], one.runs[-1] + 1],
        "rows": one.rows + 1,
        "root": b"\1" * 32,
        "entry_hash": b"\1" * 32,
        "table": "raw_events",
        "topic": "ticks.warm",
        "partition": 1,
        "last_entry": one.last_entry + 1,
        "first_entry": one.first_entry + 1,
        "until_ns": one.until_ns + 1,
        "chunk": "other",
        "why": "restore",
    }
    name = chance.choice(sorted(changes))
    changed = msgspec.structs.replace(one, **{name: changes[name]})
    spoilt.anchors.append(msgspec.structs.replace(real, retired=[changed]))
    return gone[0]


def replayed(spoilt: Vault, gone: list[int], chance: random.Random) -> int:
    """A certificate of another database with the same key, of the same offsets."""
    real = spoilt.anchors.pop()
    other = Vault(spoilt.signer)
    for batch in range(BATCHES):
        facts = [tick(PLACE[1], BATCH * batch + n, price_from=50) for n in range(BATCH)]
        other.store(PLACE, facts)
    other.certify(PLACE, gone)
    theirs = other.anchors.pop()
    # Its head would tell too: a head of ours, as the same key might have signed it.
    spoilt.anchors.append(anchors.made(real.heads, spoilt.signer, retired=theirs.retired))
    return gone[0]


def half(spoilt: Vault, gone: list[int], chance: random.Random) -> int:
    """Somebody takes some of the rows that are certified, and not yet dropped."""
    whole = VAULT[0].copy()
    taken = sorted(chance.sample(gone, chance.randrange(1, len(gone))))
    whole.drop(PLACE, taken)
    spoilt.rows = whole.rows
    return taken[0]


def put_back(spoilt: Vault, gone: list[int], chance: random.Random) -> int:
    """A row that is gone comes back, as another."""
    offset = chance.choice(gone)
    whole = VAULT[0].copy()
    [row] = [row for _, row in whole.of(PLACE) if row["log_offset"] == offset]
    row["sequence"] += 1
    spoilt.rows["ticks"].append(row)
    return gone[0]  # the first that is not there, as it should not be; or the row itself


def a_restoration_of_their_own(spoilt: Vault, gone: list[int], chance: random.Random) -> int:
    """A stranger says that all chains were lost, so that no anchor counts."""
    spoilt.anchors.pop()
    key = a_signer(str(chance.random()))
    spoilt.anchors.append(anchors.made((), key, restored=True))
    return gone[0]


VAULT: list[Vault] = []
KINDS: tuple[Callable[[Vault, list[int], random.Random], int], ...] = (
    *(another_row, without, forged, altered, replayed, half, put_back),
    a_restoration_of_their_own,
)


def test_no_certificate_excuses_what_it_does_not_name(vault: Vault) -> None:
    VAULT[:] = [vault]
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # noqa: T201
    chance = random.Random(seed)
    for number in range(ATTACKS):
        spoilt, gone = dropped(vault, chance)
        attack = KINDS[number % len(KINDS)]

        offset = attack(spoilt, gone, chance)

        found = [one for one in spoilt.verify() if one.topic != "anchors"]
        assert found, (attack.__name__, offset)
        assert place(found[0]) == (*PLACE, offset), (attack.__name__, offset, found)


def test_only_what_was_anchored_before_a_restoration_is_lost_with_it(vault: Vault) -> None:
    def cut(spoilt: Vault, entries: int) -> None:
        for known in spoilt.chains.values():
            del known[entries:]
        spoilt.rows["ticks"] = [
            row for row in spoilt.rows["ticks"] if row["log_offset"] < BATCH * entries
        ]

    restored = vault.copy()
    cut(restored, 3)
    assert [one.what for one in restored.verify()] == ["entry 3 is not the one that was anchored"]
    restored.anchors.append(_restored(restored))
    assert restored.verify() == []

    for at in TICKS:  # the chains go on
        restored.store(at, [tick(at[1], BATCH * 3 + n) for n in range(2)])
    restored.anchor()
    assert restored.verify() == []

    cut(restored, 3)  # and lose what was signed since then
    assert [one.what for one in restored.verify()] == ["entry 3 is not the one that was anchored"]
    cut(restored, 2)
    assert restored.verify()[0].what == "entry 2 is not the one that was anchored"


def _restored(vault: Vault) -> HeadsAnchored:
    heads = [known[-1][0].entry.head for known in vault.chains.values()]
    return anchors.made(heads, vault.signer, restored=True)


def place(broken: Broken) -> tuple[str, int, int]:
    return broken.topic, broken.partition, broken.offset
