"""Chains against the log itself, as far back as it goes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import psycopg
from psycopg import sql

from connectors.timescale.connection import Connection
from connectors.timescale.errors import our_errors
from connectors.timescale.verifying import chains
from connectors.timescale.verifying.chains import Chains, Section
from hadron import topics
from hadron.audit.leaves import Leaves, tombstone
from hadron.audit.verification import Broken
from hadron.errors import ContractError
from hadron.ports import Codec, FactLog, Record

_LETTERS = sql.SQL("""
    SELECT log_offset, key, value FROM {} WHERE log_topic = %s AND log_partition = %s::int
        AND (cause_topic, cause_partition, cause_offset) = (log_topic, log_partition, log_offset)
""").format(sql.Identifier(chains.LETTERS))

Letters = Mapping[int, tuple[bytes | None, bytes]]  # key and value by offset


class Deep:
    """`records` counts those that were read from the log."""

    def __init__(self, url: str, log: FactLog, codec: Codec) -> None:
        self._url, self._log = url, log
        self._leaves = Leaves(codec.fingerprint)
        self.records = 0

    def check(self, found: Chains) -> Iterator[Broken]:
        """The first record of each partition that is not what was chained when it was stored."""
        places = sorted(found.ends)
        starts, ends = self._log.starts(places), self._log.ends(places)
        with our_errors(), psycopg.connect(self._url) as connection:
            for place in places:
                start, end = starts[place], min(ends[place], found.ends[place] + 1)
                sections = [section for section in found.sections if _of(section) == place]
                known = self._known(connection, sections)
                first = next(known, None)
                if first is None:
                    continue
                if sections[0].low >= 0:
                    start = max(start, first[0])  # only what was chained since then is looked at
                if start >= end:
                    continue
                wrong = self._compare(connection, place, (start, end), _again(first, known))
                if wrong is not None:
                    yield wrong

    def _compare(
        self,
        connection: Connection,
        place: tuple[str, int],
        span: tuple[int, int],
        known: Iterator[tuple[int, bytes]],
    ) -> Broken | None:
        letters = self._letters(connection, place)
        gaps = _compacted(place[0])
        expected = next(known, None)
        for record in self._log.read(*place, start=span[0], end=span[1]):
            if record.value is None and record.key == topics.FILLER:
                continue  # it stands in for a record that compaction had taken away
            self.records += 1
            while expected is not None and expected[0] < record.offset:
                if not gaps and expected[0] >= span[0]:
                    return _broken(place, expected[0], "not on the log", expected[1], b"")
                expected = next(known, None)
            if expected is None or expected[0] > record.offset:
                return _broken(place, record.offset, "never stored", b"", self._leaf(record))
            if not self._fits(record, expected[1], letters):
                what = "another record on the log"
                return _broken(place, record.offset, what, expected[1], self._leaf(record))
            expected = next(known, None)
        return None

    def _fits(self, record: Record, leaf: bytes, letters: Letters) -> bool:
        if self._leaf(record) == leaf:
            return True
        return letters.get(record.offset) == (record.key, record.value or b"")

    def _leaf(self, record: Record) -> bytes:
        place = (record.topic, record.partition, record.offset)
        if record.value is None:
            return tombstone(*place)
        try:
            return self._leaves.record(*place, record.value)
        except ContractError:
            return b""  # it can only be a dead letter

    def _known(
        self, connection: Connection, sections: Iterable[Section]
    ) -> Iterator[tuple[int, bytes]]:
        for section in sections:
            for block in chains.blocks(connection, section):
                for index, offset in enumerate(block.offsets()):
                    yield offset, block.leaf(index)

    def _letters(self, connection: Connection, place: tuple[str, int]) -> Letters:
        rows = connection.execute(_LETTERS, place)
        return {offset: (key, value) for offset, key, value in rows}


def _compacted(topic: str) -> bool:
    known = [one for one in topics.ALL if topic == one.name or topic.endswith(f".{one.name}")]
    return any(one.compacted for one in known)


def _of(section: Section) -> tuple[str, int]:
    return section.topic, section.partition


def _again(
    first: tuple[int, bytes], rest: Iterator[tuple[int, bytes]]
) -> Iterator[tuple[int, bytes]]:
    yield first
    yield from rest


def _broken(place: tuple[str, int], offset: int, what: str, expected: bytes, seen: bytes) -> Broken:
    return Broken(*place, offset, what, expected.hex() or "no record", seen.hex() or "none")
