"""What each version of a strategy was made of: code, parameters, models, and what it imports."""

from alembic import op

from connectors.timescale.migrations.timescale import hypertable

revision = "0012"
down_revision = "0011"

STRATEGY_VERSIONS = """
CREATE TABLE strategy_versions (
    at timestamptz NOT NULL,
    log_topic text COLLATE "C" NOT NULL,
    log_partition integer NOT NULL,
    log_offset bigint NOT NULL,
    version text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    entry text COLLATE "C" NOT NULL,
    parameters json NOT NULL,
    modules json NOT NULL,
    models json NOT NULL,
    distributions json NOT NULL,
    at_ns bigint NOT NULL,
    record bytea
)
"""
PLACE = """
CREATE UNIQUE INDEX strategy_versions_log
ON strategy_versions (log_topic, log_partition, log_offset, at)
"""
VERSION = "CREATE INDEX strategy_versions_version ON strategy_versions (version)"


def upgrade() -> None:
    for statement in (STRATEGY_VERSIONS, PLACE, VERSION):
        op.execute(statement)
    hypertable("strategy_versions", chunk="7 days", segment="kind", compress_after="30 days")
