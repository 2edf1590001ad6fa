"""How profits go together."""

from __future__ import annotations

import statistics
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hadron.backtest.report.correlation import Correlation, correlations
from hadron.backtest.results import Fill, Run
from hadron.portfolio.facts import PositionChanged
from tests.support import T0_NS
from tests.unit.backtest.report.test_report import a_fill, a_position

S = 10**9
RUN = Run("tape", {}, {}, Decimal(1000), 0, T0_NS, T0_NS + 20 * S)


def positions(strategy: str, worths: list[int]) -> list[PositionChanged]:
    """What a strategy's position is worth in each second."""
    return [
        msgspec.structs.replace(a_position(strategy, str(worth), "0"), at_ns=T0_NS + n * S)
        for n, worth in enumerate(worths)
    ]


def pair(one: list[int], other: list[int], fills: list[Fill] | None = None) -> Correlation:
    [found] = correlations(RUN, positions("a", one) + positions("b", other), fills or [])
    return found


def test_who_is_on_the_other_side_earns_what_one_loses() -> None:
    found = pair([1, 3, 2], [-1, -3, -2])

    assert found.correlation == pytest.approx(-1)
    assert (found.strategy, found.other_strategy) == ("a", "b")
    assert (found.spans, found.span_s) == (3, 1)


@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=3, max_size=12))
def test_it_is_that_of_pythons_statistics(changes: list[tuple[int, int]]) -> None:
    one, other = (
        [sum(c[at] for c in changes[: n + 1]) for n in range(len(changes))] for at in (0, 1)
    )
    told = [change for change in changes if change != (0, 0)]
    found = pair(one, other)

    assert found.spans == len(told)
    if len({c[0] for c in told}) < 2 or len({c[1] for c in told}) < 2:
        assert found.correlation is None
    else:
        expected = statistics.correlation(*zip(*told, strict=True))
        assert found.correlation == pytest.approx(expected, abs=1e-9)


def test_fees_count() -> None:
    fee = msgspec.structs.replace(a_fill("buy", "1", 0, strategy="a", fee=Decimal(5)), at_ns=T0_NS)

    assert pair([1, 3, 2], [1, 3, 2]).correlation == pytest.approx(1)
    assert pair([1, 3, 2], [1, 3, 2], [fee]).correlation == pytest.approx(
        statistics.correlation([-4, 2, -1], [1, 2, -1])
    )


def test_a_long_run_is_cut_into_days() -> None:
    long = msgspec.structs.replace(RUN, end_ns=T0_NS + 40 * 86_400 * S)
    found = correlations(long, positions("a", [1, 3]) + positions("b", [2, 2]), [])

    assert [(one.span_s, one.spans, one.correlation) for one in found] == [(86_400, 1, None)]


def test_one_alone_goes_with_nobody() -> None:
    assert correlations(RUN, positions("a", [1, 2, 3]), []) == []
