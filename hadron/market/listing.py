"""What the normalizer remembers of one instrument at one venue."""

from __future__ import annotations

from dataclasses import dataclass, field

from hadron.market.quality import Line
from hadron.market.volatility import Range


@dataclass(slots=True, eq=False)
class Listing:
    """Equal only to itself, so that a set of those touched is quick to add to."""

    venue: str
    instrument: str
    line: Line
    range: Range = field(default_factory=Range)
