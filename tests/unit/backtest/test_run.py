"""Backtests of generated markets: the code that runs live, and nothing that time or slices do."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import chain, islice
from typing import Any

import msgspec
import pytest

from hadron.backtest.batches import Batch, Controls, Placed, Raws, Ticks, ticks_at
from hadron.backtest.feeding import appended, decoded, recorded
from hadron.backtest.models import Named
from hadron.backtest.results import Result
from hadron.backtest.run import Backtest, Settings
from hadron.errors import ContractError
from hadron.fold import Received, Slice
from hadron.market.facts import RawReceived
from hadron.market.normalizer import Normalizer
from hadron.ports import Record
from hadron.simulation.market import market
from hadron.strategy.engine import Engine
from hadron.venues.massive.parse import parse
from tests.support import T0_NS, a_strategy, codec, some_rules
from tests.unit.desk.facts import some_limits

PARTITIONS = 4
LIMITS = some_limits(position=1_000, notional=10**6, exposure=10**7)
ONE_LANE = some_rules(open_position_is_fast=False)
SMA = a_strategy(parameters={"quantity": "300"})  # more than most quotes show
CONTROL = Controls([ONE_LANE, LIMITS, SMA, a_strategy("Crossover")])


def raws(count: int = 6_000, seed: int = 7) -> list[RawReceived]:
    """Events of three stocks, fifty a second."""
    symbols = ("AAA", "BBB", "CCC")
    draw = random.Random(seed).random
    events = market(symbols, draw, start_ms=T0_NS // 10**6, events_per_s=50)
    return list(recorded(islice(events, count)))


def ran(batches: Iterable[Batch], **asked: Any) -> Result:
    backtest = Backtest(Settings(models=Named(**asked)), {"massive": parse})
    backtest.run(batches)
    return backtest.result(codec())


@pytest.fixture(scope="module")
def events() -> list[RawReceived]:
    return raws()


@pytest.fixture(scope="module")
def plain(events: list[RawReceived]) -> Result:
    return ran([CONTROL, *appended(events, partitions=PARTITIONS)])


def test_it_decides_what_the_folds_decide_shard_by_shard(
    events: list[RawReceived], plain: Result
) -> None:
    # given the same events on a log of four partitions, and a shard of each fold for each
    [batch] = appended(events[:4_096], partitions=PARTITIONS)
    first = ran([CONTROL, batch])
    decided = []
    for partition in range(PARTITIONS):
        normalizer, engine = Normalizer({"massive": parse}), Engine()
        for fact in CONTROL.facts:
            slice = Slice("control", partition, [Received(0, fact)])
            normalizer.step(slice)
            engine.step(slice)
        mine = [one.received for one in batch.records if one.partition == partition]
        ticks = normalizer.step(Slice("raw.massive", partition, mine))
        placed = [Received(offset, tick) for offset, tick in enumerate(ticks)]
        decided += engine.step(Slice("ticks.warm", partition, placed))

    assert len(decided) > 50
    assert {codec().encode(one) for one in decided} == {
        codec().encode(one) for one in first.decisions
    }
    assert list(first.decisions) == list(plain.decisions)[: len(first.decisions)]


def test_how_events_are_cut_into_batches_changes_nothing(
    events: list[RawReceived], plain: Result
) -> None:
    records = [one for batch in appended(events, partitions=PARTITIONS) for one in batch.records]
    cuts = sorted(random.Random(1).sample(range(1, len(records)), 40))
    parts = [Raws(records[begin:end]) for begin, end in zip([0, *cuts], [*cuts, None], strict=True)]

    assert ran([CONTROL, *parts]) == plain


def test_ticks_that_were_normalized_before_lead_to_the_same(
    events: list[RawReceived], plain: Result
) -> None:
    ticks = ticks_of(events)

    lazily = Ticks((tick for tick in ticks.ticks), ticks.offsets, ticks.span)
    result = ran([CONTROL, lazily])

    assert result.sha256 == plain.sha256
    assert (result.fills, result.equity) == (plain.fills, plain.equity)
    assert result.counts.ticks == plain.counts.ticks == len(events)


def ticks_of(events: Sequence[RawReceived]) -> Ticks:
    """The ticks of raw events, one partition after the other merged by time."""
    by_place: dict[int, list[Placed]] = {}
    for batch in appended(events, partitions=PARTITIONS):
        for one in batch.records:
            by_place.setdefault(one.partition, []).append(one)
    found = []
    for partition, records in by_place.items():
        normalizer = Normalizer({"massive": parse})
        normalizer.step(Slice("control", partition, [Received(0, ONE_LANE)]))
        slice = Slice("raw.massive", partition, [one.received for one in records])
        found += list(enumerate(normalizer.step(slice)))
    frames = {raw.instrument + str(raw.payload): n for n, raw in enumerate(events)}
    assert len(frames) == len(events)
    place_of = {
        (one.partition, one.received.offset): n
        for n, one in enumerate(chain(*(b.records for b in appended(events, partitions=4))))
    }
    found.sort(key=lambda pair: place_of[pair[1].raw_partition, pair[1].raw_offset])
    return ticks_at([tick for _, tick in found], [offset for offset, _ in found])


@pytest.mark.parametrize(
    "asked",
    [
        {"latency": "fixed:5ms"},
        {
            "latency": "lognormal:200ms,1",
            "seed": 3,
            "slippage": "spread:0.5",
            "fees": "percent:0.1",
        },
        {"partial": "displayed", "queue": "behind"},
        {"partial": "traded:0.1", "queue": "front", "good_for": "20s", "latency": "fixed:1ms"},
        {"slippage": "book:0.01", "fees": "tiered:0=0.1,100000=0.05"},
    ],
)
def test_models_change_what_orders_come_to_and_no_decision(
    asked: dict[str, Any], events: list[RawReceived], plain: Result
) -> None:
    batches: list[Batch] = [CONTROL, *appended(events, partitions=PARTITIONS)]

    result = ran(batches, **asked)

    assert result == ran(batches, **asked)
    assert result.sha256 == plain.sha256
    assert result.fills != plain.fills
    accounts_for_itself(result)


def accounts_for_itself(result: Result) -> None:
    """Every decision ended once, every order's fills are its own, and the money adds up."""
    assert len(result.outcomes) == len(result.decisions)
    filled = {order.order: order.filled for order in result.orders}
    for fill in result.fills:
        filled[fill.order] -= fill.quantity
    assert set(filled.values()) == {Decimal(0)}
    for order in result.orders:
        assert (order.ending == "open") == (order.ended_ns is None)
        assert order.ending != "filled" or order.filled == order.quantity
        assert order.ended_ns is None or order.ended_ns >= order.sent_ns
    last = result.equity[-1]
    assert last.fees == sum((fill.fee for fill in result.fills), Decimal(0))
    assert last.equity == result.run.capital + last.realised + last.unrealised - last.fees
    newest = {one.instrument + one.strategy: one for one in result.positions}
    assert abs(last.realised - sum(one.realised for one in newest.values())) < Decimal("1e-6")


