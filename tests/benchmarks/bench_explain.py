"""How long an explanation takes, and each query, with many ticks stored.

Run: python -m tests.benchmarks.bench_explain [--ticks 10000000]
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.timescale.querying import queries
from connectors.timescale.querying.explanation import Explainer
from connectors.timescale.querying.lineage import lineage
from hadron.audit.ids import read
from tests.benchmarks.measuring import server
from tests.benchmarks.showing import quantiles, show
from tests.integration import bulk
from tests.integration.platform import servers
from tests.support import codec

EVERY = 1_000  # ticks to an order
STORIES = 200
START = datetime.fromtimestamp(1_700_000_000, UTC)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ticks", type=int, default=10_000_000)
    ticks = parser.parse_args().ticks
    with servers("postgres") as (_, endpoints):
        url = endpoints.database
        began = time.monotonic()
        bulk.fill(url, ticks=ticks, every=EVERY)
        result: dict[str, Any] = {"database": server(url), "ticks": ticks}
        result["fill_s"] = round(time.monotonic() - began, 1)
        result |= _stories(url, ticks // EVERY)
        result |= _commands(url)
        result |= _queries(url, START + timedelta(milliseconds=ticks))
    show(result)


def _stories(url: str, orders: int) -> dict[str, Any]:
    """Of orders anywhere, each over a connection of its own, as the command has one."""
    chance = random.Random(7)
    taken: list[float] = []
    for _ in range(STORIES):
        number = chance.randrange(orders)
        began = time.monotonic()
        with lineage(url, codec()) as found:
            step = Explainer(found, codec()).explain(read(f"h-intents-{number % 4}-{number // 4}"))
        taken.append((time.monotonic() - began) * 1_000)
        depth = 1
        while step.causes:
            step, depth = step.causes[0], depth + 1
        assert (depth, step.kind, step.found) == (5, "RawReceived", "archive"), step
    return {f"explain_{name}_ms": value for name, value in quantiles(taken).items()}


def _commands(url: str) -> dict[str, Any]:
    """The whole command, from the shell's line to its end."""
    settings = {"HADRON_DATABASE": url, "HADRON_KAFKA": "127.0.0.1:1", "HADRON_REDIS": "redis://x"}
    taken = []
    for number in range(9):
        command = [sys.executable, "-m", "hadron", "explain", f"h-intents-1-{number}", "--json"]
        began = time.monotonic()
        subprocess.run(command, env={**os.environ, **settings}, check=True, capture_output=True)
        taken.append(time.monotonic() - began)
    taken.sort()
    return {"command_median_s": round(taken[4], 2), "command_longest_s": round(taken[-1], 2)}


def _queries(url: str, end: datetime) -> dict[str, Any]:
    second = timedelta(seconds=1)
    asked: dict[str, Callable[[], Any]] = {
        "decisions": lambda: queries.decisions(url, strategy="s1", limit=20),
        "orders": lambda: queries.orders(url, instrument="eq:S0", limit=20),
        "positions": lambda: queries.positions(url),
        "slippage": lambda: queries.slippage(url, limit=20),
        "gaps": lambda: queries.gaps(url, limit=20),
        "lag_of_a_minute": lambda: queries.lag(url, start=end - 60 * second, end=end),
        "newest_tick": lambda: queries.newest_tick(url),
    }
    result = {}
    for name, ask in asked.items():
        began = time.monotonic()
        assert ask(), name
        result[f"query_{name}_ms"] = round((time.monotonic() - began) * 1_000, 1)
    return result


if __name__ == "__main__":
    main()
