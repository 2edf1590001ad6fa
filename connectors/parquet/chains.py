"""The chains of an export: with them, what is restored is compared with what was signed before.

They need no manifest: each entry is bound to the one before, and the last to a signed head.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.parquet.manifest import appear
from hadron.audit.chain import FIRST_PREVIOUS, Block, Entry
from hadron.errors import HadronError

FOLDER = "chains"
SCHEMA = pa.schema(
    [
        pa.field("number", pa.int64(), nullable=False),
        pa.field("first", pa.int64(), nullable=False),
        pa.field("last", pa.int64(), nullable=False),
        pa.field("count", pa.int64(), nullable=False),
        pa.field("at_ns", pa.int64(), nullable=False),
        pa.field("root", pa.binary(32), nullable=False),
        pa.field("previous", pa.binary(32), nullable=False),
        pa.field("leaves", pa.binary(), nullable=False),
        pa.field("runs", pa.list_(pa.int64()), nullable=False),
    ]
)
_GROUP_BYTES = 32 << 20

Place = tuple[str, int]


def places(directory: Path) -> list[Place]:
    """The partitions whose chains are in an export."""
    folders = (directory / FOLDER).glob("*/*")
    return sorted((one.parent.name, int(one.name)) for one in folders if one.name.isdecimal())


def end(directory: Path, place: Place) -> Entry | None:
    """The last entry of a chain in an export."""
    files = _files(directory, place)
    if not files:
        return None
    with _opened(files[-1]) as file:
        table = file.read_row_group(file.num_row_groups - 1)
    *_, last = _blocks(place, table)
    return last.entry


def add(directory: Path, place: Place, blocks: Iterable[Block]) -> int:
    """Write the entries that follow, in a file of their own, and return how many.

    Raise HadronError if they do not follow from what is there: the database has another chain.
    """
    before = end(directory, place)
    folder = directory / FOLDER / place[0] / str(place[1])
    written, writer, count = folder / ".writing", None, 0
    waiting: list[Block] = []
    first, last = -1, before
    try:
        for block in blocks:
            _demand_following(directory, place, last, block.entry)
            if writer is None:
                folder.mkdir(parents=True, exist_ok=True)
                writer = pq.ParquetWriter(written, SCHEMA, compression="none")
                first = block.entry.number
            waiting.append(block)
            last, count = block.entry, count + 1
            if sum(len(one.leaves) for one in waiting) >= _GROUP_BYTES:
                writer.write_batch(_batch(waiting))
                waiting = []
        if writer is not None and waiting:
            writer.write_batch(_batch(waiting))
    finally:
        if writer is not None:
            writer.close()
    if last is not None and count:
        appear(written, folder / f"{first}-{last.number}.parquet")
    return count


def read(directory: Path, place: Place) -> Iterator[Block]:
    """The entries of a chain, in order; nothing of them is checked."""
    for path in _files(directory, place):
        with _opened(path) as file:
            for group in range(file.num_row_groups):
                yield from _blocks(place, file.read_row_group(group))


def _files(directory: Path, place: Place) -> list[Path]:
    found = (directory / FOLDER / place[0] / str(place[1])).glob("*-*.parquet")
    return sorted(found, key=lambda path: int(path.name.partition("-")[0]))


def _opened(path: Path) -> pq.ParquetFile:
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise HadronError(f"{path} cannot be read: {error}") from error
    if not file.schema_arrow.equals(SCHEMA):
        raise HadronError(f"{path} has other columns than the chains of an export")
    return file


def _demand_following(directory: Path, place: Place, last: Entry | None, entry: Entry) -> None:
    number, previous = (last.number + 1, last.hash) if last else (0, FIRST_PREVIOUS)
    if (entry.number, entry.previous) != (number, previous):
        raise HadronError(
            f"entry {entry.number} of {place[0]}/{place[1]} does not follow from the chain in"
            f" {directory}: the database has another one; begin another directory and keep this one"
        )


def _batch(blocks: Iterable[Block]) -> pa.RecordBatch:
    known = [
        {
            **{name: getattr(one.entry, name) for name in SCHEMA.names if name not in _OF_BLOCK},
            "leaves": one.leaves,
            "runs": list(one.runs),
        }
        for one in blocks
    ]
    return pa.RecordBatch.from_pylist(known, schema=SCHEMA)


_OF_BLOCK = ("leaves", "runs")


def _blocks(place: Place, table: pa.Table) -> Iterator[Block]:
    for row in table.to_pylist():
        leaves, runs = row.pop("leaves"), tuple(row.pop("runs"))
        yield Block(Entry(topic=place[0], partition=place[1], **row), leaves, runs)