def test_it_accounts_for_itself(plain: Result) -> None:
    accounts_for_itself(plain)
    assert len(plain.trades) > 20
    assert {order.ending for order in plain.orders} == {"filled"}
    assert plain.run.strategies.keys() == {"SimpleSMA", "Crossover"}


def test_the_desk_keeps_its_limits(events: list[RawReceived], plain: Result) -> None:
    tight = Controls([ONE_LANE, some_limits(position=300, notional=10**6, exposure=80_000), SMA])
    batches = list(appended(events, partitions=PARTITIONS))

    limited, silent = ran([tight, *batches]), ran([Controls([ONE_LANE, SMA]), *batches])

    assert 0 < max(point.gross for point in limited.equity) <= 80_000
    assert max(point.gross for point in plain.equity) > 80_000
    assert len(limited.orders) < len(limited.decisions)
    assert (silent.orders, silent.fills, silent.equity) == ([], [], [])
    assert silent.sha256 == limited.sha256


def test_fees_are_taken_from_equity(events: list[RawReceived], plain: Result) -> None:
    batches: list[Batch] = [CONTROL, *appended(events, partitions=PARTITIONS)]

    charged = ran(batches, fees="per-share:0.01")

    assert charged.equity[-1].fees == sum((f.quantity for f in plain.fills), Decimal(0)) / 100
    assert plain.equity[-1].equity - charged.equity[-1].equity == charged.equity[-1].fees


def test_equity_has_the_last_point_of_each_span(events: list[RawReceived], plain: Result) -> None:
    batches: list[Batch] = [CONTROL, *appended(events, partitions=PARTITIONS)]
    minutes = Backtest(Settings(equity_every_ns=60 * 10**9), {"massive": parse})
    minutes.run(batches)

    coarse = minutes.result(codec()).equity

    assert len(coarse) < len(plain.equity) / 2
    assert coarse[-1] == plain.equity[-1]
    assert len({point.at_ns // (60 * 10**9) for point in coarse}) == len(coarse)


def test_records_of_a_log_are_read_in_their_order_and_by_their_contracts(
    events: list[RawReceived], plain: Result
) -> None:
    controls = [
        Record("control", 0, offset, 0, None, codec().encode(fact))
        for offset, fact in enumerate(CONTROL.facts)
    ]
    records = [
        Record(one.topic, one.partition, one.received.offset, 0, None, encoded(one))
        for batch in appended(events, partitions=PARTITIONS)
        for one in batch.records
    ]

    assert ran(decoded([*controls, *records], codec())) == plain


def encoded(placed: Placed) -> bytes:
    return codec().encode(placed.received.fact)


def test_a_record_that_cannot_be_read_is_named() -> None:
    with pytest.raises(ContractError, match=r"ticks\.warm/1/7"):
        list(decoded([Record("ticks.warm", 1, 7, 0, None, b"nothing")], codec()))


def test_a_strategy_that_raises_is_told_of_and_asked_no_more(events: list[RawReceived]) -> None:
    from hadron.strategy.sma import SimpleSMA

    class Broken(SimpleSMA):
        def on_trade(self, trade: Any, book: Any) -> Any:
            raise RuntimeError("as users' code does")

    backtest = Backtest(Settings(), {"massive": parse}, {"SimpleSMA": Broken})
    backtest.run([Controls([LIMITS, a_strategy()]), *appended(events, partitions=PARTITIONS)])

    result = backtest.result(codec())

    assert len(result.alerts) == result.counts.poisoned == 3  # one for each instrument
    assert "as users' code does" not in msgspec.json.encode(result.alerts).decode()
    assert (result.decisions, result.run.begin_ns) == ([], events[0].seen_ns)
