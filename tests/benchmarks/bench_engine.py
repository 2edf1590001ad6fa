"""engine, one process on real Kafka with both sample strategies; ticks a second.

Run: python -m tests.benchmarks.bench_engine
"""

from __future__ import annotations

import argparse

from connectors.kafka import groups
from hadron.topics import LIVE
from tests.benchmarks.measuring import append_ticks, rate
from tests.benchmarks.showing import show
from tests.integration.platform import SHARDS, platform

WARM = 50_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=800_000)
    records = parser.parse_args().records
    with platform(HADRON_CHECKPOINT_S="0.2", HADRON_SESSION_S="10") as alone:
        append_ticks(alone, records)
        alone.start("engine")

        def stepped() -> int:
            done = groups.committed(alone.admin, LIVE.group("engine"))
            return sum(done.get(("ticks.warm", p), 0) for p in range(SHARDS))

        found = rate(stepped, records, warm=WARM)
        decisions = sum(alone.log.ends([("decisions", p) for p in range(SHARDS)]).values())
        show({"records": records, "engine_ticks_per_s": found, "decisions": decisions})


if __name__ == "__main__":
    main()
