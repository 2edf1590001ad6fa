"""The journal stepped again at full speed, and shards restored after a kill.

The engine takes ticks of 10,000 instruments, is killed -9 behind the last of them, and started
again; then everything is stepped again in the order of the journal and compared with the log.

Run: python -m tests.benchmarks.bench_replay [--records N] [--instruments N]
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys

from connectors.kafka import groups
from hadron.topics import LIVE
from tests.benchmarks.measuring import append, append_ticks, encoded_ticks, rate
from tests.benchmarks.showing import show
from tests.integration.platform import SHARDS, Platform, kill, platform, until

WARM = 50_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--instruments", type=int, default=10_000)
    asked = parser.parse_args()
    with platform(HADRON_CHECKPOINT_S="1", HADRON_SESSION_S="10") as alone:
        append_ticks(alone, asked.records, symbols=asked.instruments)
        engine = alone.start("engine")

        def stepped() -> int:
            done = groups.committed(alone.admin, LIVE.group("engine"))
            return sum(done.get(("ticks.warm", p), 0) for p in range(SHARDS))

        live = rate(stepped, asked.records, warm=WARM)
        kill(engine)
        alone.start("engine")
        # A shard is restored when something comes for it.
        more = range(asked.records, asked.records + 50 * SHARDS)
        append(alone, "ticks.warm", encoded_ticks(more, lane="warm", symbols=asked.instruments))
        until(lambda: len(_restored(alone)) == 2 * SHARDS, "all shards are restored")
        restored = _restored(alone)[SHARDS:]
        alone.wait_until_taken("engine")
        alone.stop_all()
        found = _again(alone)
    show(
        {
            "records": asked.records,
            "instruments": asked.instruments,
            "live_ticks_per_s": live,
            "slowest_shard_restored_s": max(restored),
            "all_shards_restored_s": round(sum(restored), 3),
            "identical": found["identical"],
            "facts": found["replayed"],
            "again_records": found["records"],
            "again_records_per_s_one_worker": found["records_per_s"],
            # What is left of a figure where others use the cores, too; with the command's start.
            "again_cpu_us": round(found["cpu_s"] / asked.records * 1e6, 2),
        }
    )


def _restored(alone: Platform) -> list[float]:
    """Seconds that each restored shard took, as the engine's log has them."""
    lines = [json.loads(line) for line in alone.said("engine").splitlines() if line[:1] == "{"]
    return [line["seconds"] for line in lines if line.get("event") == "shard restored"]


def _again(alone: Platform) -> dict[str, float]:
    before = _children_cpu_s()
    command = ["replay", "--from", "beginning", "--compare", "--workers", "1", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "hadron", *command],
        env=alone.environment,
        stdout=subprocess.PIPE,
        check=True,
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found | {"cpu_s": _children_cpu_s() - before}


def _children_cpu_s() -> float:
    """Of children that have ended."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


if __name__ == "__main__":
    main()
