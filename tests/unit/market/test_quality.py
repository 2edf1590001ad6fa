"""How ticks are judged."""

from __future__ import annotations

import pytest

from hadron.market.facts import Quality
from hadron.market.quality import DAY_NS, Line, Newest, judge, trading_day
from hadron.venues.parsed import ParsedTrade
from tests.support import T0_NS, a_raw

MS = 1_000_000


def a_parsed(at_ns: int = T0_NS, sequence: int = 0, *, suspect: bool = False) -> ParsedTrade:
    return ParsedTrade(at_ns, sequence, 10_000, 2, 100, 0, (), suspect)


@pytest.mark.parametrize(
    ("tick", "connection", "stale_after_ms", "quality"),
    [
        (a_parsed(T0_NS, 5), 1, 0, "live"),
        (a_parsed(T0_NS, 6), 1, 0, "live"),
        (a_parsed(T0_NS - 1, 6), 1, 0, "late"),
        (a_parsed(T0_NS, 4), 1, 0, "late"),
        (a_parsed(T0_NS, 0), 1, 0, "live"),  # 0 is no sequence
        (a_parsed(T0_NS, 6), 2, 0, "gap"),
        (a_parsed(T0_NS, 6), 1, 9, "stale"),
        (a_parsed(T0_NS, 6), 1, 10, "live"),  # exactly as old as allowed
        (a_parsed(T0_NS, 6), 2, 9, "gap"),  # before stale
        (a_parsed(T0_NS, 4), 2, 9, "late"),  # before gap
        (a_parsed(T0_NS, 4, suspect=True), 2, 9, "suspect"),  # before all
        (a_parsed(0, 6), 1, 9, "live"),  # no time of the venue's: as old as its receipt
    ],
)
def test_the_first_quality_that_applies_is_given(
    tick: ParsedTrade, connection: int, stale_after_ms: int, quality: Quality
) -> None:
    line = Line(1, trade=Newest(T0_NS, 5))
    raw = a_raw(connection=connection, seen_ns=T0_NS + 10 * MS)

    judged = judge(line, line.trade, tick, raw, stale_after_ms * MS)

    assert judged == quality


@pytest.mark.parametrize("hidden", [a_parsed(suspect=True), a_parsed(T0_NS - 1)])
def test_a_gap_hidden_by_a_bad_tick_is_told_by_the_next_good_one(hidden: ParsedTrade) -> None:
    line = Line(1, trade=Newest(T0_NS, 0))
    raw = a_raw(connection=2)

    judged = [judge(line, line.trade, tick, raw, 0) for tick in (hidden, a_parsed(), a_parsed())]

    assert judged[1:] == ["gap", "live"]


def test_a_suspect_tick_makes_no_later_tick_late() -> None:
    line = Line(1)
    raw = a_raw(seen_ns=T0_NS + 2 * MS)

    judge(line, line.trade, a_parsed(T0_NS + MS, 9, suspect=True), raw, 0)

    assert judge(line, line.trade, a_parsed(T0_NS, 1), raw, 0) == "live"


def test_a_time_far_ahead_of_its_receipt_makes_no_later_tick_late() -> None:
    line = Line(1)

    judge(line, line.trade, a_parsed(T0_NS + 400 * DAY_NS), a_raw(), 0)

    assert judge(line, line.trade, a_parsed(T0_NS), a_raw(), 0) == "live"


def test_a_sequence_may_begin_again_on_the_next_trading_day() -> None:
    line = Line(1, trade=Newest(T0_NS, 1000))
    raw = a_raw(seen_ns=T0_NS + DAY_NS)

    judged = [judge(line, line.trade, a_parsed(T0_NS + DAY_NS, n), raw, 0) for n in (2, 1)]

    assert judged == ["live", "late"]


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        # New York's winter: 14:30 and 00:59 UTC are one session, 09:00 UTC is the next.
        (1_768_400_000, 1_768_438_740, True),
        (1_768_438_740, 1_768_467_600, False),
    ],
)
def test_the_evening_session_belongs_to_the_day_it_began(
    first: int, second: int, *, same: bool
) -> None:
    days = [trading_day(at_s * 1_000_000_000) for at_s in (first, second)]

    assert (days[0] == days[1]) is same
