"""Live's budget (c) beside a shadow and without one, in turns: requirement G3 wants no difference.

The shadow is of a version that is live's own: it does what live's engine does for that strategy.
Run: python -m tests.benchmarks.bench_shadow [--rounds N] [--seconds S] [--rate R]
"""

from __future__ import annotations

import argparse
import signal
from contextlib import closing

from tests.benchmarks.bench_latency import BUSY, WARM_S, deciding, read, reader_of_intents
from tests.benchmarks.pairs import Costs, in_turns, times
from tests.benchmarks.showing import quantiles, show
from tests.integration.replaying import commanding

STARTING_S = 5.0  # imports of the command, and finding live's checkpoint


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=15, help="of each half of a round")
    parser.add_argument("--rate", type=int, default=200, help="ticks/s, a multiple of 200")
    asked = parser.parse_args()
    beside: list[float] = []
    without: list[float] = []
    with deciding(asked.rate) as alone, closing(reader_of_intents(alone)) as reader:
        read(reader, WARM_S)

        def with_a_shadow() -> Costs:
            with commanding(alone, "shadow", BUSY, "--json") as child:
                read(reader, STARTING_S)
                waits = read(reader, asked.seconds)
                assert child.poll() is None, child.communicate()[1]
                child.send_signal(signal.SIGINT)
                child.wait(60)
                assert child.returncode == 0, child.communicate()[1]  # it agreed with live
            read(reader, 1)
            beside.extend(waits)
            return quantiles(waits)

        def with_none() -> Costs:
            waits = read(reader, asked.seconds)
            without.extend(waits)
            return quantiles(waits)

        pairs = in_turns(with_a_shadow, with_none, rounds=asked.rounds)
    show(
        {"rounds": asked.rounds, "intents_beside": len(beside), "intents_without": len(without)}
        | {f"ms_beside_{q}": ms for q, ms in quantiles(beside).items()}
        | {f"ms_without_{q}": ms for q, ms in quantiles(without).items()}
        | {f"p50_{name}": value for name, value in times("p50", pairs).items()}
        | {f"p99_{name}": value for name, value in times("p99", pairs).items()}
    )


if __name__ == "__main__":
    main()
