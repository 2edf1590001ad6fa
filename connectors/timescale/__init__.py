"""The archive: every fact of the flow as a row of TimescaleDB, or of PostgreSQL without it."""
