"""How far a tick can be trusted, from its times, its sequence and the connection it came by."""

from __future__ import annotations

from dataclasses import dataclass, field

from hadron.market.facts import Quality, RawReceived
from hadron.venues.parsed import ParsedQuote, ParsedTrade

DAY_NS = 86_400_000_000_000
# A trading day begins at 05:00 UTC, midnight in New York's winter: no US venue prints then, in
# winter or summer, and a venue's sequence that begins again each day has not yet begun.
DAY_BEGINS_NS = 5 * 3_600_000_000_000


def trading_day(at_ns: int) -> int:
    """The number of the trading day that a time lies in."""
    return (at_ns - DAY_BEGINS_NS) // DAY_NS


@dataclass(slots=True)
class Newest:
    """The highest time and sequence seen of one kind of tick."""

    at_ns: int = 0
    sequence: int = 0


@dataclass(slots=True)
class Line:
    """What an instrument showed at one venue: where its ticks stood, and by which connection."""

    connection: int
    trade: Newest = field(default_factory=Newest)
    quote: Newest = field(default_factory=Newest)


def judge(
    line: Line,
    newest: Newest,
    tick: ParsedTrade | ParsedQuote,
    raw: RawReceived,
    stale_after_ns: int,
) -> Quality:
    """Judge a tick and move `line` and its `newest` (the one of the tick's kind) past it.

    The first that applies of: suspect, late, gap, stale, live. A suspect tick moves nothing. A
    suspect or late tick leaves a gap open, so that the next good tick tells of it.
    """
    if tick.suspect:
        return "suspect"
    at_ns = tick.at_ns or raw.seen_ns
    sequence = tick.sequence
    if at_ns < newest.at_ns or (
        0 < sequence < newest.sequence and trading_day(at_ns) == trading_day(newest.at_ns)
    ):
        return "late"
    if is_sane(at_ns, raw):
        newest.at_ns = at_ns
        newest.sequence = sequence or newest.sequence
    if raw.connection != line.connection:
        line.connection = raw.connection
        return "gap"
    if stale_after_ns and raw.seen_ns - at_ns > stale_after_ns:
        return "stale"
    return "live"


def is_sane(at_ns: int, raw: RawReceived) -> bool:
    """Whether a time may be compared with later ones.

    One time from a far future would make every later tick late; so times more than a day ahead of
    their receipt are passed on and forgotten.
    """
    return at_ns <= raw.seen_ns + DAY_NS
