"""How fast tables are made again from the log: into an empty database, and beside whole tables.

Run: python -m tests.benchmarks.bench_rebuild [--records 5000000]
"""

from __future__ import annotations

import argparse
import resource
import time
from typing import Any

from connectors.kafka import admin
from connectors.kafka.connection import configuration
from connectors.timescale.archiving.process import catalogue
from connectors.timescale.rebuilding.rebuild import Rebuilt, Work, rebuild
from connectors.timescale.rebuilding.sources import Kafka, Sources
from tests.benchmarks.bench_archive import produce
from tests.benchmarks.measuring import server, server_cpu_s
from tests.benchmarks.showing import show
from tests.integration.archiving import Counts
from tests.integration.platform import SHARDS, Platform, platform
from tests.support import codec


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=5_000_000)
    records = parser.parse_args().records
    with platform("postgres") as alone:
        produce(alone.log, records)
        assert alone.settings.database_migrate is not None
        database = server(alone.settings.database_migrate.get_secret_value())
        result: dict[str, Any] = {"database": database, "records": records}
        for name in ("into_empty", "beside_whole"):
            before, cpu_s, began = (
                server_cpu_s(alone.directory),
                time.process_time(),
                time.monotonic(),
            )
            found = _rebuilt(alone)
            seconds, cpu_s = time.monotonic() - began, time.process_time() - cpu_s
            time.sleep(1)  # what a session took is known when its process has ended
            spent = {of: s - before[of] for of, s in server_cpu_s(alone.directory).items()}
            assert found.rows >= records, found  # and what the platform wrote itself
            assert found.same == (name == "beside_whole"), found
            result[f"{name}_s"] = round(seconds, 1)
            result[f"{name}_rows_per_s"] = round(records / seconds)
            # What is left of a figure where others use the cores, too.
            for of, s in {"rebuild": cpu_s, **spent}.items():
                result[f"{name}_{of}_cpu_us"] = round(s / records * 1e6, 2)
    result["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    show(result)


def _rebuilt(alone: Platform) -> Rebuilt:
    connection = configuration(alone.settings)
    kafka = Kafka(connection, admin.connect(connection), SHARDS)
    assert alone.settings.database_migrate is not None
    url = alone.settings.database_migrate.get_secret_value()
    return rebuild(Work(url, Sources(kafka), catalogue(), codec(), Counts()))


if __name__ == "__main__":
    main()
