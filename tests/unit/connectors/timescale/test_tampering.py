"""Whatever somebody does who may do everything to the database, it is found, and where."""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from connectors.timescale.tables import LAYOUTS
from hadron.audit.chain import Block
from hadron.audit.verification import Broken
from tests.integration import every_fact
from tests.support import T0_NS, a_fill, a_quote, a_trade
from tests.unit.connectors.timescale.vault import Vault, a_signer, leaf

ATTACKS = 2_200
TYPES = {
    **{
        (layout.table, name): kind
        for layout in LAYOUTS.values()
        for name, kind in zip(layout.names, layout.types, strict=False)
    },
    **{("ticks", "conditions"): "list", ("ticks", "record"): "bytea"},
    ("raw_events", "record"): "bytea",
}
FIXED = {"log_topic", "log_partition", "log_offset"}
TICKS = [("ticks.fast", 0), ("ticks.fast", 1)]

Found = tuple[str, int, int]


@pytest.fixture(scope="module")
def vault() -> Vault:
    """Ticks on two partitions, all other facts on one each; offsets of positions have gaps."""
    vault = Vault(a_signer("ours"))
    for batch in range(4):
        for place in TICKS:
            vault.store(place, [tick(place[1], 5 * batch + n) for n in range(5)])
        vault.anchor()
    for topic, facts in every_fact.by_topic().items():
        step = 3 if topic == "positions" else 1
        plain = [fact for fact in facts if "\0" not in str(fact)]
        if topic != "ticks.fast":
            vault.store((topic, 0), [(step * n, fact) for n, fact in enumerate(plain)])
    vault.store(("orders", 0), [(2, a_fill(offset=9)), (3, a_fill(offset=10, price=Decimal(7)))])
    vault.anchor()
    return vault


def tick(partition: int, offset: int, price_from: int = 0) -> tuple[int, Any]:
    """A tick with its offset: a quote or a trade, one of them with a price no column can hold."""
    shared: dict[str, Any] = {"raw_offset": offset, "at_ns": T0_NS + offset * 1000}
    unholdable = a_trade("0.123456789", sequence=partition, **shared)
    quote = a_quote(100 + offset, 200 + partition, **shared)
    if offset == 7:
        return offset, unholdable
    trade = a_trade(f"{price_from + offset}.50", sequence=partition, **shared)
    return offset, trade if offset % 2 else quote


def test_what_nobody_touched_is_whole(vault: Vault) -> None:
    assert vault.verify() == []


def test_no_cell_of_any_row_can_be_changed_unseen(vault: Vault) -> None:
    chance = random.Random(0)
    for table, rows in vault.rows.items():
        for row in rows:
            for column in row.keys() - FIXED:
                cell = other(row[column], chance, TYPES.get((table, column), "numeric"))
                changed = leaf(table, row | {column: cell})

                assert changed != leaf(table, row), (table, column, row)


def flip(vault: Vault, chance: random.Random) -> Found:
    table = chance.choice(sorted(vault.rows))
    row = chance.choice(vault.rows[table])
    column = chance.choice(sorted(row.keys() - FIXED))
    row[column] = other(row[column], chance, TYPES.get((table, column), "numeric"))
    return row["log_topic"], row["log_partition"], row["log_offset"]


def other(cell: Any, chance: random.Random, kind: str) -> Any:
    """Something else that the column could have."""
    match cell:
        case None:
            odd = {"text": "", "bytea": chance.choice([b"", b"\1", b"\2"]), "numeric": Decimal(0)}
            return {**odd, "list": []}.get(kind, 0)
        case bool():
            return not cell
        case int():
            return cell + chance.choice([-1, 1, 2**20])
        case Decimal():
            return chance.choice([cell + Decimal("1E-8"), -cell - 1, Decimal("NaN"), None])
        case bytes():
            return chance.choice([cell + b"\0", cell[:-1] + b"\xfe", b"\1", b"\2", None])
        case list():
            return chance.choice([[*cell, 1], None])
        case _:
            return chance.choice([cell + " ", f" {cell}", None])


def delete(vault: Vault, chance: random.Random) -> Found:
    rows = vault.rows[chance.choice(sorted(vault.rows))]
    row = rows.pop(chance.randrange(len(rows)))
    return row["log_topic"], row["log_partition"], row["log_offset"]


def insert(vault: Vault, chance: random.Random) -> Found:
    rows = vault.rows[chance.choice(sorted(vault.rows))]
    row = dict(chance.choice(rows))
    row["log_offset"] = chance.choice([row["log_offset"], row["log_offset"] + 1, 10**6])
    row["at"] += 1  # the unique index has the time
    rows.insert(chance.randrange(len(rows) + 1), row)
    return row["log_topic"], row["log_partition"], row["log_offset"]


