"""Models by their names: what they compute, and what is said of a name that is wrong."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from hadron.backtest.fees import Traded, fees
from hadron.backtest.latency import latency
from hadron.backtest.market import Level, Top
from hadron.backtest.models import Named, models
from hadron.backtest.slippage import Taking, slippage
from hadron.errors import SettingsError
from hadron.orders.touch import Touch


def traded(quantity: str = "100", price: str = "10", **changes: Any) -> Traded:
    month = Decimal(changes.get("month", 0))
    return Traded(Decimal(quantity), Decimal(price), changes.get("liquidity", "taker"), month)


@pytest.mark.parametrize(
    ("model", "changes", "fee"),
    [
        ("none", {}, "0"),
        ("per-share:0.005", {}, "0.500"),
        ("percent:0.1", {}, "1.000"),
        ("percent:0.6/-0.01", {"liquidity": "maker"}, "-0.1"),
        ("tiered:0=0.6/0.4,10000=0.4/0.2", {"month": "9999"}, "6"),
        ("tiered:0=0.6/0.4,10000=0.4/0.2", {"month": "10000"}, "4"),
        ("tiered:0=0.6/0.4,10000=0.4/0.2", {"month": "10000", "liquidity": "maker"}, "2"),
    ],
)
def test_a_fee_is_exact(model: str, changes: dict[str, Any], fee: str) -> None:
    assert fees(model)(traded(**changes)) == Decimal(fee)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"fees": "flat:1"}, "--fees: 'flat:1'; wanted one of none, per-share, percent, tiered"),
        ({"fees": "per-share:x"}, "wanted per-share:AMOUNT"),
        ({"fees": "tiered:5=1"}, "from 0 on and growing"),
        ({"latency": "fixed:5"}, "--latency: 'fixed:5'; wanted fixed:TIME, as in fixed:5ms"),
        ({"latency": "uniform:5ms-1ms"}, "wanted uniform:SHORTEST-LONGEST"),
        ({"queue": "last"}, "--queue: 'last'; wanted one of none, front, behind"),
        ({"partial": "traded:2"}, "a share of at most 1"),
        ({"slippage": "spread:-1"}, "--slippage: 'spread:-1'; wanted spread:SHARE"),
        ({"good_for": "soon"}, "--good-for: 'soon'; wanted a time, as in 30s"),
    ],
)
def test_a_model_that_is_not_known_is_refused_by_option_value_and_wish(
    asked: dict[str, str], said: str
) -> None:
    with pytest.raises(SettingsError, match="wanted") as raised:
        models(Named(**asked))  # type: ignore[arg-type]

    assert said in str(raised.value)


def test_all_wrong_models_are_told_at_once() -> None:
    with pytest.raises(SettingsError) as raised:
        models(Named(fees="x", queue="y"))

    assert len(raised.value.problems) == 2


@given(some.integers(), some.text(max_size=20))
def test_a_latency_depends_on_the_seed_and_the_order_alone(seed: int, order: str) -> None:
    for model in ("uniform:1ms-5ms", "lognormal:5ms,0.5"):
        drawn = latency(model, seed=seed)

        assert drawn(order) == latency(model, seed=seed)(order)
        assert drawn(order) >= 0


def test_latencies_lie_where_they_were_asked_for() -> None:
    uniform = [latency("uniform:1ms-5ms", seed=7)(f"h-{n}") for n in range(500)]
    lognormal = sorted(latency("lognormal:5ms,0.5", seed=7)(f"h-{n}") for n in range(500))

    assert 1_000_000 <= min(uniform) < 1_100_000
    assert 4_900_000 < max(uniform) <= 5_000_000
    assert 4_500_000 < lognormal[250] < 5_500_000  # the median
    assert latency("fixed:1.5ms", seed=0)("h") == 1_500_000


def taking(quantity: str, **sides: Level | None) -> Taking:
    ask = Level(Decimal("10.02"), Decimal(100))
    top = Top(bid=sides.get("bid"), ask=sides.get("ask", ask))
    return Taking("buy", Decimal(quantity), Touch(Decimal("10.02"), "ask"), top)


def test_slippage_by_spread_needs_both_sides() -> None:
    bid = Level(Decimal("10.00"), Decimal(100))

    known, unknown = (slippage("spread:0.5")(taking("1", **more)) for more in ({"bid": bid}, {}))

    assert known == Touch(Decimal("10.03"), "ask+0.5 spread")
    assert unknown == "no spread known"


def test_slippage_by_book_is_the_average_over_the_levels_it_takes() -> None:
    by_book = slippage("book:0.01")

    within, over = by_book(taking("100")), by_book(taking("250"))

    assert within == Touch(Decimal("10.02"), "ask")
    # 100 at 10.02, 100 at 10.03, 50 at 10.04
    assert isinstance(over, Touch)
    assert over.price == Decimal("10.028")
    assert by_book(taking("1", ask=None)) == "no size displayed"
