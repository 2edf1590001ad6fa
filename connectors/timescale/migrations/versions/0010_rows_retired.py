"""Certificates of rows that go, and the one way by which they go.

The function drops a chunk, or deletes rows where there are no chunks, if certificates in the table
name exactly the rows that it finds, under a lock that lets no other row in. It cannot check a
signature: `hadron verify` does, against what is outside of the database.
"""

from alembic import op
from sqlalchemy import text

from connectors.timescale.migrations.timescale import available

revision = "0010"
down_revision = "0009"

TABLE = """
CREATE TABLE rows_retired (
    table_name text COLLATE "C" NOT NULL,
    chunk text COLLATE "C" NOT NULL,
    topic text COLLATE "C" NOT NULL,
    partition integer NOT NULL,
    first_offset bigint NOT NULL,
    last_offset bigint NOT NULL,
    records bigint NOT NULL,
    offset_runs bigint[] NOT NULL,
    from_ns bigint NOT NULL,
    until_ns bigint NOT NULL,
    root bytea NOT NULL,
    first_entry bigint NOT NULL,
    last_entry bigint NOT NULL,
    entry_hash bytea NOT NULL,
    why text NOT NULL,
    anchored_at_ns bigint NOT NULL,
    signature bytea NOT NULL,
    PRIMARY KEY (topic, partition, table_name, first_offset, root)
)
"""

FUNCTION = """
CREATE FUNCTION drop_retired(of_table text, of_chunk text, of_roots bytea[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {path} AS $$
DECLARE
    piece record;
    found bigint[];
    wanted bigint := 0;
    there bigint;
    within text := 'true';
    span record;
    belt record;
BEGIN
    IF of_chunk = '' THEN
        EXECUTE format('LOCK TABLE %I IN SHARE ROW EXCLUSIVE MODE', of_table);
    ELSE
        SELECT range_start, range_end INTO STRICT span FROM timescaledb_information.chunks
        WHERE hypertable_schema = current_schema() AND hypertable_name = of_table
            AND format('%I.%I', chunk_schema, chunk_name) = of_chunk;
        EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', of_chunk);
        within := format('at >= %L AND at < %L', span.range_start, span.range_end);
    END IF;
    FOR piece IN
        SELECT * FROM rows_retired
        WHERE table_name = of_table AND chunk = of_chunk AND root = ANY (of_roots)
    LOOP
        EXECUTE format('
            SELECT coalesce(array_agg(number ORDER BY first, place), ARRAY[]::bigint[])
            FROM (
                SELECT min(log_offset) AS first, count(*) AS size
                FROM (
                    SELECT log_offset, log_offset - row_number() OVER (ORDER BY log_offset) AS run
                    FROM %I WHERE log_topic = $1 AND log_partition = $2
                        AND log_offset BETWEEN $3 AND $4 AND %s
                ) AS own GROUP BY run
            ) AS runs CROSS JOIN LATERAL (VALUES (first, 1), (size, 2)) AS each (number, place)
        ', of_table, within) INTO found
        USING piece.topic, piece.partition, piece.first_offset, piece.last_offset;
        IF found IS DISTINCT FROM piece.offset_runs THEN
            RAISE EXCEPTION '% to % of %/% in % are not the rows of their certificate',
                piece.first_offset, piece.last_offset, piece.topic, piece.partition, of_table
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        wanted := wanted + piece.records;
    END LOOP;
    IF of_chunk <> '' THEN
        EXECUTE format('SELECT count(*) FROM %I WHERE %s', of_table, within) INTO there;
        IF there <> wanted OR there = 0 THEN
            RAISE EXCEPTION '% rows in %, % of them with a certificate', there, of_chunk, wanted
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        PERFORM drop_chunks(of_table::regclass,
            older_than => span.range_end, newer_than => span.range_start);
        RETURN there;
    END IF;
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') THEN
        RAISE EXCEPTION 'rows of % go by chunks', of_table
            USING ERRCODE = 'feature_not_supported';
    END IF;
    -- Nobody else sees it: the triggers are there again before the lock is given back.
    FOR belt IN SELECT tgname, tgenabled FROM pg_trigger
        WHERE tgrelid = of_table::regclass AND NOT tgisinternal AND tgname LIKE 'immutable%'
    LOOP
        EXECUTE format('ALTER TABLE %I DISABLE TRIGGER %I', of_table, belt.tgname);
    END LOOP;
    FOR piece IN
        SELECT * FROM rows_retired
        WHERE table_name = of_table AND chunk = of_chunk AND root = ANY (of_roots)
    LOOP
        EXECUTE format('
            DELETE FROM %I WHERE log_topic = $1 AND log_partition = $2
                AND log_offset BETWEEN $3 AND $4
        ', of_table) USING piece.topic, piece.partition, piece.first_offset, piece.last_offset;
    END LOOP;
    FOR belt IN SELECT tgname FROM pg_trigger
        WHERE tgrelid = of_table::regclass AND NOT tgisinternal AND tgname LIKE 'immutable%'
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER %I', of_table, belt.tgname);
    END LOOP;
    RETURN wanted;
END $$
"""
# The jobs that dropped by age and told nobody.
JOBS = """
    SELECT delete_job(job_id) FROM timescaledb_information.jobs
    WHERE proc_name = 'drop_stored_before'
"""
PATH = """
    SELECT string_agg(DISTINCT quote_ident(name), ', ') || ', pg_temp' FROM (
        SELECT current_schema() AS name
        UNION SELECT nspname FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace
            WHERE extname = 'timescaledb'
    ) AS schemas
"""


def upgrade() -> None:
    op.execute(TABLE)
    path = op.get_bind().execute(text(PATH)).scalar()
    op.execute(FUNCTION.format(path=path))
    op.execute("REVOKE ALL ON FUNCTION drop_retired(text, text, bytea[]) FROM PUBLIC")
    if available():
        op.execute(JOBS)
        op.execute("DROP PROCEDURE drop_stored_before(integer, jsonb)")
