"""Many instruments asked about at once."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hadron.errors import ContractError
from hadron.market.bars import Bars
from hadron.market.panel import Panel
from hadron.strategy.registry import KINDS
from hadron.strategy.scan import BLOCK, Hit, scan
from hadron.strategy.sma import SimpleSMA, SMAParameters
from hadron.strategy.sma_cross import SMACross, SMACrossParameters
from hadron.strategy.strategy import Strategy
from hadron.strategy.vectorised import Scannable, wishes
from hadron.values import number
from tests.bars import MINUTE_NS, any_bars, bars_at
from tests.support import T0_NS
from tests.unit.strategy.test_vectorised import Slow, some_parameters

Universe = list[Bars]


def named(instrument: str, bars: Bars, *, volume: int = 100) -> Bars:
    columns = (bars.at_ns, bars.open, bars.high, bars.low, bars.close)
    volumes = np.full(len(bars), volume)
    return Bars(instrument, bars.scale, bars.width_ns, *columns, volumes)


@st.composite
def universes(draw: st.DrawFn) -> Universe:
    """Instruments with equally many bars, and some with fewer; of any scale."""
    some = draw(st.lists(any_bars(most=60), max_size=8))
    shortest = min(map(len, some), default=0)
    equal = [bars[-shortest:] for bars in some] if draw(st.booleans()) and shortest else some
    return [named(f"eq:S{n}", bars, volume=n * 7 % 5) for n, bars in enumerate(equal)]


def one_by_one(
    kind: type[Strategy], parameters: msgspec.Struct, universe: Sequence[Bars], within: int
) -> list[Hit]:
    """What a scan must find, by what the strategy says of each instrument alone."""
    hits = []
    for bars in universe:
        sides = wishes(kind, parameters, bars).sides.tolist()
        for ago, side in enumerate(reversed(sides[-within:])):
            if side:
                closes = [number(int(close), bars.scale) for close in bars.close]
                hits.append(
                    Hit(
                        bars.instrument,
                        "buy" if side > 0 else "sell",
                        ago,
                        int(bars.ends_ns[-1 - ago]),
                        closes[-1 - ago],
                        closes[-1],
                        closes[-1] * int(bars.volume[-1]),
                    )
                )
                break
    return sorted(hits, key=lambda hit: (hit.bars_ago, -hit.turnover, hit.instrument))


@given(some_parameters, universes(), st.integers(1, 70))
def test_a_scan_finds_what_each_instrument_alone_would_say(
    asked: tuple[type[Strategy], msgspec.Struct], universe: Universe, within: int
) -> None:
    assert scan(*asked, universe, within=within) == one_by_one(*asked, universe, within)


@given(some_parameters, st.lists(any_bars(most=60), min_size=1, max_size=5))
def test_each_row_of_a_panel_has_the_signals_of_its_bars_bit_for_bit(
    asked: tuple[type[Strategy], msgspec.Struct], some: Universe
) -> None:
    kind, parameters = asked
    length = min(map(len, some))
    rows = [bars[:length] for bars in some]
    strategy = kind(parameters, kind.State())
    assert isinstance(strategy, Scannable)

    sides = strategy.signals(Panel(rows))

    assert sides.dtype == np.int8
    assert sides.tolist() == [strategy.signals(bars).tolist() for bars in rows]


def test_every_strategy_that_ships_is_scanned_at_once() -> None:
    assert {kind for kind in KINDS.values() if getattr(kind, "panels", False)} == set(
        KINDS.values()
    )


def test_more_instruments_than_fit_a_block_are_as_fewer_at_a_time() -> None:
    bars = [bars_at([100] * 1_999 + [99 + n]) for n in range(3)]
    universe = [named(f"eq:S{n}", bars[n % 3]) for n in range(100)]
    assert len(universe) > 2 * BLOCK / 2_000

    hits = scan(SimpleSMA, SMAParameters(), universe)

    few = [scan(SimpleSMA, SMAParameters(), universe[n : n + 7]) for n in range(0, 100, 7)]
    assert sorted(hits, key=str) == sorted((hit for some in few for hit in some), key=str)
    assert len(hits) == 67


def test_the_newest_signal_is_first_then_the_largest_turnover() -> None:
    flat, jump = [100] * 8, [100] * 7 + [110]
    universe = [
        named("eq:FLAT", bars_at(flat)),
        named("eq:OLD", bars_at([100] * 5 + [110, 110, 110]), volume=9_000),
        named("eq:SMALL", bars_at(jump), volume=10),
        named("eq:LARGE", bars_at(jump), volume=1_000),
    ]

    hits = scan(SimpleSMA, SMAParameters(), universe, within=3)

    assert [hit.instrument for hit in hits] == ["eq:LARGE", "eq:SMALL", "eq:OLD"]
    assert hits[0] == Hit(
        instrument="eq:LARGE",
        side="buy",
        bars_ago=0,
        at_ns=T0_NS + 8 * MINUTE_NS,
        price=Decimal("1.10"),
        last=Decimal("1.10"),
        turnover=Decimal("1100.00"),
    )
    assert (hits[2].bars_ago, hits[2].at_ns) == (2, T0_NS + 6 * MINUTE_NS)


def test_a_strategy_without_panels_is_asked_one_by_one() -> None:
    universe = [named("eq:A", bars_at([100, 101])), named("eq:B", bars_at([100, 101, 102]))]

    assert [hit.instrument for hit in scan(Slow, SMAParameters(), universe)] == ["eq:A"]


def test_the_instrument_that_cannot_be_asked_about_is_named() -> None:
    universe = [
        named("eq:GOOD", bars_at([100] * 10_001)),
        named("eq:BAD", bars_at([2**39] * 10_001)),
    ]

    with pytest.raises(ContractError, match="SMACross on eq:BAD: fast is 9999 and slow 10000"):
        scan(SMACross, SMACrossParameters(9_999, 10_000), universe)


def test_rows_of_different_lengths_are_no_panel() -> None:
    with pytest.raises(ContractError, match=r"rows have \[2, 3\] bars; wanted equally many"):
        Panel([bars_at([1, 2]), bars_at([1, 2, 3])])


def test_a_scan_within_no_bar_is_refused() -> None:
    with pytest.raises(ContractError, match="within is 0; wanted 1 bar at least"):
        scan(SimpleSMA, SMAParameters(), [], within=0)
