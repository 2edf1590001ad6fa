"""Bars: what an instrument traded at in spans of one width, by columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hadron.errors import ContractError

Longs = NDArray[np.int64]
Floats = NDArray[np.float64]
# The sum of so many such prices still fits 64 bits.
MOST = 2**40
MOST_BARS = 2**22
_KEPT = 64  # derived columns; a year of minutes is 0.8 MB each


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """The bars of one instrument, in the order of their times; spans without a trade are left out.

    Prices are mantissas of one `scale`: one unit is `10 ** scale`. Raise ContractError if columns
    differ in length, times do not rise by a width at least, or a price is not within its bar, not
    above 0, or `MOST` or more.
    """

    instrument: str
    scale: int
    width_ns: int
    at_ns: Longs  # when each began
    open: Longs
    high: Longs
    low: Longs
    close: Longs
    volume: Longs
    sums: Longs = field(init=False, repr=False)  # of all closes up to each
    _derived: dict[str, Floats] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        prices = (self.open, self.high, self.low, self.close)
        if any(len(column) != len(self.at_ns) for column in (*prices, self.volume)):
            raise ContractError(f"bars of {self.instrument}: columns are not of one length")
        object.__setattr__(self, "sums", np.cumsum(self.close))
        if len(self) > MOST_BARS:
            raise ContractError(
                f"bars of {self.instrument}: there are {len(self)}; wanted {MOST_BARS} at most"
            )
        for bad, wanted in (
            (np.diff(self.at_ns, prepend=self.at_ns[:1] - self.width_ns) < self.width_ns, "times"),
            ((self.low <= 0) | (self.high >= MOST), f"prices above 0 and below {MOST}"),
            (self.low > np.minimum(self.open, self.close), "low at the lowest"),
            (self.high < np.maximum(self.open, self.close), "high at the highest"),
        ):
            if bad.any():
                raise ContractError(self._sentence(int(bad.argmax()), wanted))

    def __len__(self) -> int:
        return len(self.at_ns)

    @property
    def ends_ns(self) -> Longs:
        """When each bar was complete."""
        return self.at_ns + self.width_ns

    @property
    def unit(self) -> int:
        """What a price is divided by to have it in units of money."""
        return int(10**self.scale)

    def between(self, begin_ns: int | None, end_ns: int | None) -> Bars:
        """The bars that began in [begin, end)."""
        begin = 0 if begin_ns is None else int(np.searchsorted(self.at_ns, begin_ns))
        end = len(self) if end_ns is None else int(np.searchsorted(self.at_ns, end_ns))
        return self[begin:end]

    def __getitem__(self, span: slice) -> Bars:
        columns = (self.at_ns, self.open, self.high, self.low, self.close, self.volume)
        return Bars(self.instrument, self.scale, self.width_ns, *(c[span] for c in columns))

    def derived(self, name: str, make: Callable[[], Sequence[float] | Floats]) -> Floats:
        """A column made of these bars, kept for whoever asks for the same name again."""
        found = self._derived.get(name)
        if found is None:
            if len(self._derived) >= _KEPT:
                del self._derived[next(iter(self._derived))]
            found = self._derived[name] = np.asarray(make(), np.float64)
        return found

    def _sentence(self, place: int, wanted: str) -> str:
        prices = [int(column[place]) for column in (self.open, self.high, self.low, self.close)]
        return (
            f"bars of {self.instrument}: bar {place} at {int(self.at_ns[place])} has open, high,"
            f" low, close {prices}; wanted {wanted}"
            + (f" that rise by {self.width_ns} ns at least" if wanted == "times" else "")
        )