def swap(vault: Vault, chance: random.Random) -> Found:
    rows = [row for row in vault.rows["ticks"] if row["log_partition"] == 0]
    one, two = chance.sample(rows, 2)
    for column in one.keys() - FIXED:
        one[column], two[column] = two[column], one[column]
    return "ticks.fast", 0, min(one["log_offset"], two["log_offset"])


def swap_places(vault: Vault, chance: random.Random) -> Found:
    one, two = chance.sample(vault.rows["ticks"], 2)
    first = min((row["log_topic"], row["log_partition"], row["log_offset"]) for row in (one, two))
    for column in FIXED:
        one[column], two[column] = two[column], one[column]
    return first


def truncate(vault: Vault, chance: random.Random) -> Found:
    place = chance.choice(TICKS)
    left = chance.randrange(4)
    cut = vault.chains[place][left][0].entry.first
    del vault.chains[place][left:]
    vault.rows["ticks"] = [
        row
        for row in vault.rows["ticks"]
        if (row["log_topic"], row["log_partition"]) != place or row["log_offset"] < cut
    ]
    return (*place, 5 * left + 4)  # the first head that was anchored and is gone


def truncate_rows(vault: Vault, chance: random.Random) -> Found:
    place, cut = chance.choice(TICKS), chance.randrange(20)
    vault.rows["ticks"] = [
        row
        for row in vault.rows["ticks"]
        if (row["log_topic"], row["log_partition"]) != place or row["log_offset"] < cut
    ]
    return (*place, cut)


def replace(vault: Vault, chance: random.Random) -> Found:
    of, by = chance.sample(TICKS, 2)
    copies = [dict(row) | {"log_partition": of[1]} for _, row in vault.of(by)]
    others = [row for row in vault.rows["ticks"] if row["log_partition"] != of[1]]
    vault.rows["ticks"] = others + copies
    return (*of, 0)


def drop(vault: Vault, chance: random.Random) -> Found:
    begin = chance.randrange(20)
    end = begin + chance.randrange(1, 10)
    times = [(T0_NS + offset * 1000) // 1000 for offset in (begin, end)]
    vault.rows["ticks"] = [
        row for row in vault.rows["ticks"] if not times[0] <= row["at"] < times[1]
    ]
    return (*TICKS[0], begin)


def rewrite(vault: Vault, chance: random.Random) -> Found:
    """Change a tick, and make the chain of its partition anew, in the same batches."""
    place, offset = chance.choice(TICKS), chance.randrange(20)
    rows = dict(enumerate(row for _, row in vault.of(place)))
    rows[offset]["sequence"] += 1
    if rows[offset]["record"] is not None:
        rows[offset]["record"] = None
        rows[offset]["price"] = Decimal(1)
    old: list[tuple[Block, bytes]] = vault.chains.pop(place)
    for one, _ in old:
        offsets = list(one.offsets())
        vault.chain(place, offsets, [leaf("ticks", rows[at]) for at in offsets])
    if chance.random() < 0.5:  # and sign it with a key of their own
        strangers = Vault(a_signer(str(chance.random())))
        strangers.chains = vault.chains
        strangers.anchor()
        vault.anchors[-1] = strangers.anchors[0]
    return (*place, 5 * (offset // 5) + 4)


def spoil_chain(vault: Vault, chance: random.Random) -> Found:
    place = chance.choice([*TICKS, ("positions", 0)])
    known = vault.chains[place]
    at = chance.randrange(len(known))
    one, stored = known[at]
    field = chance.choice([*one.entry.__struct_fields__[2:], "leaves", "runs"])
    if field == "leaves":
        spoilt = msgspec.structs.replace(one, leaves=b"\1" + one.leaves[1:])
    elif field == "runs":
        runs = [(), (0,), (0, 2**40), (0, 0, 1, 5), (0, 5), (0, 2)]
        spoilt = msgspec.structs.replace(
            one, runs=chance.choice([r for r in runs if r != one.runs])
        )
    else:
        now = getattr(one.entry, field)
        other = b"\1" * 32 if isinstance(now, bytes) else chance.choice([now + 1, -now - 1])
        entry = msgspec.structs.replace(one.entry, **{field: other})
        spoilt = msgspec.structs.replace(one, entry=entry)
    known[at] = (spoilt, stored)
    return (*place, spoilt.entry.first)


KINDS: tuple[Callable[[Vault, random.Random], Found], ...] = (
    *(flip, delete, insert, swap, swap_places, truncate, truncate_rows, replace, drop, rewrite),
    spoil_chain,
)


def test_every_attack_is_found_at_its_first_place(vault: Vault) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # noqa: T201
    chance = random.Random(seed)
    for number in range(ATTACKS):
        spoilt = vault.copy()
        attack = KINDS[number % len(KINDS)]

        place = attack(spoilt, chance)

        found = [one for one in spoilt.verify() if one.topic != "anchors"]
        assert found, (attack.__name__, place)
        assert _place(found[0]) == place, (attack.__name__, place, found)


def _place(broken: Broken) -> Found:
    return broken.topic, broken.partition, broken.offset
