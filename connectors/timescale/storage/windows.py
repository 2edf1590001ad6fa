"""From what age rows are compressed, refreshed and dropped: the one place of these times.

They depend on each other. Candles of seconds are made from ticks, so they must never be made again
where ticks were dropped: that would erase them. The upper candles are made from candles, which are
never dropped.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Literal, NamedTuple

from hadron.settings import Settings

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)

Interval = Literal["1s", "1m", "1h", "1d"]


class Level(NamedTuple):
    """Candles of one width. A bucket is made when it ended `settled` ago, looked for `each`."""

    interval: Interval
    width: timedelta
    settled: timedelta
    each: timedelta

    @property
    def view(self) -> str:
        """Its continuous aggregate, or view on plain PostgreSQL."""
        return f"candles_{self.interval}"

    @property
    def batch(self) -> int:
        """Buckets that TimescaleDB makes in one go, a day of seconds at least.

        It counts all batches from the oldest chunk on, each time: with its own default of a few
        buckets, seconds of a tape of years ago would be hundreds of millions.
        """
        return max(DAY // self.width, 720)


# Each is made of the one before. What is not made yet is added when it is read.
LEVELS = (
    Level("1s", SECOND, settled=MINUTE, each=MINUTE),
    Level("1m", MINUTE, settled=2 * MINUTE, each=MINUTE),
    Level("1h", HOUR, settled=2 * HOUR, each=30 * MINUTE),
    Level("1d", DAY, settled=2 * DAY, each=6 * HOUR),
)


class Table(NamedTuple):
    """A hypertable: the span of a chunk, the age that compresses it, what decides on its end."""

    chunk: timedelta
    compress_after: timedelta
    kept_as: Literal["raw", "ticks", "audit"]


_AUDIT = Table(chunk=7 * DAY, compress_after=30 * DAY, kept_as="audit")
TABLES: Mapping[str, Table] = {
    "raw_events": Table(chunk=DAY, compress_after=7 * DAY, kept_as="raw"),
    "ticks": Table(chunk=DAY, compress_after=7 * DAY, kept_as="ticks"),
    "strategy_decisions": _AUDIT,
    "order_intents": _AUDIT,
    "order_executions": _AUDIT,
    "positions": _AUDIT,
    "dead_letters": _AUDIT,
    "price_marks": _AUDIT,
    "control_changes": _AUDIT,
    "instruments_listed": _AUDIT,
    "strategy_versions": _AUDIT,
    "alerts": _AUDIT,
}


class Keep(NamedTuple):
    """How long rows are kept at least, counted from when they were stored. None: for ever."""

    raw: timedelta | None = None
    ticks: timedelta | None = None
    audit: timedelta | None = None


FOR_EVER = Keep()


def keep_of(settings: Settings) -> Keep:
    """What the settings say."""
    days = (settings.keep_raw_days, settings.keep_ticks_days, settings.keep_audit_days)
    return Keep(*(None if one is None else one * DAY for one in days))


def drop_after(table: Table, keep: Keep) -> timedelta | None:
    """The age that each row has, counted from its storing, when `hadron storage retire` lets it go.

    One span of a chunk more than is kept, so that clocks that are ahead take nothing from it.
    """
    kept: timedelta | None = getattr(keep, table.kept_as)
    return None if kept is None else kept + table.chunk


def refresh_from(level: Level, keep: Keep) -> timedelta | None:
    """The age of the oldest bucket that is made again by itself; None: of any age.

    A chunk of ticks ends at most its span after it was made, and is dropped when it ended `keep`
    ago or earlier: one more span of distance is for clocks of venues that are ahead.
    """
    if level is not LEVELS[0] or keep.ticks is None:
        return None
    return keep.ticks - TABLES["ticks"].chunk
