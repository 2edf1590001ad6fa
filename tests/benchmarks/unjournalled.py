"""`hadron run` of a process whose steps no journal says: to measure what the journal costs.

Nothing can follow what such a process did, so there is no setting for it.
Run: python -m tests.benchmarks.unjournalled engine
"""

from __future__ import annotations

import sys

import streams.shard
from hadron.__main__ import main

if __name__ == "__main__":
    streams.shard.JOURNAL = {}
    sys.argv[1:1] = ["run"]
    sys.exit(main())
