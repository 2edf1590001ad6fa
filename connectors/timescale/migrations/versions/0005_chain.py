"""The chain of each partition: what was stored in one batch, bound to all before it by hash.

Written in the transaction of the rows. `leaves` has the hash of each record, so that a changed row
is found alone, and not the batch that it is in.
"""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE audit_chain (
            topic text COLLATE "C" NOT NULL,
            partition integer NOT NULL,
            number bigint NOT NULL CHECK (number >= 0),
            first_offset bigint NOT NULL CHECK (first_offset >= 0),
            last_offset bigint NOT NULL CHECK (last_offset >= first_offset),
            records integer NOT NULL CHECK (records BETWEEN 1 AND last_offset - first_offset + 1),
            chained_at_ns bigint NOT NULL,
            root bytea NOT NULL,
            previous bytea NOT NULL,
            hash bytea NOT NULL,
            leaves bytea NOT NULL CHECK (length(leaves) = 32 * records),
            runs bigint[],
            PRIMARY KEY (topic, partition, number),
            UNIQUE (topic, partition, first_offset)
        )
    """)
    # Hashes cannot be compressed; do not try.
    op.execute("ALTER TABLE audit_chain ALTER COLUMN leaves SET STORAGE EXTERNAL")
