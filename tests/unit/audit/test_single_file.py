"""Control as a replay has it."""

from __future__ import annotations

from hadron.audit.single_file import single_file
from hadron.market.rules import Rules
from tests.support import a_strategy, some_rules


def test_rules_no_longer_tell_one_lane_from_another() -> None:
    rules = some_rules(
        fast=["eq:AAPL"], cold=["eq:IBM"], volatile_bps=20, volatile_window_ms=10, default="cold"
    )

    [changed] = single_file([rules])

    routes = {
        Rules(changed).route(instrument, held=held, volatile=volatile)  # type: ignore[arg-type]
        for instrument in ("eq:AAPL", "eq:IBM", "eq:SPY")
        for held in (True, False)
        for volatile in (True, False)
    }
    assert routes == {("warm", "default")}


def test_what_ticks_are_judged_by_stays() -> None:
    [changed] = single_file([some_rules(stale_after_ms=250)])

    assert Rules(changed).stale_after_ns == 250_000_000  # type: ignore[arg-type]


def test_all_else_stays() -> None:
    assert single_file([a_strategy()]) == [a_strategy()]
