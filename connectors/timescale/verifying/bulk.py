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
_SLICE = 1_000


def rows(
    connection: Connection, table: str, columns: Sequence[str], asked: Range
) -> Iterator[list[bytes]]:
    """The rows of a range, each a count of columns and the columns, each after its length."""
    statement = _COPY.format(
        columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
        table=sql.Identifier(table),
        **{name: sql.Literal(value) for name, value in asked._asdict().items()},
    )
    waiting: list[bytes] = []
    for chunk in _copied(connection, statement):
        waiting.append(chunk)
        if len(waiting) == _SLICE:
            yield _bare(waiting)
            waiting = []
    yield _bare(waiting)


def _copied(connection: Connection, statement: sql.Composed) -> Iterator[bytes]:
    """What COPY sends, by libpq itself: psycopg's own loop takes as long as all the rest."""
    server = connection.pgconn
    result = server.exec_(statement.as_bytes(connection))
    if result.status != ExecStatus.COPY_OUT:
        raise errors.error_from_result(result)
    read = server.get_copy_data
    while True:
        size, data = read(0)
        if size < 0:
            break
        yield bytes(data)
    while (done := server.get_result()) is not None:
        if done.status != ExecStatus.COMMAND_OK:
            raise errors.error_from_result(done)


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


def _bare(chunks: Sequence[bytes]) -> list[bytes]:
    """Without what stands before the first row and after the last."""
    bare = [chunk.removeprefix(HEAD) for chunk in chunks]
    return [row for row in bare if row and row != TAIL]
