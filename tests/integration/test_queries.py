"""Each question gets the answer that the facts of a small day give."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.timescale.querying import queries
from hadron.__main__ import run
from hadron.cli.exits import Exit
from hadron.control.facts import TradingHalted
from tests.integration import story
from tests.integration.every_fact import some_limits
from tests.integration.story import at_ns
from tests.support import a_position, a_trade


@pytest.fixture
def url(database: str) -> str:
    story.store(database, story.facts())
    return database


def moment(second: int) -> datetime:
    return datetime.fromtimestamp(at_ns(second) // 10**9, UTC)


def test_decisions_of_a_strategy_between_times_have_their_end(url: str) -> None:
    found = queries.decisions(url, strategy="sma", start=moment(1), end=moment(5))

    assert [(one.log_offset, one.outcome, one.reason) for one in found] == [
        (3, "rejected", "no price"),
        (2, "filled", None),
        (1, "rejected", "position limit"),
    ]
    assert found[0].evidence == {"sma": "100.03"}


@pytest.mark.parametrize("count", range(5))
def test_what_is_at_risk_follows_from_the_first_records_of_the_log(url: str, count: int) -> None:
    newest = {(one.strategy, one.instrument): one for one in story.facts()["positions"][:count]}
    held = [one for one in newest.values() if one.quantity]
    worth = [one.quantity * (one.mark or one.average_price) for one in held]

    found = queries.exposure(url, before={0: count})

    assert [(one.positions, one.gross, one.net, one.realised) for one in found] == (
        [
            (
                len(held),
                sum(map(abs, worth)),
                sum(worth),
                sum(one.realised for one in newest.values()),
            )
        ]
        if count
        else []
    )


def test_the_limits_of_a_portfolio_are_those_in_force_then(database: str) -> None:
    changes = (
        some_limits(exposure=Decimal(7), at_ns=at_ns(0)),
        some_limits(portfolio="other", exposure=Decimal(9), at_ns=at_ns(1)),
        some_limits(exposure=Decimal(8), at_ns=at_ns(5)),
        TradingHalted("ann", "test", at_ns(6), 1),
    )
    story.store(database, {**story.facts(), "control": changes})

    [then] = queries.exposure(database, moment=moment(4))
    [now] = queries.exposure(database)

    assert (then.exposure_limit, then.halted) == (Decimal(7), False)
    assert (now.exposure_limit, now.halted) == (Decimal(8), True)


def test_alerts_have_the_next_end_of_their_subject(url: str) -> None:
    found = queries.alerts(url)

    assert [(one.log_offset, one.subject, one.cleared_at) for one in found] == [
        (3, "archive/database", None),
        (1, "strategy/sma", None),
        (0, "archive/database", moment(3)),
    ]
    assert [one.log_offset for one in queries.alerts(url, raised=True)] == [3, 1]
    assert queries.alerts(url, subject="archive/disk") == []


def test_a_decision_in_flight_is_approved_and_its_order_has_no_end(url: str) -> None:
    [decision] = queries.decisions(url, limit=1)
    [order] = queries.orders(url, limit=1)

    assert (decision.log_offset, decision.outcome) == (5, "approved")
    assert (order.log_offset, order.outcome, order.client_order) == (5, None, None)


def test_orders_have_their_fills_and_those_that_asked_for_none_are_left_out(url: str) -> None:
    found = queries.orders(url)

    assert [(one.log_offset, one.outcome, one.filled, one.price) for one in found] == [
        (5, None, None, None),
        (4, "filled", Decimal(100), Decimal(100)),
        (3, "rejected", None, None),
        (2, "filled", Decimal(100), Decimal("100.05")),
        (1, "rejected", None, None),
    ]


def test_slippage_is_against_the_touch_that_the_decision_saw(url: str) -> None:
    sold, bought = queries.slippage(url)

    assert (bought.touch, bought.touch_from) == (Decimal("100.01"), "ask")
    assert bought.slippage == Decimal("0.04")
    exact = Decimal("0.04") * 10_000 / Decimal("100.01")
    assert bought.slippage_bps == exact.quantize(Decimal("1E-8"))
    assert (sold.touch, sold.touch_from) == (Decimal("99.99"), "bid")
    assert sold.slippage == Decimal("-0.01")


@pytest.mark.parametrize(
    ("second", "held"),
    [
        (1, {}),
        (2, {"sma": Decimal(100)}),
        (4, {"cross": Decimal(-100), "sma": Decimal(100)}),
        (9, {"cross": Decimal(-100), "sma": Decimal(0)}),
    ],
)
def test_positions_are_those_of_any_time(url: str, second: int, held: dict[str, Decimal]) -> None:
    found = queries.positions(url, moment=moment(second))

    assert {one.strategy: one.quantity for one in found} == held


def test_positions_are_those_before_any_offset(url: str) -> None:
    first = queries.positions(url, before={0: 1})
    second = queries.positions(url, before={0: 2}, strategy="sma")

    assert [(one.strategy, one.mark) for one in first] == [("sma", None)]
    assert [(one.strategy, one.mark) for one in second] == [("sma", Decimal("100.1"))]
    assert len(queries.positions(url, before={3: 1})) == 2  # of partition 0 all counts


def test_a_late_clock_does_not_turn_the_log_round(database: str) -> None:
    earlier = a_position("7", source="orders", offset=11, at_ns=at_ns(1))
    day = story.facts()
    story.store(database, {**day, "positions": (*day["positions"], earlier)})

    [sma] = queries.positions(database, strategy="sma")

    assert sma.quantity == Decimal(7)


def test_gaps_tell_how_long_nothing_was_heard(url: str) -> None:
    found = queries.gaps(url)

    assert [(one.instrument, one.after, one.silent_ns) for one in found] == [
        ("eq:MSFT", moment(0), 11 * 10**9),
        ("eq:AAPL", moment(3), 10**9),
    ]
    assert queries.gaps(url, instrument="eq:AAPL", end=moment(4)) == []


def test_lag_has_quantiles_and_qualities_by_instrument(url: str) -> None:
    apple, microsoft = queries.lag(url, start=moment(0), end=moment(60))

    assert (apple.ticks, apple.gaps, apple.late) == (6, 1, 0)
    assert (apple.lag_p50_ns, apple.lag_p99_ns, apple.lag_max_ns) == (
        3_000_000,
        6_000_000,
        6_000_000,
    )
    assert (microsoft.ticks, microsoft.gaps, microsoft.late) == (2, 1, 1)
    assert queries.lag(url, start=moment(0), end=moment(1), instrument="eq:AAPL")[0].ticks == 1


def test_the_newest_tick_is_known_of_all_and_of_one(url: str) -> None:
    assert queries.newest_tick(url) == moment(11)
    assert queries.newest_tick(url, "eq:AAPL") == moment(5)
    assert queries.newest_tick(url, "eq:NONE") is None


ASKED: dict[str, tuple[str, ...]] = {
    "candles": ("--instrument", "eq:AAPL"),
    "decisions": ("--strategy", "sma", "--from", moment(1).isoformat()),
    "orders": ("--portfolio", "main"),
    "positions": ("--at", moment(9).isoformat(), "--before", "positions/0=3"),
    "slippage": (),
    "gaps": ("--instrument", "eq:MSFT"),
    "lag": (),
}
ROWS = {
    "candles": 1,
    "decisions": 4,
    "orders": 5,
    "positions": 2,
    "slippage": 2,
    "gaps": 1,
    "lag": 2,
}


def told(capsys: pytest.CaptureFixture[str], url: str, *arguments: str) -> str:
    capsys.readouterr()
    environ = {"HADRON_DATABASE": url, "HADRON_KAFKA": "x:1", "HADRON_REDIS": "redis://x"}
    assert run(["query", *arguments], environ) == Exit.OK
    return capsys.readouterr().out


def test_every_question_can_be_asked_by_command(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for question, arguments in ASKED.items():
        document = json.loads(told(capsys, url, question, *arguments, "--json"))
        assert len(document) == ROWS[question], question
        table = told(capsys, url, question, *arguments)
        assert len(table.splitlines()) >= ROWS[question]


def test_numbers_are_plain_wherever_they_are_shown(
    database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny = a_position("0.00000001", source="orders", offset=1)
    story.store(database, {"positions": (tiny, a_position("0", strategy="none"))})

    document: list[dict[str, Any]] = json.loads(told(capsys, database, "positions", "--json"))
    table = told(capsys, database, "positions")

    assert [one["quantity"] for one in document] == ["0", "0.00000001"]
    assert "E-8" not in table
    assert "0.00000001" in table


def test_what_lag_looks_at_ends_with_the_newest_tick(
    database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    old = a_trade(at_ns=at_ns(0) - 3700 * 10**9)
    story.store(database, {"ticks.warm": (old, *story.facts()["ticks.warm"])})

    [apple, _] = json.loads(told(capsys, database, "lag", "--json"))
    window = (moment(0) - timedelta(hours=2)).isoformat()
    [longer, _] = json.loads(told(capsys, database, "lag", "--from", window, "--json"))

    assert (apple["ticks"], longer["ticks"]) == (6, 7)
