"""Rows as COPY's own bytes, many at once, in the order of the log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from psycopg import errors, sql
from psycopg.pq import ExecStatus

from connectors.timescale.binary import HEAD, TAIL
from connectors.timescale.connection import Connection
from connectors.timescale.verifying import rereading
from connectors.timescale.verifying.rereading import Range
from hadron.audit.leaves import Leaves
from hadron.ports import Codec

_COPY = sql.SQL("""
    COPY (
        SELECT {columns} FROM {table} WHERE log_topic = {topic} AND log_partition = {partition}
            AND log_offset > {low} AND log_offset <= {high}
        ORDER BY log_offset
    ) TO STDOUT (FORMAT BINARY)
""")
_SLICE = 4_096


def rows(
    connection: Connection, table: str, columns: Sequence[str], asked: Range
) -> Iterator[list[bytes]]:
    """The rows of a range, each a count of columns and the columns, each after its length."""
    statement = _COPY.format(
        columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
        table=sql.Identifier(table),
        **{name: sql.Literal(value) for name, value in asked._asdict().items()},
    )
    # By libpq itself: psycopg's own loop takes as long as all the rest.
    server = connection.pgconn
    result = server.exec_(statement.as_bytes(connection))
    if result.status != ExecStatus.COPY_OUT:
        raise errors.error_from_result(result)
    read, waiting = server.get_copy_data, list[bytes]()
    while (found := read(0))[0] >= 0:
        waiting.append(bytes(found[1]))
        if len(waiting) == _SLICE:
            yield _bare(waiting)
            waiting = []
    if waiting and (last := _bare(waiting)):
        yield last
    while (done := server.get_result()) is not None:
        if done.status != ExecStatus.COMMAND_OK:
            raise errors.error_from_result(done)


def _bare(chunks: list[bytes]) -> list[bytes]:
    """Without what stands before the first row and behind the last; both may be one chunk."""
    ends = {0: chunks[0].removeprefix(HEAD), len(chunks) - 1: chunks[-1].removeprefix(HEAD)}
    for place in sorted(ends, reverse=True):
        chunks[place : place + 1] = [ends[place]] if ends[place] not in (b"", TAIL) else []
    return chunks


def completed(
    connection: Connection,
    table: str,
    place: tuple[str, int],
    offsets: Sequence[int],
    found: list[bytes],
    *,
    codec: Codec,
    leaves: Leaves,
) -> list[bytes]:
    """Fill in the leaves that are empty yet, of rows that only our own codec can judge."""
    index = 0
    while b"" in found[index:]:
        index = found.index(b"", index)
        end = next((at for at in range(index, len(found)) if found[at]), len(found))
        asked = Range(*place, offsets[index] - 1, offsets[end - 1])
        parts = rereading.slices(connection, table, asked, codec, leaves)
        again = [one for part in parts for one in zip(*part, strict=True)]
        for at, (offset, leaf) in zip(range(index, end), again, strict=False):
            found[at] = leaf if offsets[at] == offset else b"there are others at its offset"
        index = end
    return found
