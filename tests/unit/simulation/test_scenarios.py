"""Bad days: each happens, in its time, and the same for the same draws."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from hadron.errors import SettingsError
from hadron.fold import Received, Slice
from hadron.market.facts import QuoteChanged, RawReceived, Tick, TradePrinted
from hadron.market.normalizer import Normalizer
from hadron.simulation.scenarios import BEGINS, ENDS, SCENARIOS, scenario
from hadron.venues.massive.parse import parse
from tests.support import T0_NS, some_rules

SECONDS = 300


def events(name: str, seed: int = 7) -> list[RawReceived]:
    draw = random.Random(seed).random
    start_ms = T0_NS // 10**6
    return list(scenario(name, draw, symbols=("SIM",), start_ms=start_ms, seconds=SECONDS, rate=20))


def ticks(name: str) -> list[Tick]:
    normalizer = Normalizer({"massive": parse})
    normalizer.step(Slice("control", 0, [Received(0, some_rules(stale_after_ms=5_000))]))
    received = [Received(offset, raw) for offset, raw in enumerate(events(name))]
    return normalizer.step(Slice("raw.massive", 0, received))


def share(tick: Tick) -> float:
    return (tick.at_ns - T0_NS) / 10**9 / SECONDS


def prices(name: str, since: float, until: float) -> list[int]:
    return [
        tick.price
        for tick in ticks(name)
        if isinstance(tick, TradePrinted) and since <= share(tick) < until
    ]


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_same_draws_give_the_same_bytes(name: str) -> None:
    assert events(name) == events(name) != events(name, seed=8)


def test_calm_is_the_market_as_it_is() -> None:
    assert Counter(tick.quality for tick in ticks("calm")) == {"live": len(events("calm"))}


def test_a_gap_is_silence_and_then_another_price() -> None:
    found = ticks("gap")

    assert not any(BEGINS + 0.01 < share(tick) < ENDS - 0.01 for tick in found)
    [gap] = [tick for tick in found if tick.quality == "gap"]
    assert share(gap) == pytest.approx(ENDS, abs=0.01)
    assert prices("gap", ENDS, 1)[0] < prices("gap", 0, BEGINS)[-1] * 0.97


def test_a_halt_shows_no_orders_and_no_trades() -> None:
    found = [tick for tick in ticks("halt") if BEGINS + 0.005 < share(tick) < ENDS - 0.005]

    assert found
    for tick in found:
        assert isinstance(tick, QuoteChanged)
        assert (tick.bid, tick.ask) == (0, 0)


def test_a_flash_crash_is_deep_and_over_soon() -> None:
    before, after = prices("flash-crash", 0, BEGINS)[-1], prices("flash-crash", ENDS, 1)[0]

    assert min(prices("flash-crash", BEGINS, ENDS)) < before * 0.9
    assert after > before * 0.97


def test_a_stale_feed_is_late_in_its_time_only() -> None:
    stale = [share(tick) for tick in ticks("stale-feed") if tick.quality == "stale"]

    assert BEGINS - 0.01 < min(stale) < max(stale) < ENDS + 0.01


def test_a_crossed_market_is_suspect() -> None:
    crossed = [tick for tick in ticks("crossed-market") if tick.quality == "suspect"]

    assert crossed
    assert all(isinstance(tick, QuoteChanged) and tick.bid > tick.ask for tick in crossed)


def test_a_name_that_is_not_known_is_refused() -> None:
    with pytest.raises(SettingsError, match="--scenario: 'quake'; wanted one of calm, gap"):
        events("quake")
