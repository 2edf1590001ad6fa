"""The bars of many instruments at once: rows are instruments, columns are bars."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np

from hadron.errors import ContractError
from hadron.market.bars import Bars, Floats, Longs


class Panel:
    """Equally many bars of each instrument, the newest last, with the columns of `Bars`.

    What goes along the last axis there (`close[..., 4:]`) goes along it here. The bars of a column
    need not be of one time: each row is an instrument's own last bars. A column is put together
    when it is asked for.
    """

    def __init__(self, rows: Sequence[Bars]) -> None:
        """Raise ContractError if there is none, or they differ in length."""
        if len(set(map(len, rows))) != 1:
            lengths = sorted(set(map(len, rows)))
            raise ContractError(f"panel: rows have {lengths or 'no'} bars; wanted equally many")
        self._rows = rows
        self._length = len(rows[0])

    def __len__(self) -> int:
        """Bars of each instrument, as of `Bars`."""
        return self._length

    @cached_property
    def at_ns(self) -> Longs:
        return np.stack([row.at_ns for row in self._rows])

    @cached_property
    def open(self) -> Longs:
        return np.stack([row.open for row in self._rows])

    @cached_property
    def high(self) -> Longs:
        return np.stack([row.high for row in self._rows])

    @cached_property
    def low(self) -> Longs:
        return np.stack([row.low for row in self._rows])

    @cached_property
    def close(self) -> Longs:
        return np.stack([row.close for row in self._rows])

    @cached_property
    def volume(self) -> Longs:
        return np.stack([row.volume for row in self._rows])

    @cached_property
    def sums(self) -> Longs:
        return np.cumsum(self.close, axis=-1)

    @cached_property
    def unit(self) -> Longs:
        """One for each row, as a column."""
        return np.array([[row.unit] for row in self._rows])

    def derived(self, name: str, make: Callable[[], Sequence[float] | Floats]) -> Floats:
        """A column made of these bars. Panels live for one question, so nothing is kept."""
        return np.asarray(make(), np.float64)
