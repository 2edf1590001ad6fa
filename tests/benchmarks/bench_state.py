"""Where the memory of an instrument goes in normalize and engine: bytes, by what keeps them.

Each instrument has had some trades, and both sample strategies run on it. What the processes take
of the system is in `bench_memory`.

Run: python -m tests.benchmarks.bench_state [--instruments N] [--trades N]
"""

from __future__ import annotations

import argparse
import gc
import tracemalloc
from collections.abc import Callable, Sequence

import schemas
from hadron.audit.checkpoints import Recovered
from hadron.envelope import AvroCodec, Version
from hadron.market.facts import RawReceived, Tick
from hadron.market.normalizer import Normalizer
from hadron.ports import Record
from hadron.topics import LIVE
from hadron.venues.massive import elements
from hadron.venues.registry import PARSERS
from streams.outbox import Outbox
from streams.shard import Place, Shard
from tests.benchmarks.inside import FOLDS, Passing
from tests.benchmarks.showing import show
from tests.support import T0_NS, a_raw, a_slice, a_strategy, codec, some_rules

CONTROL = (some_rules(), a_strategy("SimpleSMA"), a_strategy("Crossover"))
SLICE = 500
# What is kept, but by no fold: fields that repeat, and numbers met before, 16,384 of them at most.
APART = {"codec": "hadron/avro/", "numbers": "hadron/venues/"}

Facts = Sequence[RawReceived | Tick]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instruments", type=int, default=10_000)
    parser.add_argument("--trades", type=int, default=10, help="of each instrument")
    asked = parser.parse_args()
    raws = [a_trade_of(n, asked.instruments) for n in range(asked.instruments * asked.trades)]
    found: dict[str, object] = {"instruments": asked.instruments, "trades": asked.trades}
    for process, facts in {"normalize": raws, "engine": normalized(raws)}.items():
        kept = bytes_kept(process, facts)
        for kind, size in kept.items():
            found[f"{process}_{kind}"] = round(size / asked.instruments)
    show(found)


def a_trade_of(number: int, instruments: int) -> RawReceived:
    """One of the trades that go round all instruments; no price comes again soon."""
    symbol, cents = f"S{number % instruments}", 10_000 + number * 7_919 % 4_000
    payload = elements.trade(
        symbol,
        f"{cents / 100:.2f}",
        100,
        at_ms=T0_NS // 10**6 + number,
        sequence=number + 1,
        exchange=4,
        conditions=(0, 12),
    )
    instrument, seen_ns = f"eq:{symbol}", T0_NS + number * 10**6
    return a_raw(payload, symbol=symbol, instrument=instrument, seen_ns=seen_ns, frame=number)


def normalized(raws: Sequence[RawReceived]) -> Sequence[Tick]:
    """The ticks of raw events."""
    return Normalizer(PARSERS).step(a_slice("raw.massive", *raws))


def bytes_kept(process: str, facts: Facts) -> dict[str, int]:
    """Bytes that are left behind all facts: by the fold, what surrounds it, and in all."""
    state = state_kept(process, facts)
    values = [codec().encode(fact) for fact in facts]
    topic = _topic(process)
    records = [Record(topic, 0, offset, 0, None, value) for offset, value in enumerate(values)]
    by_file = _kept(lambda: _in_its_shard(process, records))
    total = sum(by_file.values())
    apart = {
        kind: sum(size for name, size in by_file.items() if part in name)
        for kind, part in APART.items()
    }
    checkpoint = total - state - sum(apart.values())
    return {"state": state, **apart, "checkpoint": checkpoint, "total": total}


def state_kept(process: str, facts: Facts) -> int:
    """Bytes that the fold alone keeps."""
    topic = _topic(process)
    slices = [
        a_slice(topic, *facts[first : first + SLICE], first=first)
        for first in range(0, len(facts), SLICE)
    ]

    def run() -> object:
        fold = FOLDS[process]()
        fold.step(a_slice("control", *CONTROL))
        for slice in slices:
            fold.step(slice)
        fold.snapshot()  # what changed since the last one is known until then
        return fold

    by_file = _kept(run)
    return sum(
        size for name, size in by_file.items() if not any(part in name for part in APART.values())
    )


def _in_its_shard(process: str, records: Sequence[Record]) -> object:
    fresh = AvroCodec([Version(c.id, c.name, c.schema) for c in schemas.catalogue()])
    log = Passing()
    outbox = Outbox(log, fresh, names=LIVE, partitions=1)
    shard = Shard(Place(process, 1, LIVE), 0, FOLDS[process](), Recovered())
    told = [Record("control", 0, n, 0, None, fresh.encode(fact)) for n, fact in enumerate(CONTROL)]
    shard.step("control", told, fresh)
    for first in range(0, len(records), SLICE):
        outbox.append(shard.step(_topic(process), records[first : first + SLICE], fresh))
        log.taken()
    shard.checkpoint({})
    return shard, outbox


def _kept(run: Callable[[], object]) -> dict[str, int]:
    """Bytes of what is still there after `run`, with what it returned, by the file that made it."""
    gc.collect()
    tracemalloc.start()
    try:
        kept = run()
        gc.collect()
        found = tracemalloc.take_snapshot().statistics("filename")
        del kept
    finally:
        tracemalloc.stop()
    return {one.traceback[0].filename.replace("\\", "/"): one.size for one in found}


def _topic(process: str) -> str:
    return {"normalize": "raw.massive", "engine": "ticks.warm"}[process]


if __name__ == "__main__":
    main()
