"""From Kafka into Parquet files: a second run goes on where the last one stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from connectors.kafka import admin as administration
from connectors.kafka import inspection
from connectors.kafka.reading import slices
from connectors.parquet import manifest as manifests
from connectors.parquet.columns import Row, row_of
from connectors.parquet.day import DAY_MS, DayFile, number_of
from connectors.parquet.holes import is_filler
from connectors.parquet.manifest import Day, Exported, Manifest, Range
from connectors.parquet.spans import Place, Source, Window, range_of, within
from hadron.errors import HadronError

EVERYTHING = Window()
# Tells a partition, how many of its offsets are done, and how many there are.
Progress = Callable[[str, int, int], None]


def export(
    source: Source,
    directory: Path,
    topics: Sequence[str],
    *,
    window: Window = EVERYTHING,
    progress: Progress = lambda *_: None,
) -> Manifest:
    """Bring the files of a directory up to the log as it is now; finished days are not touched.

    Raise HadronError where the directory is of another log, or where Kafka has deleted what comes
    after the last record that was exported.
    """
    with manifests.alone(directory):
        manifest = manifests.begun(directory)
        layouts = inspection.inspect(source.admin).topics
        if absent := [name for name in topics if name not in layouts]:
            raise HadronError(f"topic {absent[0]} is missing; wanted one that is on Kafka")
        places = [(name, p) for name in topics for p in range(layouts[name].partitions)]
        kafka = inspection.bounds(source.admin, places)
        wanted = within(source, kafka, window)
        ranges = {
            place: range_of(source, directory, manifest, place, kafka=kafka[place], wanted=one)
            for place, one in wanted.items()
        }
        _describe(source, manifest, topics, ranges)
        for place, one in ranges.items():
            _Partition(source, directory, manifest, place, progress).export(one)
        manifests.save(directory, manifest)
        return manifest


def _describe(
    source: Source, manifest: Manifest, topics: Sequence[str], ranges: Mapping[Place, Range]
) -> None:
    cluster = inspection.cluster_id(source.admin)
    if cluster not in manifest.clusters:
        manifest.clusters.append(cluster)
    settings = administration.settings_of(source.admin, topics)
    for name in topics:
        partitions = [ranges[place] for place in ranges if place[0] == name]
        # Until its records are in files, a partition has what it had.
        before = [
            manifest.range_of(name, p) or Range(r.start, r.start) for p, r in enumerate(partitions)
        ]
        manifest.topics[name] = Exported(dict(sorted(settings[name].items())), before)


class _Partition:
    """The export of one partition."""

    def __init__(
        self,
        source: Source,
        directory: Path,
        manifest: Manifest,
        place: Place,
        progress: Progress,
    ) -> None:
        self._source, self._directory, self._manifest = source, directory, manifest
        self._topic, self._partition = place
        self._progress = progress
        self._file: DayFile | None = None

    def export(self, wanted: Range) -> None:
        """Read up to the end of the range, a file for each day."""
        done = self._manifest.topics[self._topic].partitions[self._partition]
        if done.end >= wanted.end:
            return
        self._clear()
        try:
            for row in self._rows(done.end, wanted.end):
                self._take(row)
            self._finish(wanted.end)
        finally:
            if self._file is not None:
                self._file.give_up()

    def _clear(self) -> None:
        """Remove what a run that was killed left: its records are read again."""
        folder = self._directory / self._topic / str(self._partition)
        known = {day.path for day in self._manifest.of(self._topic, self._partition)}
        left = [*folder.glob(".*.writing"), *folder.glob("*_*-*.parquet")]
        for path in left:
            if path.relative_to(self._directory).as_posix() not in known:
                path.unlink()

    def _rows(self, start: int, end: int) -> Iterator[Row]:
        place = f"{self._topic}/{self._partition}"
        source = self._source.connection
        for messages in slices(source, self._topic, self._partition, start=start, end=end):
            for message in messages:
                row = row_of(message)
                if not is_filler(row):
                    yield row
            self._progress(place, messages[-1].offset() + 1 - start, end - start)

    def _take(self, row: Row) -> None:
        # A record that was stamped late lies in the day of those before it: files are of one piece.
        day = max(row.timestamp_ms // DAY_MS, self._day())
        if self._file is not None and self._file.day != day:
            self._finish(row.offset)
        if self._file is None:
            self._file = DayFile(self._directory, self._topic, self._partition, day)
            if (open_day := self._open_day()) is not None and number_of(open_day.day) == day:
                self._file.take_over(open_day)
        self._file.add(row)

    def _day(self) -> int:
        if self._file is not None:
            return self._file.day
        return number_of(day.day) if (day := self._open_day()) else 0

    def _open_day(self) -> Day | None:
        days = self._manifest.of(self._topic, self._partition)
        return days[-1] if days else None

    def _finish(self, end: int) -> None:
        """Write down that all before `end` is exported."""
        grown = None
        if self._file is not None:
            day, ids = self._file.finish(), self._file.schema_ids
            self._file = None
            self._learn(ids)
            before = self._open_day()
            if before is not None and before.day == day.day:
                grown = before
                self._manifest.files.remove(before)
            self._manifest.files.append(day)
        ranges = self._manifest.topics[self._topic].partitions
        ranges[self._partition] = Range(ranges[self._partition].start, end)
        manifests.save(self._directory, self._manifest)
        if grown is not None and grown.path != day.path:
            (self._directory / grown.path).unlink(missing_ok=True)

    def _learn(self, schema_ids: set[int]) -> None:
        known = self._manifest.contracts
        for id in sorted(schema_ids):
            if str(id) not in known and (contract := self._source.contract(id)) is not None:
                known[str(id)] = contract
