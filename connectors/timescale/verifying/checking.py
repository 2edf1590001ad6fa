"""Sections of the chains against their rows, on all processors, as of one moment."""

from __future__ import annotations

import multiprocessing
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import closing
from itertools import chain
from typing import NamedTuple

import msgspec
import psycopg
from psycopg import sql

from connectors.timescale import raw, ticks
from connectors.timescale.connection import Connection
from connectors.timescale.errors import our_errors
from connectors.timescale.verifying import chains, rereading
from connectors.timescale.verifying.chains import Chains, Section
from connectors.timescale.verifying.raw_leaves import RawLeaves
from connectors.timescale.verifying.rereading import Range
from connectors.timescale.verifying.tick_leaves import TickLeaves
from hadron.audit.facts import RowsRetired
from hadron.audit.leaves import Leaves
from hadron.audit.retirement import Excused, Holes
from hadron.audit.verification import Broken, Slice, broken_row
from hadron.ports import Codec

_AHEAD = 2  # sections that a process has before it, so that it need not wait for the next

MakeCodec = Callable[[], Codec]  # called in every process: a codec does not travel

# The tables with so many rows that it matters what one costs.
_IN_BULK: Mapping[str, type[TickLeaves] | type[RawLeaves]] = {
    ticks.TABLE: TickLeaves,
    raw.TABLE: RawLeaves,
}


class View(NamedTuple):
    """A database as of one moment, and the certificates of what it need not have."""

    url: str
    snapshot: str
    retired: Sequence[RowsRetired]


class Checked(NamedTuple):
    """What came of a section."""

    rows: int
    broken: Broken | None
    gone: int = 0
    retired: Sequence[Excused] = ()


