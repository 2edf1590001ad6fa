"""Alembic loads these files by name; `revision` and `down_revision` put them in order."""
