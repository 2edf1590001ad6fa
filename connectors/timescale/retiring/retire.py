"""Lets rows past their age go: verified, certified outside of the database, and only then dropped.

It may be stopped at any moment and run again. What was certified and not dropped is dropped by the
same certificate; rows never go before it is on the log, in the file and in the database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress

import msgspec
import psycopg
from psycopg import errors

from connectors.timescale import chain
from connectors.timescale.access import securing
from connectors.timescale.access.roles import Access
from connectors.timescale.connection import Connection
from connectors.timescale.errors import our_errors, sentence
from connectors.timescale.retiring import dropping, due
from connectors.timescale.retiring.certifying import certified
from connectors.timescale.retiring.due import Unit
from connectors.timescale.storage.windows import TABLES, Keep, drop_after
from connectors.timescale.verifying import chains
from connectors.timescale.verifying.checking import Checker, View, begin
from hadron.audit.facts import ChainHead, HeadsAnchored, RowsRetired
from hadron.audit.retirement import certificates
from hadron.audit.verification import Broken, broken_anchor
from hadron.errors import HadronError
from hadron.ports import Codec

# Signs heads and certificates, and returns when log and file have them.
Certify = Callable[[Sequence[ChainHead], Sequence[RowsRetired]], HeadsAnchored]

RETIRING = 0x4841_4454  # a lock of the database
_MOST_NUMBERS = 50_000  # in the runs of one anchor: Kafka takes records of a megabyte


class Gone(msgspec.Struct, frozen=True):
    """Rows of one partition that went with one certificate."""

    table: str
    chunk: str
    topic: str
    partition: int
    first: int
    last: int
    rows: int


class Retired(msgspec.Struct):
    """What went, and what did not: because it is broken, or for a reason that may pass."""

    gone: list[Gone] = []
    broken: list[Broken] = []
    waiting: list[str] = []


class Work(msgspec.Struct, frozen=True):
    """`url` is of the role retirer, or of one that may become it.

    `anchors` are those that a trusted key signed;
    `patience_s`: how long to wait for writers to leave a table.
    """

    url: str
    codec: Codec
    anchors: Sequence[HeadsAnchored]
    certify: Certify
    access: Access = Access()
    patience_s: float = 30.0


def retire(work: Work, keep: Keep) -> Retired:
    """Drop what is past its age. What is broken stays, and where a chain is broken all stays.

    Raise HadronError where another run is at work, TransientError where a certificate could not be
    written to both log and file.
    """
    found = Retired()
    with our_errors(), _session(work) as retirer:
        # Whoever still reads a chunk keeps it from being dropped.
        going = _certified(work, keep, found)
        for unit, made in going:
            _let_go(work, retirer, unit, made, found)
    return found


def _certified(work: Work, keep: Keep, found: Retired) -> list[tuple[Unit, list[RowsRetired]]]:
    """What may go, as of one moment; what may not is told in `found`."""
    going: list[tuple[Unit, list[RowsRetired]]] = []
    with psycopg.connect(work.url) as reader:
        snapshot = begin(reader)
        known = chains.read(reader, since_ns=0)
        wrong = broken_anchor(work.anchors, known.hashes)
        found.broken = sorted([*known.broken, *([wrong] if wrong else [])])
        if found.broken:
            return going
        view = View(work.url, snapshot, chains.fitting(reader, certificates(work.anchors)))
        with closing(Checker(view, work.codec)) as checker:
            for unit in _units(reader, keep):
                made, broken = certified(reader, unit, checker.check)
                found.broken += broken
                if made and _anchored(work.anchors, made):
                    going.append((unit, made))
                elif made:
                    found.waiting.append(f"{_name(unit)}: nobody has signed its chains yet")
    return going


def _units(reader: Connection, keep: Keep) -> Iterator[Unit]:
    for name, table in TABLES.items():
        if (age := drop_after(table, keep)) is not None:
            yield from due.units(reader, name, age)


def _anchored(anchors: Sequence[HeadsAnchored], made: Sequence[RowsRetired]) -> bool:
    """An earlier signature stands for these chains: this one is not to be the first."""
    known: dict[tuple[str, int], int] = {}
    for head in (head for one in anchors for head in one.heads):
        place = (head.topic, head.partition)
        known[place] = max(head.number, known.get(place, -1))
    return all(known.get((one.topic, one.partition), -1) >= one.last_entry for one in made)


def _let_go(
    work: Work, retirer: Connection, unit: Unit, made: Sequence[RowsRetired], found: Retired
) -> None:
    signed = _signed(work, retirer, made)
    dropping.keep(retirer, signed)
    try:
        dropping.drop(retirer, unit, made, patience_s=work.patience_s)
    except (errors.LockNotAvailable, errors.IntegrityConstraintViolation) as error:
        found.waiting.append(f"{_name(unit)}: {sentence(error)}; it goes with the next run")
        return
    found.gone += [
        Gone(one.table, one.chunk, one.topic, one.partition, one.first, one.last, one.rows)
        for one in made
    ]


def _signed(
    work: Work, retirer: Connection, made: Sequence[RowsRetired]
) -> list[tuple[RowsRetired, HeadsAnchored]]:
    """Each certificate with the anchor that has it: one of an earlier run, or a new one."""
    known = {msgspec.json.encode(one): anchor for anchor in work.anchors for one in anchor.retired}
    done = [(one, known[key]) for one in made if (key := msgspec.json.encode(one)) in known]
    fresh = [one for one in made if msgspec.json.encode(one) not in known]
    for some in _parts(fresh):
        heads = chain.heads(retirer, {(one.topic, one.partition) for one in some})
        anchor = work.certify(list(heads.values()), some)
        done += [(one, anchor) for one in some]
    return done


def _parts(made: Sequence[RowsRetired]) -> Iterator[list[RowsRetired]]:
    part: list[RowsRetired] = []
    for one in made:
        if part and sum(len(other.runs) + 50 for other in part) + len(one.runs) > _MOST_NUMBERS:
            yield part
            part = []
        part.append(one)
    if part:
        yield part


@contextmanager
def _session(work: Work) -> Iterator[Connection]:
    """Alone: two runs would certify the same rows twice."""
    with psycopg.connect(work.url, autocommit=True) as retirer:
        securing.stay_retirer(retirer, work.access)
        [(locked,)] = retirer.execute("SELECT pg_try_advisory_lock(%s)", (RETIRING,)).fetchall()
        if not locked:
            raise HadronError(
                "another run lets rows of this database go right now, or a rebuild works in it"
            )
        try:
            yield retirer
        finally:
            with suppress(psycopg.OperationalError):
                retirer.execute("SELECT pg_advisory_unlock(%s)", (RETIRING,))


def _name(unit: Unit) -> str:
    first = unit.rows[0]
    return unit.chunk or f"{unit.table}, {first.topic}/{first.partition} from {first.first}"
