"""`hadron replay --compare`: the journal stepped again, shard by shard, against the log."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from functools import partial
from itertools import chain
from multiprocessing import Pipe, get_context
from multiprocessing.connection import Connection
from os import cpu_count

import msgspec

from hadron.cli import opening, output
from hadron.cli.exits import Exit
from hadron.cli.replay import progress, worker
from hadron.cli.replay.again import Range, Run
from hadron.cli.replay.asking import Asking, controlled
from hadron.cli.replay.bounds import Bound
from hadron.cli.replay.conductor import Conductor
from hadron.cli.replay.equality import Compared
from hadron.cli.replay.interrupting import sigterm_interrupts
from hadron.cli.replay.journalled import journalled
from hadron.cli.replay.lines import Lines
from hadron.cli.replay.pace import Speed
from hadron.cli.replay.seeking import find
from hadron.cli.replay.verdict import report, tables
from hadron.errors import HadronError, SettingsError
from hadron.settings import Settings

Conduct = Callable[[Lines], None]


class Wanted(msgspec.Struct, frozen=True):
    """What the command line asks for; `workers` None: as many as there are cores."""

    process: str
    begin: Bound
    end: Bound
    speed: Speed
    workers: int | None
    asking: Asking


def identical(wanted: Wanted, settings: Settings, *, as_json: bool) -> Exit:
    """Step, compare and print. OK only where every fact is byte for byte the same.

    Nothing is written, to Kafka or elsewhere, and no venue's credentials are looked at.
    """
    from connectors.kafka.inspection import stamped_after

    run = Run(wanted.process, settings.num_shards, opening.names(settings))
    log, stamped = opening.fact_log(settings), partial(stamped_after, opening.admin(settings))
    ranges = journalled(run, wanted.begin, wanted.end, log=log, stamped=stamped)
    if not ranges:
        seen = f"no entry of {run.journal} lies between them"
        raise SettingsError([f"--from, --to: {seen}; wanted at least one"])
    workers = min(wanted.workers or cpu_count() or 1, len(ranges))
    begun = time.monotonic()
    with (
        sigterm_interrupts(),
        controlled(wanted.asking) as hearing,
        progress.shown(as_json=as_json, state=hearing.told) as show,
    ):

        def conduct(lines: Lines) -> None:
            Conductor(
                run,
                ranges,
                lines,
                find=partial(find, log=log, stamped=stamped),
                show=partial(show, run.process),
                controls=hearing.controls,
            ).conduct(wanted.speed, paused=wanted.asking.paused)

        shards = stepped(partial(_work, run, settings), ranges, workers=workers, conduct=conduct)
    found = report(run, shards, ranges, workers=workers, elapsed_s=time.monotonic() - begun)
    output.show(found, *tables(found), as_json=as_json)
    return Exit.OK if found.identical else Exit.CHECK_FAILED


def stepped(
    work: Callable[[Mapping[int, Range], Connection], list[Compared]],
    ranges: Mapping[int, Range],
    *,
    workers: int,
    conduct: Conduct,
) -> list[Compared]:
    """Let so many workers share the shards, and conduct them. One is a thread, more are processes.

    Whatever happens, none of them is left running.
    """
    shares = [dict(list(ranges.items())[number::workers]) for number in range(workers)]
    with ExitStack() as stack:
        pairs = [Pipe() for _ in shares]
        for _, theirs in pairs:
            stack.callback(theirs.close)
        pool = stack.enter_context(_pool(workers))
        for ours, _ in pairs:
            stack.callback(ours.close)  # which ends the worker, before the pool waits for it
        asked = [
            pool.submit(work, share, theirs)
            for share, (_, theirs) in zip(shares, pairs, strict=True)
        ]
        conduct(Lines([ours for ours, _ in pairs], shares, check=partial(_check, asked)))
        shards = chain.from_iterable(map(_result, asked))
        return sorted(shards, key=lambda shard: shard.partition)


def _pool(workers: int) -> Executor:
    if workers == 1:
        return ThreadPoolExecutor(1)
    return ProcessPoolExecutor(
        workers,
        mp_context=get_context("spawn"),
        # Ctrl-C is for the one that waits for them, whose end they notice.
        initializer=signal.signal,
        initargs=(signal.SIGINT, signal.SIG_IGN),
    )


def _check(asked: Sequence[Future[list[Compared]]]) -> None:
    for one in asked:
        if one.done():
            _result(one)


def _result(asked: Future[list[Compared]]) -> list[Compared]:
    try:
        return asked.result()
    except BrokenProcessPool as error:
        raise HadronError("a worker was killed; begin again, with fewer --workers") from error


def _work(
    run: Run, settings: Settings, ranges: Mapping[int, Range], line: Connection
) -> list[Compared]:
    from hadron.wiring import codec_of
    from hadron.wiring.garbage import look_seldom

    look_seldom()
    log = opening.fact_log(settings)
    return worker.work(run, ranges, line, log=log, codec=codec_of(settings))
