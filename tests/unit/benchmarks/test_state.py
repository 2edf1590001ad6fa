"""What an instrument costs in memory stays what docs/benchmarks.md says of it."""

from __future__ import annotations

import pytest

from tests.benchmarks.bench_state import a_trade_of, normalized, state_kept

INSTRUMENTS = 300
# Of Python 3.11 with both sample strategies; newer ones take less.
AT_MOST = {"normalize": 700, "engine": 2_000}


def _state(process: str, *, trades: int) -> float:
    raws = [a_trade_of(number, INSTRUMENTS) for number in range(INSTRUMENTS * trades)]
    facts = raws if process == "normalize" else normalized(raws)
    state_kept(process, facts)  # what libraries keep from their first use on is no state of ours
    return state_kept(process, facts) / INSTRUMENTS


@pytest.mark.parametrize("process", AT_MOST)
def test_the_state_of_an_instrument_is_as_small_as_published(process: str) -> None:
    assert _state(process, trades=10) < AT_MOST[process]


@pytest.mark.parametrize("process", AT_MOST)
def test_more_trades_of_the_same_instruments_take_no_more_memory(process: str) -> None:
    few, many = (_state(process, trades=trades) for trades in (10, 40))

    assert many < 1.05 * few
