"""A live run that can be replayed, and `hadron` as people start it."""

from __future__ import annotations

import json
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from decimal import Decimal
from itertools import islice
from typing import Any

import msgspec
import psutil

from hadron import topics
from hadron.cli.changes import Control
from hadron.control.facts import LimitsChanged
from hadron.partitions import partition_of
from hadron.simulation.market import market
from hadron.strategy.facts import DecisionMade
from tests.integration.platform import SHARDS, Platform
from tests.support import a_raw, codec, some_rules

SYMBOLS = ("AIG", "BAC", "IBM", "SPY")
EVENTS = 3000
EVENTS_PER_S = 100.0  # so that they were received within half a minute

Report = dict[str, Any]
RawEvent = tuple[int, int, str, bytes]


def live_run(alone: Platform, *more: str, control: Sequence[Any] = (some_rules(),)) -> None:
    """Take a generated market through normalize, engine and more, and stop.

    By the rules all ticks are in one lane, and `control` must leave them there.
    """
    for fact in control:
        control_of(alone).append(fact)
    received = generated(SYMBOLS, EVENTS, random.Random(7))
    for partition, at_ms, key, value in received:
        alone.log.append("raw.massive", partition, [(key, value)], timestamp_ms=at_ms)
    alone.log.flush()
    processes = ("normalize", "engine", *more)
    for process in processes:
        alone.start(process)
    alone.wait_until_taken(*processes)
    alone.stop_all()


def control_of(alone: Platform) -> Control:
    """The live control topic."""
    return Control(alone.log, codec(), topic="control", partitions=SHARDS)


def decisions(alone: Platform) -> list[DecisionMade]:
    """What live decided."""
    found: list[DecisionMade] = alone.facts("decisions")
    return found


def live_ends(alone: Platform) -> dict[tuple[str, int], int]:
    """Where every live topic ends."""
    return alone.log.ends([(topic.name, p) for topic in topics.ALL for p in range(SHARDS)])


@contextmanager
def commanding(
    alone: Platform, *command: str, **environment: str
) -> Iterator[subprocess.Popen[str]]:
    """`hadron <command>`, which has ended or is ended when the block is left."""
    child = subprocess.Popen(
        [sys.executable, "-m", "hadron", *command],
        env={**alone.environment, **environment},
        cwd=alone.directory,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield child
    finally:
        if child.poll() is None:
            child.terminate()
        child.communicate(timeout=60)


def replayed(alone: Platform, *arguments: str, code: int = 0, **environment: str) -> Report:
    """The JSON document of `hadron replay`, which must end with `code`."""
    with commanding(alone, "replay", *arguments, "--json", **environment) as child:
        out, told = child.communicate(timeout=180)
        assert child.returncode == code, told + out
        report: Report = json.loads(out)
        return report


def refused(alone: Platform, *arguments: str) -> tuple[int, str]:
    """The exit code of a replay that cannot be, and what it said."""
    with commanding(alone, "replay", *arguments) as child:
        out, told = child.communicate(timeout=60)
        assert out == ""
        return child.returncode, told


@contextmanager
def trap() -> Iterator[tuple[socket.socket, int]]:
    """A port that nobody may connect to."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        listening.setblocking(False)
        yield listening, listening.getsockname()[1]


def peers(process: psutil.Process) -> set[int]:
    """Ports of others that a process and its children are connected to."""
    found: set[int] = set()
    with suppress(psutil.NoSuchProcess):
        for one in (process, *process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                found |= {to.raddr.port for to in one.net_connections("inet") if to.raddr}
    return found


def reparametrised(alone: Platform, name: str, parameters: dict[str, str]) -> None:
    """Configure a live strategy anew."""
    control = control_of(alone)
    before = control.newest()[f"strategy/{name}"]
    control.append(msgspec.structs.replace(before, parameters=parameters, at_ns=time.time_ns()))


def make_room(alone: Platform) -> None:
    """One lane, an sma that decides often, and limits that let all its orders pass."""
    control_of(alone).append(some_rules())
    reparametrised(alone, "sma", {"quantity": "7", "threshold_bps": "1"})
    much = Decimal(10**9)
    room = LimitsChanged("test", "room", time.time_ns(), 0, "main", much, much, much)
    control_of(alone).append(room)


def generated(symbols: Sequence[str], count: int, chance: random.Random) -> Sequence[RawEvent]:
    """The first of `endless`."""
    return list(islice(endless(symbols, chance), count))


def endless(symbols: Sequence[str], chance: random.Random) -> Iterator[RawEvent]:
    """Raw events, received since a minute ago: partition, time in ms, key and record."""
    begun_ms = int(time.time() * 1000) - 60_000
    events = market(symbols, chance.random, start_ms=begun_ms, events_per_s=EVENTS_PER_S)
    for frame, played in enumerate(events):
        key = f"eq:{played.symbol}"
        raw = a_raw(
            played.element,
            symbol=played.symbol,
            instrument=key,
            frame=frame,
            seen_ns=played.at_ms * 1_000_000,
        )
        yield partition_of(key, SHARDS), played.at_ms, key, codec().encode(raw)
