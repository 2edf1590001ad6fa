"""What a runtime role may try against what is written: each is to be refused.

In the statements: {table} and its {column} and {key}; {owner} and {migrator} are roles.
"""

from __future__ import annotations

from collections.abc import Mapping

OF_A_TABLE: Mapping[str, str] = {
    "update": "UPDATE {table} SET {column} = {column}",
    "update all": "UPDATE {table} SET {column} = NULL",
    "delete": "DELETE FROM {table}",
    "truncate": "TRUNCATE {table}",
    "truncate with others": "TRUNCATE {table} RESTART IDENTITY CASCADE",
    "on conflict do update": """
        INSERT INTO {table} DEFAULT VALUES
        ON CONFLICT ({key}) DO UPDATE SET {column} = EXCLUDED.{column}""",
    "merge": """
        MERGE INTO {table} AS old USING (SELECT 1) AS new ON true WHEN MATCHED THEN DELETE""",
    "lock rows": "SELECT FROM {table} FOR UPDATE",
    "lock the table": "DO $$BEGIN LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE; END$$",
    "disable all triggers": "ALTER TABLE {table} DISABLE TRIGGER ALL",
    "disable our triggers": "ALTER TABLE {table} DISABLE TRIGGER USER",
    "disable for replicas": "ALTER TABLE {table} ENABLE REPLICA TRIGGER immutable",
    "drop a trigger": "DROP TRIGGER immutable ON {table}",
    "drop the trigger of rows": "DROP TRIGGER immutable_rows ON {table}",
    "rename a trigger": "ALTER TRIGGER immutable ON {table} RENAME TO gone",
    "a trigger of one's own": """
        CREATE TRIGGER mine BEFORE INSERT ON {table}
        FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()""",
    "a rule": "CREATE RULE quiet AS ON INSERT TO {table} DO INSTEAD NOTHING",
    "a policy": "CREATE POLICY blind ON {table} USING (false)",
    "row security": "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
    "grant to oneself": "GRANT ALL ON {table} TO CURRENT_USER",
    "grant a column to oneself": "GRANT UPDATE ({column}) ON {table} TO CURRENT_USER",
    "grant to all": "GRANT ALL ON {table} TO PUBLIC",
    "take from others": "REVOKE ALL ON {table} FROM {sink}",
    "own it": "ALTER TABLE {table} OWNER TO CURRENT_USER",
    "drop": "DROP TABLE {table}",
    "drop with others": "DROP TABLE {table} CASCADE",
    "rename": "ALTER TABLE {table} RENAME TO gone",
    "drop a column": "ALTER TABLE {table} DROP COLUMN {column}",
    "another type": "ALTER TABLE {table} ALTER COLUMN {column} TYPE text",
    "a column that computes": "ALTER TABLE {table} ADD COLUMN mine int DEFAULT 1",
    "unlogged": "ALTER TABLE {table} SET UNLOGGED",
    "a child": "CREATE TABLE pg_temp.child () INHERITS ({table})",
    "an index": "CREATE INDEX mine ON {table} ({column})",
    "a function of the definer": """
        CREATE FUNCTION public.mine() RETURNS void LANGUAGE sql SECURITY DEFINER
        AS 'DELETE FROM {table}'""",
    "a view to write through": "CREATE VIEW public.mine AS SELECT * FROM {table}",
}
OF_THE_DATABASE: Mapping[str, str] = {
    "replica mode": "SET session_replication_role = replica",
    "replica mode for ever": "ALTER ROLE CURRENT_USER SET session_replication_role = replica",
    "be the owner": "SET ROLE {owner}",
    "be the migrator": "SET ROLE {migrator}",
    "log in as the owner": "SET SESSION AUTHORIZATION {owner}",
    "join the owner": "GRANT {owner} TO CURRENT_USER",
    "join the migrator": "GRANT {migrator} TO CURRENT_USER",
    "be a superuser": "ALTER ROLE CURRENT_USER SUPERUSER",
    "let the owner in": "ALTER ROLE {owner} LOGIN PASSWORD 'mine'",
    "a role": "CREATE ROLE mine",
    "write to catalogues": "UPDATE pg_class SET relowner = 0",
    "delete triggers": "DELETE FROM pg_trigger",
    "replace the function": """
        CREATE OR REPLACE FUNCTION public.refuse_change() RETURNS trigger LANGUAGE plpgsql
        AS 'BEGIN RETURN NULL; END'""",
    "own the function": "ALTER FUNCTION public.refuse_change() OWNER TO CURRENT_USER",
    "drop the function": "DROP FUNCTION public.refuse_change() CASCADE",
    "drop what the owner has": "DROP OWNED BY {owner} CASCADE",
    "take what the owner has": "REASSIGN OWNED BY {owner} TO CURRENT_USER",
    "grants of what comes": """
        ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT ALL ON TABLES TO CURRENT_USER""",
    "a table": "CREATE TABLE public.mine ()",
    "a schema": "CREATE SCHEMA mine",
    "drop the schema": "DROP SCHEMA public CASCADE",
    "own the schema": "ALTER SCHEMA public OWNER TO CURRENT_USER",
    "another schema first": "ALTER DATABASE {database} SET search_path = mine",
    "own the database": "ALTER DATABASE {database} OWNER TO CURRENT_USER",
    "run a program": "COPY (SELECT 1) TO PROGRAM 'true'",
    "write a file": "COPY (SELECT 1) TO '/tmp/mine'",
    "another server": "ALTER SYSTEM SET fsync = off",
    "an event trigger": """
        CREATE EVENT TRIGGER mine ON ddl_command_end EXECUTE FUNCTION public.refuse_change()""",
    "another extension": "CREATE EXTENSION file_fdw",
    "retire rows": "SELECT drop_retired('ticks', '', ARRAY[]::bytea[])",
    "certify rows": "UPDATE rows_retired SET records = 0",
    "another revision": "UPDATE alembic_version SET version_num = '0001'",
    "forget the offsets": "DELETE FROM consumer_offsets",
    "empty the offsets": "TRUNCATE consumer_offsets",
    "replace a view": "CREATE OR REPLACE VIEW candles_1h AS SELECT 1 AS bucket",
    "drop a view": "DROP VIEW candles_1h CASCADE",
}
# Of roles that do not write.
OF_READERS: Mapping[str, str] = {
    "insert": "INSERT INTO {table} DEFAULT VALUES",
    "insert what is there": "INSERT INTO {table} SELECT * FROM {table} ON CONFLICT DO NOTHING",
}
# {chunk} of a hypertable; {compressed} is one that is compressed.
OF_TIMESCALEDB: Mapping[str, str] = {
    "update a chunk": "UPDATE {chunk} SET log_offset = 0",
    "delete from a chunk": "DELETE FROM {chunk}",
    "truncate a chunk": "TRUNCATE {chunk}",
    "drop a chunk": "DROP TABLE {chunk}",
    "own a chunk": "ALTER TABLE {chunk} OWNER TO CURRENT_USER",
    "disable the triggers of a chunk": "ALTER TABLE {chunk} DISABLE TRIGGER ALL",
    "drop the trigger of a chunk": "DROP TRIGGER immutable_rows ON {chunk}",
    "grant a chunk to oneself": "GRANT ALL ON {chunk} TO CURRENT_USER",
    "truncate a compressed chunk": "TRUNCATE {compressed}",
    "drop chunks": "SELECT drop_chunks('ticks', now())",
    "drop one chunk": "SELECT _timescaledb_functions.drop_chunk('{chunk}')",
    "drop one chunk by its old name": "SELECT _timescaledb_internal.drop_chunk('{chunk}')",
    "freeze a chunk": "SELECT _timescaledb_functions.freeze_chunk('{chunk}')",
    "compress a chunk": "SELECT compress_chunk('{chunk}')",
    "decompress a chunk": "SELECT decompress_chunk('{compressed}')",
    "a policy of retention": "SELECT add_retention_policy('ticks', INTERVAL '1 day')",
    "no policy of compression": "SELECT remove_compression_policy('ticks')",
    "no jobs": "SELECT alter_job(job_id, scheduled => false) FROM timescaledb_information.jobs",
    "other chunks": "SELECT set_chunk_time_interval('ticks', INTERVAL '1 hour')",
    "refresh candles": "CALL refresh_continuous_aggregate('candles_1m', NULL, NULL)",
    "drop candles": "DROP MATERIALIZED VIEW candles_1h",
    "write to its catalogue": "DELETE FROM _timescaledb_catalog.chunk",
    "write to its jobs": "DELETE FROM _timescaledb_config.bgw_job",
}
