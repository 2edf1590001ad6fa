"""One event of a market that is played: a tape's or a generated one's."""

from __future__ import annotations

from typing import NamedTuple


class Played(NamedTuple):
    """An event in Massive's bytes. `topic` is what a client subscribes to: `T.AAPL`, `Q.AAPL`."""

    at_ms: int  # since the epoch, UTC: the market's own time
    topic: str
    element: bytes

    @property
    def symbol(self) -> str:
        """The ticker."""
        return self.topic.partition(".")[2]
