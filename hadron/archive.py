"""The archive, for notebooks and scripts: questions in Python, answers as Arrow or Polars.

from hadron.archive import Archive

archive = Archive("postgresql://reader@localhost/hadron")
table = archive.decisions(strategy="sma")
frame = archive.polars(table)
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Unpack

from connectors.timescale.querying import frames, questions
from connectors.timescale.querying.questions import (
    Wanted,
    WantedAlerts,
    WantedExposure,
    WantedLag,
    WantedPositions,
    WantedTicks,
)
from connectors.timescale.storage.windows import Interval
from hadron.errors import HadronError

if TYPE_CHECKING:
    import polars
    import pyarrow


class Archive:
    """Asks one database. The columns of an answer are in docs/queries.md.

    `limit=None` asks for all rows; without it they are 1,000. All methods raise TransientError
    while the database is unwell, HadronError where pyarrow is not installed.
    """

    def __init__(self, url: str) -> None:
        """`url` is one of PostgreSQL or TimescaleDB; a role that may read is enough."""
        self._url = url

    def candles(
        self,
        instrument: str,
        *,
        every: Interval,
        start: datetime,
        end: datetime,
        limit: int | None = questions.LIMIT,
    ) -> pyarrow.Table:
        """The newest candles whose bucket begins in [start, end), oldest first."""
        asked = questions.candles(instrument, every=every, start=start, end=end, limit=limit)
        return frames.table(self._url, asked)

    def decisions(self, **wanted: Unpack[Wanted]) -> pyarrow.Table:
        """Decisions with what became of them, newest first."""
        return frames.table(self._url, questions.decisions(**wanted))

    def orders(self, **wanted: Unpack[Wanted]) -> pyarrow.Table:
        """Orders with their fills, newest first."""
        return frames.table(self._url, questions.orders(**wanted))

    def positions(self, **wanted: Unpack[WantedPositions]) -> pyarrow.Table:
        """Positions now, as of a time, or as of offsets of the topic `positions`."""
        return frames.table(self._url, questions.positions(**wanted))

    def exposure(self, **wanted: Unpack[WantedExposure]) -> pyarrow.Table:
        """What each portfolio has at risk, now or as of then, and the limits in force."""
        return frames.table(self._url, questions.exposure(**wanted))

    def slippage(self, **wanted: Unpack[Wanted]) -> pyarrow.Table:
        """Fills against the price to be had at their decision, newest first."""
        return frames.table(self._url, questions.slippage(**wanted))

    def gaps(self, **wanted: Unpack[WantedTicks]) -> pyarrow.Table:
        """Ticks before which some may be missing, newest first."""
        return frames.table(self._url, questions.gaps(**wanted))

    def alerts(self, *, raised: bool = False, **wanted: Unpack[WantedAlerts]) -> pyarrow.Table:
        """Alerts with their ends, newest first; `raised`: only those that are not over."""
        return frames.table(self._url, questions.alerts(raised=raised, **wanted))

    def lag(self, **wanted: Unpack[WantedLag]) -> pyarrow.Table:
        """How late ticks came, by instrument."""
        return frames.table(self._url, questions.lag(**wanted))

    @staticmethod
    def polars(table: pyarrow.Table) -> polars.DataFrame:
        """The same columns for Polars. Raise HadronError where it is not installed."""
        try:
            import polars
        except ImportError as error:
            wanted = "install hadron-platform[polars]"
            raise HadronError(f"polars is not installed; {wanted}") from error
        return polars.DataFrame(table)
