"""Positions are the sum of the fills on the log, whatever becomes of the process that adds."""

from __future__ import annotations

import random
from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Decimal

import pytest

from hadron.orders.facts import OrderFilled
from hadron.partitions import partition_of
from hadron.portfolio.facts import PositionChanged
from hadron.portfolio.positions import Position, filled
from tests.integration.platform import SHARDS, Platform, kill, platform, until
from tests.support import a_fill, codec

FILLS = 20_000
DIGIT = Decimal("1e-8")


@pytest.fixture
def alone() -> Iterator[Platform]:
    with platform() as made:
        yield made


def fills(draw: random.Random) -> dict[int, list[OrderFilled]]:
    """By partition: some buys and sells of three portfolios, two strategies, five instruments."""
    made: dict[int, list[OrderFilled]] = {}
    for _ in range(FILLS):
        portfolio = draw.choice(["main", "second", "third"])
        partition = partition_of(portfolio, SHARDS)
        there = made.setdefault(partition, [])
        there.append(
            a_fill(
                partition=partition,
                offset=len(there),
                order=f"h-intents-{partition}-{len(there)}",
                portfolio=portfolio,
                strategy=draw.choice(["sma", "cross"]),
                instrument=f"eq:S{draw.randrange(5)}",
                side=draw.choice(["buy", "sell"]),
                quantity=Decimal(draw.randrange(1, 50)),
                price=Decimal(draw.randrange(9_000, 11_000)) / 100,
            )
        )
    return made


def summed(of: dict[int, list[OrderFilled]]) -> dict[tuple[str, str, str], Position]:
    """Each position by its fills alone."""
    found: dict[tuple[str, str, str], Position] = {}
    for fill in (one for there in of.values() for one in there):
        key = (fill.portfolio, fill.strategy, fill.instrument)
        before = found.get(key) or Position(*key)
        found[key] = filled(before, side=fill.side, quantity=fill.quantity, price=fill.price)
    return found


def held(alone: Platform) -> dict[tuple[str, str, str], PositionChanged]:
    """The newest of each position on the log."""
    facts = alone.facts("positions")
    return {(fact.portfolio, fact.strategy, fact.instrument): fact for fact in facts}


def told(alone: Platform) -> int:
    return sum(alone.log.ends([("positions", each) for each in range(SHARDS)]).values())


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_at_random_it_holds_the_sum_of_all_fills(alone: Platform, seed: int) -> None:
    # given a portfolio that is killed again and again while fills come in
    draw = random.Random(seed)
    made = fills(draw)
    for partition, there in made.items():
        for first in range(0, len(there), 500):
            records = [(one.portfolio, codec().encode(one)) for one in there[first : first + 500]]
            alone.log.append("orders", partition, records)
    alone.log.flush()
    child = alone.start("portfolio")
    for _ in range(4):
        goal = min(told(alone) + draw.randrange(1, 4_000), FILLS)
        until(lambda wanted=goal: told(alone) >= wanted, "positions")  # type: ignore[misc]
        kill(child)
        child = alone.start("portfolio")

    # when it is left alone at last
    alone.wait_until_taken("portfolio")

    # then each position is the sum of its fills, to the last digit that facts have
    wanted = summed(made)
    found = held(alone)
    assert {key: fact.quantity for key, fact in found.items()} == {
        key: one.quantity for key, one in wanted.items()
    }
    assert {key: fact.realised for key, fact in found.items()} == {
        key: one.realised.quantize(DIGIT, ROUND_HALF_EVEN) for key, one in wanted.items()
    }
    assert told(alone) == FILLS
