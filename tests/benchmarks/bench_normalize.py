"""normalize, one process on real Kafka: decode, parse, classify, encode, produce; events a second.

Run: python -m tests.benchmarks.bench_normalize
"""

from __future__ import annotations

import argparse

from hadron.topics import TICKS
from tests.benchmarks.measuring import append_raw_trades, rate
from tests.benchmarks.showing import show
from tests.integration.platform import SHARDS, platform

WARM = 50_000  # imports, joining the group, restoring, first fetches


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=600_000)
    records = parser.parse_args().records
    with platform(HADRON_CHECKPOINT_S="1", HADRON_SESSION_S="10") as alone:
        append_raw_trades(alone, records)
        places = [(topic.name, p) for topic in TICKS.values() for p in range(SHARDS)]
        alone.start("normalize")
        found = rate(lambda: sum(alone.log.ends(places).values()), records, warm=WARM)
        show({"records": records, "normalize_events_per_s": found})


if __name__ == "__main__":
    main()
