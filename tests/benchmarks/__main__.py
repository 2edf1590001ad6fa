"""`make bench`: every benchmark, beside each other, with the hardware and the commit.

Run: python -m tests.benchmarks [NAME ...] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil

HERE = Path(__file__).parent


def main() -> int:
    names = sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names)}")
    parser.add_argument("--json", type=Path, help="write all results to this file")
    asked = parser.parse_args()
    unknown = set(asked.names) - set(names)
    if unknown:
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    results: dict[str, Any] = {"machine": machine(), "commit": commit()}
    print(json.dumps(results, indent=2))
    failed = 0
    for name in asked.names or names:
        print(f"\n== {name}", flush=True)
        done = subprocess.run(
            [sys.executable, "-m", f"tests.benchmarks.bench_{name}"],
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        print(done.stdout, end="", flush=True)
        failed += done.returncode != 0
        results[name] = json.loads(done.stdout.splitlines()[-1]) if not done.returncode else None
    if asked.json:
        asked.json.write_text(json.dumps(results, indent=2) + "\n", "utf-8")
    return 1 if failed else 0


def machine() -> str:
    """What this runs on, in one line."""
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{psutil.cpu_count()} cores, {_processor()}, {memory:.0f} GiB, {platform.system()}"
        f" {platform.release()}, Python {platform.python_version()}"
    )


def commit() -> str:
    """The commit that is measured; with + where the tree has changes."""
    said = subprocess.run(
        ["git", "describe", "--always", "--dirty=+"], capture_output=True, text=True, check=False
    )
    return said.stdout.strip() or "no git"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


if __name__ == "__main__":
    sys.exit(main())