def check(
    url: str,
    make_codec: MakeCodec,
    *,
    retired: Sequence[RowsRetired] = (),
    since_ns: int = 0,
    processes: int = 1,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> tuple[Chains, int]:
    """All that is wrong with chains and rows, and how many rows were read.

    At most one broken row is named in each section of 20,000. Rows may be missing that `retired`
    has, certificates that were signed. `progress` gets records done and records in all.
    """
    with our_errors(), psycopg.connect(url) as connection:
        snapshot = begin(connection)
        found = chains.read(connection, since_ns=since_ns)
        total, done, rows = sum(one.records for one in found.sections), 0, 0
        progress(0, total)
        view = View(url, snapshot, chains.fitting(connection, retired))
        for section, checked in _results(view, make_codec, found.sections, processes):
            done += section.records
            rows += checked.rows
            found.gone += checked.gone
            found.retired += checked.retired
            progress(done, total)
            if checked.broken is not None:
                found.broken.append(checked.broken)
    found.broken.sort()
    return found, rows


def _results(
    view: View, make_codec: MakeCodec, sections: list[Section], processes: int
) -> Iterator[tuple[Section, Checked]]:
    if processes == 1 or len(sections) < 2:
        with closing(Checker(view, make_codec())) as checker:
            yield from ((section, checker.check(section)) for section in sections)
        return
    # Not forked: this process has threads of Kafka's client, and a connection of its own.
    with (
        ProcessPoolExecutor(
            processes - 1,
            multiprocessing.get_context("spawn"),
            initializer=_start,
            initargs=(view, make_codec),
        ) as pool,
        closing(Checker(view, make_codec())) as checker,
    ):
        left = deque(sections)
        asked: dict[Future[Checked], Section] = {}
        while left or asked:
            while left and len(asked) < _AHEAD * (processes - 1):
                section = left.popleft()
                asked[pool.submit(_check, section)] = section
            if left:  # so this process is not idle, least of all while the others start
                section = left.popleft()
                yield section, checker.check(section)
            ready, _ = wait(asked, timeout=0 if left else None, return_when=FIRST_COMPLETED)
            yield from ((asked.pop(future), future.result()) for future in ready)


_CHECKERS: list[Checker] = []  # of this process


def _start(view: View, make_codec: MakeCodec) -> None:
    _CHECKERS.append(Checker(view, make_codec()))


def _check(section: Section) -> Checked:
    return _CHECKERS[0].check(section)


class Checker:
    """Checks sections as of one snapshot, until the process ends."""

    def __init__(self, view: View, codec: Codec) -> None:
        self._codec, self._leaves = codec, Leaves(codec.fingerprint)
        self._retired: dict[tuple[str, int], list[RowsRetired]] = {}
        for one in view.retired:
            self._retired.setdefault((one.topic, one.partition), []).append(one)
        with our_errors():
            # COPY keeps its connection busy: leaves and odd rows come by others.
            self._rows, self._blocks, self._aside = (_joined(view) for _ in range(3))
        self._bulk: dict[tuple[str, int], TickLeaves | RawLeaves] = {}
        self._read = 0

    def check(self, section: Section) -> Checked:
        """The first row of a section that is broken."""
        self._read = 0
        place = (section.topic, section.partition)
        rows = Range(*place, section.low, section.high)
        with our_errors():
            letters = self._letters(section, rows)
            slices = _merged(self._slices(section.table, rows), letters)
            blocks, counted = chains.blocks(self._blocks, section), self._counted(slices)
            holes = Holes(
                one
                for one in self._retired.get(place, ())
                if one.first <= section.high and section.low < one.last
            )
            wrong = broken_row(blocks, counted, place=place, table=section.table, holes=holes)
            if wrong is not None:
                # A COPY or a cursor that is left early would end the transaction, or stay open.
                deque(chain(counted, blocks), maxlen=0)
        if wrong is not None and wrong.offset in letters[0]:
            wrong = msgspec.structs.replace(wrong, table=chains.LETTERS)
        return Checked(
            self._read, wrong, holes.gone, [one for one in holes.seen() if one.gone or one.there]
        )

    def close(self) -> None:
        """End its transactions."""
        for connection in (self._rows, self._blocks, self._aside):
            connection.close()

    def _slices(self, table: str, rows: Range) -> Iterator[Slice]:
        place = (rows.topic, rows.partition)
        if table not in _IN_BULK:
            return rereading.slices(self._rows, table, rows, self._codec, self._leaves)
        if place not in self._bulk:
            self._bulk[place] = _IN_BULK[table](place, self._codec, self._leaves)
        return self._bulk[place].slices(self._rows, self._aside, rows)

    def _letters(self, section: Section, rows: Range) -> Slice:
        offsets: list[int] = []
        leaves: list[bytes] = []
        if section.table != chains.LETTERS:
            for part in rereading.slices(
                self._aside, chains.LETTERS, rows, self._codec, self._leaves
            ):
                offsets += part[0]
                leaves += part[1]
        return offsets, leaves

    def _counted(self, slices: Iterable[Slice]) -> Iterator[Slice]:
        for one in slices:
            self._read += len(one[0])
            yield one


def begin(connection: Connection) -> str:
    """Look at the database as of now, and return the name by which others may."""
    connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    [[snapshot]] = connection.execute("SELECT pg_export_snapshot()").fetchall()
    return str(snapshot)


def _joined(view: View) -> Connection:
    connection = psycopg.connect(view.url)
    connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(view.snapshot)))
    # In the order of the index, or the server would sort all that is left of a partition.
    connection.execute("SET LOCAL enable_sort = off")
    connection.execute("SET LOCAL enable_seqscan = off")
    connection.execute("SET LOCAL jit = off")
    return connection


def _merged(slices: Iterable[Slice], letters: Slice) -> Iterator[Slice]:
    """Slices with the dead letters among them, in the order of offsets."""
    at = 0
    for offsets, leaves in slices:
        to = bisect_right(letters[0], offsets[-1]) if offsets else at
        if to == at:
            yield offsets, leaves
            continue
        ours = zip([*offsets, *letters[0][at:to]], [*leaves, *letters[1][at:to]], strict=True)
        both = sorted(ours, key=lambda one: one[0])
        yield [one[0] for one in both], [one[1] for one in both]
        at = to
    yield letters[0][at:], letters[1][at:]
