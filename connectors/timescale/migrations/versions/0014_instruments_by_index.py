"""Which instruments have ticked is read from an index, a row or two of each.

Until now the walk asked for the next instrument and its newest tick at once, in an order that no
index has, and sorted all ticks of every instrument: 2.5 s with ten million.
"""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"

INSTRUMENTS_TICKED = """
CREATE OR REPLACE VIEW instruments_ticked AS
WITH RECURSIVE walk AS (
    (SELECT instrument FROM ticks ORDER BY instrument LIMIT 1)
    UNION ALL
    SELECT following.instrument
    FROM walk CROSS JOIN LATERAL (
        SELECT t.instrument FROM ticks AS t
        WHERE t.instrument > walk.instrument ORDER BY t.instrument LIMIT 1
    ) AS following
)
SELECT walk.instrument, newest.at AS newest
FROM walk CROSS JOIN LATERAL (
    SELECT t.at FROM ticks AS t
    WHERE t.instrument = walk.instrument ORDER BY t.at DESC LIMIT 1
) AS newest
"""


def upgrade() -> None:
    op.execute(INSTRUMENTS_TICKED)
