"""How far the archive has read: written in the transaction of the rows, and the only truth."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE consumer_offsets (
            topic text COLLATE "C" NOT NULL,
            partition integer NOT NULL,
            next_offset bigint NOT NULL CHECK (next_offset >= 0),
            PRIMARY KEY (topic, partition)
        ) WITH (fillfactor = 50)
    """)
