"""How results of benchmarks are shown, and what is told of many values."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from typing import Any


def show(result: dict[str, Any]) -> None:
    """Readable lines, then one line of JSON."""
    for name, value in result.items():
        print(f"{name:<44} {value:>16,}" if isinstance(value, int | float) else f"{name} {value}")
    print(json.dumps(result))


def quantiles(values: Sequence[float]) -> dict[str, float]:
    """p50, p95 and p99, in the unit of the values."""
    cuts = statistics.quantiles(values, n=100)
    return {"p50": round(cuts[49], 2), "p95": round(cuts[94], 2), "p99": round(cuts[98], 2)}
