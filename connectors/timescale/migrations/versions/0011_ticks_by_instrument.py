"""The ticks of an instrument, indexed the way they come: oldest first.

Where times fall, each tick goes before all others of its instrument, and every page that is split
stays half empty. A query for the newest first reads the same index backwards.
"""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.execute("DROP INDEX ticks_instrument")
    op.execute("CREATE INDEX ticks_instrument ON ticks (instrument, at)")
