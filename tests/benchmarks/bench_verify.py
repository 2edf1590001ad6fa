"""How fast stored ticks are held against the chains that were made as they were stored.

Run: python -m tests.benchmarks.bench_verify [--records 1000000]
"""

from __future__ import annotations

import argparse
import os
import time
from typing import TYPE_CHECKING

from connectors.timescale.verifying import checking
from tests.support import codec

if TYPE_CHECKING:
    from tests.integration.platform import Platform


def main() -> None:
    # Not at the top: the processes that verify import this module anew, and would pay for what
    # those of `hadron verify` do not have.
    from tests.benchmarks.bench_archive import archived, produce
    from tests.benchmarks.measuring import server
    from tests.benchmarks.showing import show
    from tests.integration.platform import platform

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    with platform("postgres") as alone:
        assert alone.settings.database_migrate is not None
        database = server(alone.settings.database_migrate.get_secret_value())
        produce(alone.log, asked.records)
        archived(alone, asked.records, group="verify")
        runs = [_verified(alone, asked.records, asked.processes) for _ in range(asked.runs)]
    show(
        {
            "database": database,
            "records": asked.records,
            "processes": asked.processes,
            **{f"verify_{name}": [run[name] for run in runs] for name in runs[0]},
        }
    )


def _verified(alone: Platform, records: int, processes: int) -> dict[str, float]:
    from tests.benchmarks.measuring import server_cpu_s

    assert alone.settings.database_migrate is not None
    url = alone.settings.database_migrate.get_secret_value()
    before, servers, began = _cpu_s(), server_cpu_s(alone.directory), time.monotonic()
    found, rows = checking.check(url, codec, processes=processes)
    seconds = time.monotonic() - began
    ours = _cpu_s() - before
    server = server_cpu_s(alone.directory)["postgres"] - servers["postgres"]
    assert not found.broken, found.broken
    assert rows >= records  # and what the platform wrote itself
    return {
        "rows_per_s": round(rows / seconds),
        # What is left of a figure where others use the cores, too.
        "cpu_us": round(ours / rows * 1e6, 2),
        "postgres_cpu_us": round(server / rows * 1e6, 2),
    }


def _cpu_s() -> float:
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


if __name__ == "__main__":
    main()
