"""The hot paths: what runs for each tick, each decision, each row or each bar."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import cache, partial
from typing import Any

import msgspec
import numpy as np

from connectors.timescale.ticks import Prices, TickRows
from hadron.audit.chain import block
from hadron.audit.leaves import Leaves
from hadron.backtest.batches import Controls, ticks_at
from hadron.backtest.feeding import recorded
from hadron.backtest.run import Backtest, Settings
from hadron.market.bars import Bars
from hadron.market.facts import RawReceived, Tick
from hadron.market.normalizer import Normalizer
from hadron.risk.book import Book, Holding
from hadron.risk.limits import Order, RiskState
from hadron.risk.verdict import judge
from hadron.strategy.engine import Engine
from hadron.strategy.scan import scan
from hadron.strategy.sma import SimpleSMA, SMAParameters
from hadron.venues.registry import PARSERS
from tests.bars import bars_at
from tests.benchmarks import calibration
from tests.benchmarks.bench_scan import instruments
from tests.benchmarks.frames import CONTROLS, SEED, generated, played
from tests.benchmarks.inside import Inside
from tests.support import a_slice, codec
from tests.unit.desk.facts import some_limits

Run = Callable[[], object]
EVENTS = 1_500  # of one run; more than a codec remembers


class Hot(msgspec.Struct, frozen=True):
    """One path. `make` prepares a run of many events, each time with a state of its own."""

    make: Callable[[], Run]
    beside: Callable[[], object] = calibration.objects


def _encode() -> Run:
    return partial(_all, codec().encode, _ticks())


def _decode() -> Run:
    return partial(codec().decode_many, _values())


def _normalize() -> Run:
    normalizer = Normalizer(PARSERS)
    normalizer.step(a_slice("control", *CONTROLS[:1]))
    return partial(normalizer.step, a_slice("raw.massive", *_raws()))


def _engine() -> Run:
    engine = Engine()
    engine.step(a_slice("control", *CONTROLS[2:]))
    return partial(engine.step, a_slice("ticks.warm", *_ticks()))


def _limits() -> Run:
    holdings = {("sma", f"eq:S{n}"): Holding(Decimal(n)) for n in range(20)}
    prices = {instrument: Decimal(100) for _, instrument in holdings}
    state = RiskState(Book(some_limits(), holdings), None, prices)
    orders = [
        Order("sma", f"eq:S{n % 20}", "buy", Decimal(1 + n % 9), Decimal(100)) for n in range(100)
    ]
    return partial(_all, lambda order: judge(order, state), orders)


def _chain() -> Run:
    leaves, offsets, values = Leaves(codec().fingerprint), range(EVENTS), _values()

    def run() -> object:
        hashed = leaves.records("ticks.warm", 0, offsets, values)
        return block("ticks.warm", 0, offsets, hashed, after=None, at_ns=0).entry.hash

    return run


def _rows() -> Run:
    return partial(TickRows("ticks.warm", 0, codec(), Prices()).rows, range(EVENTS), _values())


def _stream() -> Run:
    inside = Inside(CONTROLS)
    raws = [
        record
        for number, frame in enumerate(generated(EVENTS))
        for record in inside.received(frame.payload, number=number, seen_ns=frame.at_ns)
    ]
    return partial(inside.stepped, "normalize", raws)


def _backtest() -> Run:
    backtest = Backtest(Settings(), PARSERS)
    backtest.run([Controls(CONTROLS)])
    return partial(backtest.run, [ticks_at(_ticks(), range(EVENTS))])


def _signals() -> Run:
    strategy, bars = SimpleSMA(SMAParameters(), SimpleSMA.State()), _bars()
    return partial(_all, strategy.signals, [bars] * 25)


def _scan() -> Run:
    return partial(scan, SimpleSMA, SMAParameters(), _universe())


PATHS: dict[str, Hot] = {
    "encode": Hot(_encode),
    "decode": Hot(_decode),
    "normalize": Hot(_normalize),
    "normalize_in_its_stream": Hot(_stream),
    "engine": Hot(_engine),
    "limits": Hot(_limits),
    "chain": Hot(_chain, calibration.hashes),
    "archive_rows": Hot(_rows),
    "backtest": Hot(_backtest),
    "scan": Hot(_scan, calibration.arrays),
    "signals": Hot(_signals, calibration.arrays),
}


@cache
def _raws() -> list[RawReceived]:
    return list(recorded(played(EVENTS)))


@cache
def _ticks() -> list[Tick]:
    return list(Normalizer(PARSERS).step(a_slice("raw.massive", *_raws())))


@cache
def _values() -> list[bytes]:
    return [codec().encode(tick) for tick in _ticks()]


@cache
def _universe() -> list[Bars]:
    return instruments(500, 120)


@cache
def _bars() -> Bars:
    walk = np.random.default_rng(SEED).integers(-3, 4, calibration.LENGTH).cumsum() + 10**6
    return bars_at(walk.tolist())


def _all(run: Callable[[Any], object], things: Sequence[Any]) -> None:
    for thing in things:
        run(thing)
