"""How fast stored ticks are held against the chains that were made as they were stored.

Run: python -m tests.benchmarks.bench_verify [--records 1000000]
"""

from __future__ import annotations

import argparse
import os
import time

from connectors.http.health import Health
from connectors.timescale.archiving import process
from connectors.timescale.verifying import checking
from tests.alarms import Heard
from tests.benchmarks.bench_archive import Watch, produce
from tests.benchmarks.measuring import show
from tests.integration.platform import platform
from tests.support import codec


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    with platform("postgres", batch_rows="5000") as alone:
        assert alone.settings.database_migrate is not None
        produce(alone.log, asked.records)
        watch = Watch(asked.records)
        process.run(
            alone.settings,
            codec=codec(),
            telemetry=watch,
            pulse=Health("archive", "bench"),
            alarms=Heard(),
            stop=watch.stop,
        )
        began = time.monotonic()
        found, rows = checking.check(
            alone.settings.database_migrate.get_secret_value(), codec, processes=asked.processes
        )
        seconds = time.monotonic() - began
    assert not found.broken, found.broken
    assert rows >= asked.records  # and what the platform wrote itself
    show(
        {
            "records": asked.records,
            "processes": asked.processes,
            "verify_rows_per_s": round(rows / seconds),
            "entries": len(found.hashes),
        }
    )


if __name__ == "__main__":
    main()
