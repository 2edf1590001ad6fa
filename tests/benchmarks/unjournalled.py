"""`hadron run` of a process whose steps no journal says: to measure what the journal costs.

Nothing can follow what such a process did, so there is no setting for it.
Run: python -m tests.benchmarks.unjournalled engine
"""

from __future__ import annotations

import sys
from unittest.mock import patch

from hadron.__main__ import main

if __name__ == "__main__":
    sys.argv[1:1] = ["run"]
    with patch.dict("hadron.topics.JOURNAL", clear=True):
        main()
