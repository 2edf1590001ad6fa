"""A year of minute bars that nobody traded: a seeded walk, as a tape and as arrays.

Run: python -m tests.benchmarks.year FOLDER
"""

from __future__ import annotations

import sys
import zipfile
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

DAYS, MINUTES = 252, 390
OPEN_MS = 34_200_000  # half past nine
SYMBOL = "YEAR"
TAPE, ARRAYS = "us_equity_minute_bars", "bars.npz"


def write(folder: Path, *, seed: int = 7) -> None:
    """Write the same bars as files of the tape and as `bars.npz` for those who read that."""
    rows = _rows(np.random.default_rng(seed))
    (folder / TAPE).mkdir(parents=True, exist_ok=True)
    day = date(2013, 1, 1)
    for begin in range(0, len(rows), MINUTES):
        while day.weekday() > 4:
            day += timedelta(1)
        lines = "".join(",".join(map(str, row)) + "\n" for row in rows[begin : begin + MINUTES])
        name = f"{SYMBOL.lower()}_{day:%Y%m%d}_trade"
        with zipfile.ZipFile(folder / TAPE / f"{name}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"{name}.csv", lines)
        day += timedelta(1)
    prices = {
        name: rows[:, n] / 10_000 for n, name in enumerate(("open", "high", "low", "close"), 1)
    }
    np.savez(folder / ARRAYS, allow_pickle=False, **prices)


def _rows(draw: np.random.Generator) -> NDArray[np.int64]:
    """ms, open, high, low, close in ten thousandths, volume; prices are whole cents."""
    count = DAYS * MINUTES
    close = 15_000 + np.cumsum(draw.integers(-3, 4, count))
    opening = np.concatenate((close[:1], close[:-1])) + draw.integers(-1, 2, count)
    high = np.maximum(opening, close) + draw.integers(0, 3, count)
    low = np.minimum(opening, close) - draw.integers(0, 3, count)
    ms = OPEN_MS + 60_000 * (np.arange(count) % MINUTES)
    columns = (ms, opening * 100, high * 100, low * 100, close * 100, draw.integers(1, 99, count))
    rows: NDArray[np.int64] = np.stack(columns, axis=1).astype(np.int64)
    return rows


if __name__ == "__main__":
    write(Path(sys.argv[1]))
