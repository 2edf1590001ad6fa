"""What it costs to count, to set a gauge and to observe, in microseconds a call.

Run: python -m tests.benchmarks.bench_metrics
"""

from __future__ import annotations

import timeit
from collections.abc import Callable

from connectors.telemetry.metrics import PrometheusTelemetry
from hadron import metrics
from tests.benchmarks.showing import show

CALLS, REPEATS = 20_000, 5


def main() -> None:
    telemetry = PrometheusTelemetry()
    calls: dict[str, Callable[[], None]] = {
        "count": lambda: telemetry.count(
            metrics.RECORDS_IN, 1, process="engine", topic="ticks.warm"
        ),
        "gauge": lambda: telemetry.gauge(metrics.SHARDS, 4, process="engine"),
        "observe": lambda: telemetry.observe(
            metrics.STEP_SECONDS, 0.001, process="engine", lane="warm"
        ),
    }
    show({f"{name}_us": _each(call) for name, call in calls.items()})


def _each(call: Callable[[], None]) -> float:
    best = min(timeit.repeat(call, number=CALLS, repeat=REPEATS))
    return round(best / CALLS * 1e6, 2)


if __name__ == "__main__":
    main()
