"""The questions to PostgreSQL's and TimescaleDB's catalogues."""

TABLES = """
    SELECT relname::text AS name, pg_total_relation_size(oid) AS size,
        NULLIF(greatest(reltuples::bigint, pg_stat_get_live_tuples(oid)), -1) AS rows
    FROM pg_class
    WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
        AND relname <> 'alembic_version'
    ORDER BY relname
"""
# Aggregates by the name of their view. State 2 is what TimescaleDB keeps compressed rows in.
HYPERTABLES = """
    SELECT coalesce(user_view_name, table_name)::text AS name,
        hypertable_size(relation) AS size,
        (SELECT coalesce(sum(greatest(reltuples, pg_stat_get_live_tuples(chunk))), 0)::bigint
            FROM show_chunks(relation) AS chunk JOIN pg_class ON pg_class.oid = chunk)
        + (SELECT coalesce(sum(numrows_pre_compression), 0)::bigint
            FROM _timescaledb_catalog.compression_chunk_size AS packed
            JOIN _timescaledb_catalog.chunk ON chunk.id = packed.chunk_id
            WHERE chunk.hypertable_id = known.id) AS rows,
        (SELECT count(*) FROM show_chunks(relation)) AS chunks,
        coalesce(number_compressed_chunks, 0) AS compressed,
        before_compression_total_bytes::float / NULLIF(after_compression_total_bytes, 0) AS ratio
    FROM _timescaledb_catalog.hypertable AS known
    CROSS JOIN LATERAL CAST(format('%I.%I', schema_name, table_name) AS regclass) AS relation
    LEFT JOIN LATERAL hypertable_compression_stats(relation) ON compression_state = 1
    LEFT JOIN _timescaledb_catalog.continuous_agg ON mat_hypertable_id = known.id
    WHERE compression_state <> 2
    ORDER BY user_view_name IS NOT NULL, known.id
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
