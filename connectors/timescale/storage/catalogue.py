"""The questions to PostgreSQL's and TimescaleDB's catalogues."""

TABLES = """
    SELECT relname::text AS name, pg_total_relation_size(oid) AS size,
        NULLIF(greatest(reltuples::bigint, pg_stat_get_live_tuples(oid)), -1) AS rows
    FROM pg_class
    WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
        AND relname <> 'alembic_version'
    ORDER BY relname
"""
# Aggregates by the name of their view. What TimescaleDB keeps compressed rows in is not listed by
# its own views, and how it marks them in its catalogue differs from version to version. It leaves
# a compressed chunk the statistics that it had before.
HYPERTABLES = """
    WITH shown (name, schema_name, table_name, is_view) AS (
        SELECT hypertable_name::text, hypertable_schema, hypertable_name, false
        FROM timescaledb_information.hypertables
        UNION ALL
        SELECT view_name::text, materialization_hypertable_schema,
            materialization_hypertable_name, true
        FROM timescaledb_information.continuous_aggregates
    )
    SELECT name, hypertable_size(relation) AS size, rows, chunks, compressed,
        before / NULLIF(after, 0) AS ratio
    FROM shown
    JOIN _timescaledb_catalog.hypertable AS known USING (schema_name, table_name)
    CROSS JOIN LATERAL CAST(format('%I.%I', schema_name, table_name) AS regclass) AS relation
    CROSS JOIN LATERAL (
        SELECT count(*) AS chunks, count(chunk_id) AS compressed,
            coalesce(sum(coalesce(numrows_pre_compression,
                greatest(reltuples, pg_stat_get_live_tuples(chunk)))), 0)::bigint AS rows,
            sum(uncompressed_heap_size + uncompressed_toast_size + uncompressed_index_size)::float
                AS before,
            sum(compressed_heap_size + compressed_toast_size + compressed_index_size) AS after
        FROM show_chunks(relation) AS chunk JOIN pg_class ON pg_class.oid = chunk
        LEFT JOIN _timescaledb_catalog.compression_chunk_size
            ON chunk_id = _timescaledb_functions.chunk_id_from_relid(chunk)
    ) AS counted
    ORDER BY is_view, known.id
"""
# Those below 1000 are TimescaleDB's own. What never happened is "infinity", which is no datetime.
JOBS = """
    SELECT jobs.job_id AS number, jobs.proc_name::text AS what,
        coalesce(config ->> 'table', user_view_name, table_name)::text AS on,
        schedule_interval AS each,
        CASE WHEN isfinite(last_run_started_at) THEN last_run_started_at END AS last_run,
        last_run_status AS last_status, coalesce(total_failures, 0) AS failures,
        (SELECT err_message FROM timescaledb_information.job_errors AS wrong
            WHERE wrong.job_id = jobs.job_id ORDER BY finish_time DESC NULLS LAST LIMIT 1
        ) AS last_error,
        CASE WHEN isfinite(jobs.next_start) THEN jobs.next_start END AS next_run
    FROM timescaledb_information.jobs
    LEFT JOIN timescaledb_information.job_stats USING (job_id)
    LEFT JOIN _timescaledb_catalog.hypertable AS source ON source.id
        = coalesce(config ->> 'hypertable_id', config ->> 'mat_hypertable_id')::int
    LEFT JOIN _timescaledb_catalog.continuous_agg ON mat_hypertable_id = source.id
    WHERE jobs.job_id >= 1000
    ORDER BY jobs.job_id
"""
