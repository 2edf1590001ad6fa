"""SimpleSMA."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from hadron.strategy.sma import SimpleSMA, SMAParameters, SMAState
from hadron.strategy.strategy import Signal
from tests.support import a_trade
from tests.unit.strategy.plain import AnyBook, a_trade_at

BOOK = AnyBook()


def an_sma(threshold_bps: int = 50) -> SimpleSMA:
    return SimpleSMA(SMAParameters(threshold_bps), SMAState())


def test_golden_decisions() -> None:
    sma = an_sma()
    prices = ["100", "100", "100", "100", "101", "101", "99", "99", "99", "99", "99", "99.6"]

    signals = [sma.on_trade(a_trade(price), BOOK) for price in prices]

    metadata = {"window": "5", "threshold_bps": "50"}
    assert [(place, signal) for place, signal in enumerate(signals) if signal] == [
        (
            4,  # 101 is 0.8 above 100.2
            Signal(
                "buy",
                Decimal(100),
                Decimal("0.7984"),
                None,
                {"price": "101", "sma": "100.2", "distance_bps": "79.84"},
                metadata,
            ),
        ),
        (
            6,  # 99 is 1.2 below 100.2
            Signal(
                "sell",
                Decimal(100),
                Decimal(1),
                None,
                {"price": "99", "sma": "100.2", "distance_bps": "119.76"},
                metadata,
            ),
        ),
    ]


def test_the_threshold_itself_is_a_crossing() -> None:
    # The average is 2 000, so the last price is 10 basis points above it.
    prices = ["1999.5", "1999.5", "1999.5", "1999.5", "2002"]

    exactly = [an_sma(bps) for bps in (10, 11)]
    signals = [[sma.on_trade(a_trade(price), BOOK) for price in prices][-1] for sma in exactly]

    assert signals[0] is not None
    assert signals[1] is None


def test_a_price_of_nothing_is_passed_over() -> None:
    sma = an_sma()

    sma.on_trade(a_trade("0"), BOOK)
    sma.on_trade(a_trade_at(2**62, 0), BOOK)

    assert sma.state == SMAState()


def test_prices_too_different_to_be_held_exactly_begin_anew() -> None:
    sma = an_sma()

    for trade in (a_trade("60000"), a_trade_at(5, 18)):
        sma.on_trade(trade, BOOK)

    assert sma.state == SMAState([5], 5, 18, None)


@given(st.lists(st.tuples(st.integers(1, 10**12), st.integers(0, 4)), max_size=40))
def test_the_streamed_average_equals_that_of_the_batch(numbers: list[tuple[int, int]]) -> None:
    sma = an_sma()
    exact = [Fraction(price, 10**scale) for price, scale in numbers]

    for place, (price, scale) in enumerate(numbers):
        sma.on_trade(a_trade_at(price, scale), BOOK)

        window = exact[max(0, place - 4) : place + 1]
        state = sma.state
        assert Fraction(state.total, 10**state.scale) == sum(window)
        assert [Fraction(known, 10**state.scale) for known in state.prices] == window


@given(st.lists(st.integers(9_900, 10_100), max_size=60), st.integers(1, 30))
def test_it_decides_as_a_batch_would(prices: list[int], threshold_bps: int) -> None:
    sma = an_sma(threshold_bps)
    side, wanted = None, []
    for place in range(4, len(prices)):
        average = Fraction(sum(prices[place - 4 : place + 1]), 5)
        away = (prices[place] - average) / average * 10_000
        now = "buy" if away > 0 else "sell"
        if abs(away) >= threshold_bps and now != side:
            side = now
            wanted.append((place, now))

    signals = [sma.on_trade(a_trade_at(price, 2), BOOK) for price in prices]

    assert [(place, s.side) for place, s in enumerate(signals) if s] == wanted
