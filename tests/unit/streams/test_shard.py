"""A shard says the same hashes however often it was stored, and whoever goes on with it."""

from __future__ import annotations

import random
from collections.abc import Set
from typing import Any

import pytest

from hadron.audit.checkpoints import Recovered, recover
from hadron.audit.facts import CheckpointTaken, StateHashed
from hadron.audit.hashes import PART
from hadron.ports import Record
from hadron.strategy.engine import Engine
from hadron.topics import LIVE
from streams.shard import Place, Shard
from tests.support import a_strategy, a_trade, codec

ENTRIES, EVERY = 60, 7


def record(topic: str, offset: int, fact: Any) -> Record:
    return Record(topic, 0, offset, 0, None, codec().encode(fact))


def entries() -> list[Record]:
    chance = random.Random(3)
    prices = [f"{chance.randint(9_900, 10_100) / 100:.2f}" for _ in range(ENTRIES)]
    ticks = [
        a_trade(price, instrument=f"eq:{chance.choice('ABC')}", raw_offset=number, lane="warm")
        for number, price in enumerate(prices)
    ]
    control = record("control", 0, a_strategy(parameters={"threshold_bps": "2"}))
    return [control, *(record("ticks.warm", n, tick) for n, tick in enumerate(ticks))]


def a_shard(every: int = EVERY, recovered: Recovered | None = None) -> Shard:
    return Shard(Place("engine", 1, LIVE, every), 0, Engine(), recovered or Recovered())


def stepped(shard: Shard, *, stored: Set[int] = frozenset(), killed: int = -1) -> list[StateHashed]:
    """The hashes of a run that is stored after some entries, and restored after one of them."""
    said: dict[int, StateHashed] = {}
    checkpoints: list[CheckpointTaken] = []
    told = entries()
    place = 0
    while place < len(told):
        shard.step(told[place].topic, [told[place]], codec())
        shard.follow_to(place + 1)
        said |= {fact.entries: fact for fact, _ in shard.hashed}
        if place in stored:
            checkpoints.append(shard.checkpoint({}))
        if place == killed:
            killed = -1
            shard = a_shard(recovered=recover(checkpoints))
            place = shard.followed - 1
        place += 1
    return list(said.values())


def test_a_hash_comes_after_every_so_many_entries() -> None:
    said = stepped(a_shard())

    assert [fact.entries for fact in said] == list(range(EVERY, ENTRIES + 1, EVERY))
    assert len({fact.state for fact in said}) == len(said)
    assert len({fact.outputs for fact in said}) > 3
    assert stepped(a_shard(0)) == []


@pytest.mark.parametrize("killed", [9, 13, 14, 15, 40])
def test_neither_checkpoints_nor_a_crash_change_a_hash(killed: int) -> None:
    undisturbed = stepped(a_shard())

    assert stepped(a_shard(), stored={0, 3, 9, 13, 38}, killed=killed) == undisturbed


def test_a_chain_ends_where_hashing_is_switched_off() -> None:
    on = a_shard()
    on.step(entries()[0].topic, [entries()[0]], codec())
    first = on.checkpoint({})
    with_chain = recover([first])

    off = a_shard(0, with_chain)
    taken = off.checkpoint({})

    assert PART in with_chain.parts
    assert not taken.parts.get(PART)
    assert recover([first, taken]).parts.keys() == with_chain.parts.keys() - {PART}
