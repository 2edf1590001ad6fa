"""Whether this database has TimescaleDB; without it the same names are plain tables and views."""

from alembic import op
from sqlalchemy import text


def available() -> bool:
    """The extension is created in this database."""
    found = op.get_bind().execute(text("SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'"))
    return found.scalar() is not None


def hypertable(table: str, *, chunk: str, segment: str, compress_after: str) -> None:
    """Make a hypertable by `at`, compressed by age. Nothing without TimescaleDB.

    Nothing is dropped by age: a tape of years ago would go the day after it was played.
    """
    if not available():
        return
    op.execute(f"""
        SELECT create_hypertable(
            '{table}', by_range('at', INTERVAL '{chunk}'), create_default_indexes => false)
    """)
    op.execute(f"""
        ALTER TABLE {table} SET (
            timescaledb.compress,
            timescaledb.compress_segmentby = '{segment}',
            timescaledb.compress_orderby = 'at, log_offset')
    """)
    op.execute(f"SELECT add_compression_policy('{table}', INTERVAL '{compress_after}')")
