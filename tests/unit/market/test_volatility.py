"""When a price has moved far within a short time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hadron.market.rules import Rules
from hadron.market.volatility import Range, observe
from tests.support import some_rules

MS = 1_000_000
RULES = Rules(some_rules(volatile_bps=100, volatile_window_ms=10))

steps = st.tuples(st.integers(0, 5), st.integers(95, 105), st.integers(0, 2))


@given(st.lists(steps, max_size=60))
def test_a_streamed_window_finds_the_moves_that_a_search_finds(
    trades: list[tuple[int, int, int]],
) -> None:
    seen, at_ms, known = Range(), 100, list[tuple[int, int]]()
    until_ns = seen.volatile_until_ns

    for gap_ms, price, scale in trades:
        at_ms += gap_ms
        known.append((at_ms, price))
        observe(seen, at_ms * MS, price * 10**scale, scale, RULES)

        window = [was for was_ms, was in known if was_ms >= at_ms - 10]
        moved = any(abs(price - was) * 100 >= was for was in (min(window), max(window)))
        until_ns = (at_ms + 10) * MS if moved else until_ns
        assert seen.volatile_until_ns == until_ns


def test_a_price_that_is_none_moves_nothing() -> None:
    seen = Range()

    observe(seen, 1, 100, 0, RULES)
    observe(seen, 2, 0, 0, RULES)

    assert seen.volatile_until_ns == 0
