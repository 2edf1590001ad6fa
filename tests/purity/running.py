"""The folds over one generated log, in shards on some workers; prints hashes of what they said.

`python -m tests.purity.running --workers 2`. What it prints must depend on nothing else, also not
on that: `tests/unit/test_same_everywhere.py` starts it under other seeds, zones and locales.
"""

from __future__ import annotations

import argparse
import json
import locale
import multiprocessing
import random
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from hashlib import sha256
from itertools import islice
from typing import Any

from hadron.control.facts import LimitsChanged
from hadron.desk.desk import Desk
from hadron.desk.facts import IntentApproved
from hadron.fold import Fold, Received, Slice
from hadron.market.normalizer import Normalizer
from hadron.orders.fills import simulated_order
from hadron.partitions import partition_of
from hadron.portfolio.portfolio import Portfolio
from hadron.simulation.market import market
from hadron.strategy.engine import Engine
from hadron.topics import TICKS, key_of, topic_of
from hadron.venues.registry import PARSERS
from tests.purity.superstition import SUPERSTITIOUS
from tests.support import T0_NS, a_raw, a_strategy, codec, some_rules

SYMBOLS = tuple(f"S{number}" for number in range(24))
EVENTS, SHARDS, SLICE = 4_000, 4, 40
START_MS = T0_NS // 1_000_000
RULES = some_rules(
    fast=["eq:S3", "eq:S4"], cold=["eq:S0"], volatile_bps=6, volatile_window_ms=2_000
)
STRATEGIES = [
    a_strategy("SimpleSMA", name="sma", portfolio="main"),
    a_strategy(
        "Crossover", name="cross", portfolio="other", parameters={"fast": "5", "slow": "20"}
    ),
]
LIMITS = [
    LimitsChanged("ann", "test", T0_NS, 1, name, Decimal(100), Decimal(30_000), Decimal(90_000))
    for name in ("main", "other")
]

Shard = dict[str, list[Any]]  # what it said, by topic


class Topic:
    """Counts the offsets of what is said."""

    def __init__(self, name: str) -> None:
        self._name, self._end = name, 0

    def slice(self, facts: Sequence[Any], partition: int) -> Slice:
        """The next facts of one partition."""
        first, self._end = self._end, self._end + len(facts)
        return Slice(self._name, partition, [Received(first + i, f) for i, f in enumerate(facts)])


def main(workers: int, *, superstitious: bool) -> None:
    """Print the SHA-256 of each topic, and of all that snapshots held."""
    with suppress(locale.Error):  # not every machine has every locale
        locale.setlocale(locale.LC_ALL, "")
    deployed = [*STRATEGIES, *([a_strategy("Superstitious")] if superstitious else [])]
    jobs = [(part, deployed) for part in _split(_raw(), workers)]
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        done = [pair for shards in pool.starmap(_sharded, jobs) for pair in shards]
    said: dict[str, list[Any]] = defaultdict(list)
    for _, shard in sorted(done, key=lambda pair: pair[0]):
        for topic, facts in shard.items():
            said[topic] += facts
    _desk(said)
    report = {topic: (len(facts), _digest(facts)) for topic, facts in sorted(said.items())}
    json.dump(report, sys.stdout)


def _raw() -> dict[int, list[Any]]:
    """The raw events of each shard."""
    raw: dict[int, list[Any]] = {shard: [] for shard in range(SHARDS)}
    events = market(SYMBOLS, random.Random(7).random, start_ms=START_MS)
    for frame, played in enumerate(islice(events, EVENTS)):
        key = f"eq:{played.symbol}"
        raw[partition_of(key, SHARDS)].append(
            a_raw(
                played.element,
                symbol=played.symbol,
                instrument=key,
                frame=frame,
                seen_ns=played.at_ms * 1_000_000 + 250_000,
            )
        )
    return raw


def _split(raw: Mapping[int, list[Any]], workers: int) -> list[dict[int, list[Any]]]:
    return [
        {shard: facts for shard, facts in raw.items() if shard % workers == worker}
        for worker in range(workers)
    ]


def _sharded(raw: Mapping[int, list[Any]], deployed: Sequence[Any]) -> list[tuple[int, Shard]]:
    return [(shard, _stepped(shard, facts, deployed)) for shard, facts in raw.items()]


def _stepped(shard: int, raw: Sequence[Any], deployed: Sequence[Any]) -> Shard:
    """Normalize and decide; both folds are restored from their snapshots on the way."""
    said: Shard = defaultdict(list)
    normalizer: Fold = Normalizer(PARSERS)
    engine: Fold = Engine(SUPERSTITIOUS)
    normalizer.step(Slice("control", shard, [Received(0, RULES)]))
    engine.step(Topic("control").slice(deployed, shard))
    source = Topic("raw.massive")
    lanes = {topic.name: Topic(topic.name) for topic in TICKS.values()}
    parts: list[dict[str, bytes]] = [{}, {}]
    for first in range(0, len(raw), SLICE):
        ticks: dict[str, list[Any]] = {lane: [] for lane in lanes}
        for tick in normalizer.step(source.slice(raw[first : first + SLICE], shard)):
            ticks[topic_of(tick).name].append(tick)
        for lane, found in ticks.items():
            said[lane] += found
            for fact in engine.step(lanes[lane].slice(found, shard)) if found else ():
                said[topic_of(fact).name].append(fact)
        if first // SLICE % 7 == 6:
            normalizer = _restored(normalizer, Normalizer(PARSERS), parts[0], said)
            engine = _restored(engine, Engine(SUPERSTITIOUS), parts[1], said)
    return dict(said)


def _restored(before: Fold, fold: Fold, parts: dict[str, bytes], said: Shard) -> Fold:
    parts.update(before.snapshot())
    fold.restore((name, part) for name, part in parts.items() if part)
    said["state"] += parts.items()
    return fold


def _desk(said: dict[str, list[Any]]) -> None:
    """Judge, fill and account, in the one partition that both portfolios share here."""
    desk, portfolio = Desk(), Portfolio()
    decisions, orders = Topic("decisions"), Topic("orders")
    desk.step(Topic("control").slice(LIMITS, 0))
    for decision in said["decisions"]:
        [outcome] = desk.step(decisions.slice([decision], 0))
        said["intents"].append(outcome)
        if isinstance(outcome, IntentApproved):
            order = simulated_order(outcome, partition=0, offset=len(said["intents"]) - 1)
            said["orders"].append(order)
            ended = orders.slice([order], 0)
            desk.step(ended)
            said["positions"] += portfolio.step(ended)


def _digest(facts: Iterable[Any]) -> str:
    digest = sha256()
    for fact in facts:
        # Parts of a snapshot are a name and bytes as they are.
        key, value = fact if type(fact) is tuple else (key_of(fact), codec().encode(fact))
        digest.update(b"%d %s %d %s" % (len(key), key.encode(), len(value), value))
    return digest.hexdigest()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--workers", type=int, default=1)
    arguments.add_argument("--superstitious", action="store_true", help="plant a strategy")
    asked = arguments.parse_args()
    main(asked.workers, superstitious=asked.superstitious)
