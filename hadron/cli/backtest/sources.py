"""Where a backtest's events come from: a tape, the log, an export of it, or a scenario."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterator, Sequence
from itertools import dropwhile, takewhile
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from hadron.backtest.batches import Batch
from hadron.backtest.feeding import MS, appended, decoded, recorded
from hadron.errors import SettingsError
from hadron.market.facts import RawReceived
from hadron.ports import Codec, FactLog, Record
from hadron.simulation.scenarios import scenario
from hadron.topics import CONTROL, RAW, TICKS, Names
from hadron.values import LONG_MAX

if TYPE_CHECKING:
    from connectors.parquet.manifest import Manifest

SCENARIO_START_MS = 1_700_000_000_000
SCENARIO_RATE = 20.0  # events a second
KINDS = {"raw": RAW, "ticks": TICKS}
_STAMP = attrgetter("timestamp_ms")


class Window(msgspec.Struct, frozen=True):
    """Times of receipt in ms, [since, until)."""

    since_ms: int | None = None
    until_ms: int | None = None

    def of(self, things: Iterator[Any], at_ms: Callable[[Any], int]) -> Iterator[Any]:
        """Those in it, of things that come in the order of their times."""
        since, until = self.since_ms, self.until_ms
        if since is not None:
            things = dropwhile(lambda thing: at_ms(thing) < since, things)
        if until is not None:
            things = takewhile(lambda thing: at_ms(thing) < until, things)
        return things


def of_tape(
    folder: Path, *, symbols: Sequence[str], days: Sequence[str], window: Window, partitions: int
) -> Iterator[Batch]:
    """Recorded ticks, each received when it happened. Raise SettingsError if there are none."""
    from connectors.tapes import tape

    played = window.of(tape(folder, symbols=symbols, days=days), attrgetter("at_ms"))
    return appended(recorded(played), partitions=partitions)


def of_scenario(
    name: str, *, seed: int, symbols: Sequence[str], seconds: int, partitions: int
) -> Iterator[Batch]:
    """A generated bad day; the same seed gives the same."""
    raws: Iterator[RawReceived] = scenario(
        name,
        random.Random(seed).random,
        symbols=symbols or ("SIM",),
        start_ms=SCENARIO_START_MS,
        seconds=seconds,
        rate=SCENARIO_RATE,
    )
    return appended(raws, partitions=partitions)


def of_log(
    kind: str, log: FactLog, codec: Codec, *, names: Names, window: Window, partitions: int
) -> Iterator[Batch]:
    """Raw events or ticks as they lie on Kafka, those of all partitions by their stamps."""

    def read(topic: str, partition: int) -> Iterator[Record]:
        place = (names.read(topic), partition)
        start, end = log.starts([place])[place], log.ends([place])[place]
        for record in log.read(*place, start=start, end=end) if start < end else ():
            yield msgspec.structs.replace(record, topic=topic)

    return decoded(window.of(_merged(kind, read, partitions), _STAMP), codec)


def controls_of_log(log: FactLog, codec: Codec, *, names: Names) -> list[Any]:
    """What control says now: the newest of each subject, in the order in which they were said."""
    place = (names.read(CONTROL.name), 0)
    start, end = log.starts([place])[place], log.ends([place])[place]
    records = list(log.read(*place, start=start, end=end)) if start < end else []
    newest = {record.key: record for record in records}
    kept = sorted(newest.values(), key=attrgetter("offset"))
    return [codec.decode(record.value) for record in kept if record.value is not None]


def of_archive(kind: str, url: str, codec: Codec, *, window: Window) -> Iterator[Batch]:
    """Raw events or ticks as the archive has them, by their receipt."""
    from connectors.timescale.querying.recorded import recorded as archived

    since_ns = (window.since_ms or 0) * MS
    until_ns = LONG_MAX if window.until_ms is None else window.until_ms * MS
    topics = list(KINDS[kind].values())
    return decoded(archived(url, topics, codec, since_ns=since_ns, until_ns=until_ns), codec)


def of_export(kind: str, directory: Path, codec: Codec, *, window: Window) -> Iterator[Batch]:
    """Raw events or ticks as `hadron archive export` left them."""
    from connectors.parquet.manifest import load

    manifest = load(directory)
    wanted = [topic.name for topic in KINDS[kind].values()]
    known = [name for name in wanted if name in manifest.topics]
    if not known:
        raise SettingsError(
            [f"--parquet: {str(directory)!r} has none of {', '.join(wanted)}; wanted one"]
        )
    partitions = max(len(manifest.topics[name].partitions) for name in known)

    def read(topic: str, partition: int) -> Iterator[Record]:
        return _exported(directory, manifest, (topic, partition))

    return decoded(window.of(_merged(kind, read, partitions), _STAMP), codec)


def _exported(directory: Path, manifest: Manifest, place: tuple[str, int]) -> Iterator[Record]:
    from connectors.parquet.day import rows

    for day in manifest.of(*place):
        for row in rows(directory / day.path):
            yield Record(*place, row.offset, row.timestamp_ms, row.key, row.value)


def _merged(
    kind: str, read: Callable[[str, int], Iterator[Record]], partitions: int
) -> Iterator[Record]:
    """Of equal stamps by topic and partition; those of a partition in their order."""
    topics = [topic.name for topic in KINDS[kind].values()]
    places = [(topic, partition) for topic in topics for partition in range(partitions)]
    return heapq.merge(*(read(*place) for place in places), key=_STAMP)


def milliseconds(at: Any) -> int | None:
    """A datetime as milliseconds since the epoch."""
    return None if at is None else round(at.timestamp() * 1000)
