"""`hadron replay --compare`: the journal stepped again, shard by shard, against the log."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from hashlib import sha256
from itertools import chain
from multiprocessing import get_context
from os import cpu_count
from typing import Any

import msgspec
from rich.console import RenderableType
from rich.text import Text

from hadron.audit.names import Name
from hadron.cli import opening, output
from hadron.cli.exits import Exit
from hadron.cli.replay import progress
from hadron.cli.replay.again import Again, Difference, Range, Run, again
from hadron.cli.replay.bounds import Bound
from hadron.cli.replay.journalled import journalled
from hadron.settings import Settings


class Wanted(msgspec.Struct, frozen=True):
    """What the command line asks for; `workers` None: as many as there are cores."""

    process: str
    begin: Bound
    end: Bound
    speed: float
    workers: int | None


class Report(msgspec.Struct, frozen=True):
    """The whole result. `hash` is the SHA-256 of the replayed facts' hashes, sorted by name."""

    process: str
    identical: bool
    hash: str
    live_hash: str
    entries: int
    records: int
    replayed: int
    live: int
    workers: int
    elapsed_s: float
    records_per_s: int
    ranges: dict[str, list[int]]
    difference: Difference | None
    notes: list[str]


def identical(wanted: Wanted, settings: Settings, *, as_json: bool) -> Exit:
    """Step, compare and print. OK only where every fact is byte for byte the same.

    Nothing is written, to Kafka or elsewhere, and no venue's credentials are looked at.
    """
    names = opening.names(settings)
    run = Run(wanted.process, settings.num_shards, names, wanted.speed)
    log = opening.fact_log(settings)
    ranges = journalled(run, wanted.begin, wanted.end, settings=settings, log=log)
    workers = min(wanted.workers or cpu_count() or 1, len(ranges) or 1)
    begun = time.monotonic()
    with progress.shown(as_json=as_json) as show:
        shards = _all(run, ranges, settings, workers=workers, show=show)
    found = _report(run, shards, ranges, workers=workers, elapsed_s=time.monotonic() - begun)
    output.show(found, *_tables(found), as_json=as_json)
    return Exit.OK if found.identical else Exit.CHECK_FAILED


def _all(
    run: Run,
    ranges: Mapping[int, Range],
    settings: Settings,
    *,
    workers: int,
    show: progress.Show,
) -> list[Again]:
    total, stage = sum(each.end - each.begin for each in ranges.values()), run.process
    if workers == 1:
        done = 0
        shards = []
        for partition, bounds in ranges.items():
            shards.append(
                _one(
                    run, partition, bounds, settings, lambda n, at=done: show(stage, at + n, total)
                )
            )
            done += shards[-1].entries
        return shards
    shards = []
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        asked = [pool.submit(_one, run, *each, settings) for each in ranges.items()]
        for finished in as_completed(asked):
            shards.append(finished.result())
            show(stage, sum(shard.entries for shard in shards), total)
    return sorted(shards, key=lambda shard: shard.partition)


def _one(
    run: Run, partition: int, bounds: Range, settings: Settings, show: Any = lambda _: None
) -> Again:
    from hadron.wiring import codec_of

    log = opening.fact_log(settings)
    return again(run, partition, bounds, log=log, codec=codec_of(settings), show=show)


def _report(
    run: Run,
    shards: Sequence[Again],
    ranges: Mapping[int, Range],
    *,
    workers: int,
    elapsed_s: float,
) -> Report:
    differences = [shard.difference for shard in shards if shard.difference is not None]
    records = sum(shard.records for shard in shards)
    return Report(
        process=run.process,
        identical=not differences,
        hash=_hash(shard.digests for shard in shards),
        live_hash=_hash(shard.live for shard in shards),
        entries=sum(shard.entries for shard in shards),
        records=records,
        replayed=sum(len(shard.digests) for shard in shards),
        live=sum(len(shard.live) for shard in shards),
        workers=workers,
        elapsed_s=round(elapsed_s, 2),
        records_per_s=round(records / elapsed_s) if elapsed_s else 0,
        ranges={str(partition): [at.begin, at.end] for partition, at in ranges.items()},
        difference=min(differences, key=_order) if differences else None,
        notes=[] if ranges else [f"the journal of {run.process} has no entry in this range"],
    )


def _order(difference: Difference) -> tuple[bool, int, int]:
    return difference.entry is None, difference.entry or 0, difference.partition


def _hash(shards: Iterable[Mapping[Name, bytes]]) -> str:
    facts = sorted(chain.from_iterable(shard.items() for shard in shards))
    return sha256(b"".join(digest for _, digest in facts)).hexdigest()


def _tables(found: Report) -> list[RenderableType]:
    shown: list[RenderableType] = [
        Text(
            f"{found.process}: {found.entries:,} entries of the journal stepped again,"
            f" {found.records:,} records, {found.elapsed_s:,.1f} s, {found.records_per_s:,}"
            f" records/s by {found.workers} workers"
        ),
        Text(f"{found.replayed:,} facts, {found.live:,} on the log"),
        *(Text(f"note: {note}") for note in found.notes),
    ]
    if found.difference is None:
        return [*shown, Text(f"identical {found.hash}")]
    one = found.difference
    where = f"entry {one.entry}" if one.entry is not None else "no entry"
    return [
        *shown,
        Text(f"DIFFERENT, first at journal partition {one.partition}, {where}: {one.name}"),
        Text(f"live:     {_said(one.live)}"),
        Text(f"replayed: {_said(one.replayed)}"),
    ]


def _said(fact: Any) -> str:
    return "nothing" if fact is None else msgspec.json.encode(fact).decode()
