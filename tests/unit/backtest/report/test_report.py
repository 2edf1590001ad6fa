"""Reports of results, and the page."""

from __future__ import annotations

import re
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hadron.backtest.report.page import page
from hadron.backtest.report.report import report
from hadron.backtest.results import Counts, EquityPoint, Fill, Result, Run
from hadron.backtest.trips import round_trips
from hadron.portfolio.facts import PositionChanged
from tests.support import T0_NS

HOUR_NS = 3_600 * 10**9
GOLDEN = Path(__file__).parents[3] / "samples/backtest/report.json"


def a_fill(side: Any, price: str, hour: int, **changes: Any) -> Fill:
    """One unit for the portfolio main, at an hour, for a fee of 0.1."""
    fill = Fill(
        order=f"o{hour}",
        portfolio="main",
        strategy="sma",
        instrument="eq:AAPL",
        venue="massive",
        at_ns=T0_NS + hour * HOUR_NS,
        side=side,
        quantity=Decimal(1),
        price=Decimal(price),
        price_from="ask",
        liquidity="taker",
        fee=Decimal("0.1"),
    )
    return msgspec.structs.replace(fill, **changes)


def a_point(portfolio: str, hour: int, equity: str, gross: str = "0") -> EquityPoint:
    zero = Decimal(0)
    worth = Decimal(equity)
    return EquityPoint(
        T0_NS + hour * HOUR_NS, portfolio, worth, zero, zero, zero, Decimal(gross), zero
    )


def a_position(strategy: str, realised: str, unrealised: str | None) -> PositionChanged:
    open_ = None if unrealised is None else Decimal(unrealised)
    worth = Decimal(realised)
    return PositionChanged(
        "marks", 0, 0, 0, "main", strategy, "eq:AAPL", T0_NS, Decimal(1), None, worth, open_, None
    )


def a_result(**changes: Any) -> Result:
    """`sma` earns 5 less fees, `late` loses 3 and still holds, `other` is another portfolio's."""
    fills = [
        a_fill("buy", "100", 0),
        a_fill("sell", "105", 1),
        a_fill("buy", "103", 2, strategy="late"),
        a_fill("buy", "10", 3, strategy="other", portfolio="second"),
    ]
    result = Result(
        run=Run(
            "tape <x>",
            {"sma": "1-a"},
            {"fees": "none"},
            Decimal(1000),
            0,
            T0_NS,
            T0_NS + HOUR_NS * 9,
        ),
        counts=Counts(10, 9, 1, 0),
        sha256="ab" * 32,
        decisions=[],
        outcomes=[],
        orders=[],
        fills=fills,
        positions=[
            a_position("sma", "0", "1"),
            a_position("sma", "5", "0"),
            a_position("late", "0", "-3"),
        ],
        equity=[
            a_point("main", 0, "999.9", "100"),
            a_point("main", 1, "1004.8"),
            a_point("second", 3, "990", "10"),
            a_point("main", 4, "1001.7", "100"),
        ],
        trades=round_trips(fills),
    )
    return msgspec.structs.replace(result, **changes)


def test_attribution_adds_up_to_all_that_was_earned() -> None:
    shares = {share.strategy: share for share in report(a_result()).attribution}

    assert [share.net for share in shares.values()] == [Decimal(n) for n in ("4.8", "-0.1", "-3.1")]
    assert (shares["sma"].trades, shares["sma"].hits) == (1, 1)
    assert shares["sma"].notional == 205
    assert (shares["late"].trades, shares["late"].unrealised) == (0, Decimal(-3))


def test_portfolios_are_summed_each_worth_its_capital_until_it_trades() -> None:
    made = report(a_result())

    assert made.figures.capital == 2_000
    assert [point.equity for point in made.curve] == [1999.9, 2004.8, 1994.8, 1991.7]
    assert made.curve[-1].drawdown == pytest.approx(1991.7 / 2004.8 - 1)
    assert made.figures.profit == pytest.approx(-8.3)


def test_the_document_is_json_with_exact_money() -> None:
    said = msgspec.json.decode(msgspec.json.encode(report(a_result())))

    assert said["attribution"][0]["net"] == "4.8"
    assert said["counts"] == {
        "raw": 10,
        "ticks": 9,
        "superseded": 1,
        "poisoned": 0,
        "decisions": 0,
        "orders": 0,
        "fills": 4,
    }


def test_the_whole_report_is_as_it_was_when_it_was_checked_by_hand() -> None:
    """Where a change is wanted: write the new one, and check each figure again."""
    said = msgspec.json.decode(msgspec.json.encode(report(a_result())))

    assert _rounded(said) == _rounded(msgspec.json.decode(GOLDEN.read_bytes()))


def _rounded(said: Any) -> Any:
    """The last digits of a float are the processor's."""
    match said:
        case dict():
            return {name: _rounded(inner) for name, inner in said.items()}
        case list():
            return [_rounded(inner) for inner in said]
        case float():
            return float(f"{said:.10g}")
        case _:
            return said


def test_an_empty_result_is_a_report() -> None:
    empty = a_result(fills=[], positions=[], equity=[], trades=[])
    empty = msgspec.structs.replace(
        empty, run=msgspec.structs.replace(empty.run, begin_ns=None, end_ns=None)
    )

    made = report(empty)

    assert (made.figures.profit, made.attribution, made.curve) == (0, [], [])
    assert "None." in page(made, title="nothing")


class Fetched(HTMLParser):
    """What a browser would load when it opens a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        given = dict(attrs)
        if "src" in given or (tag in ("link", "a", "iframe") and "href" in given):
            self.found.append(f"{tag} {given}")


@pytest.fixture(scope="module")
def html() -> str:
    return page(report(a_result()), title="Backtest <of> sma")


def test_the_page_fetches_nothing(html: str) -> None:
    browser = Fetched()
    browser.feed(html)

    assert browser.found == []
    assert {"script", "table", "dl"} <= browser.tags
    without_scripts = re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL)
    assert "http" not in without_scripts


def test_the_page_shows_what_the_report_says(html: str) -> None:
    assert "Backtest &lt;of&gt; sma" in html
    assert "tape &lt;x&gt;" in html
    assert html.count('class="plotly-graph-div"') == 5
    for said in ("max drawdown", "-0.65%", "4.8", "2023-11-14 23:13:20"):
        assert said in html


def test_long_curves_are_shown_in_fewer_points_that_keep_the_deepest_drawdown() -> None:
    equity = [a_point("main", hour, "1000" if hour != 4321 else "500") for hour in range(9_000)]

    made = report(a_result(equity=equity))

    assert len(made.curve) == 2_000
    assert min(point.drawdown or 0 for point in made.curve) == -0.5
    assert made.figures.max_drawdown == -0.5
