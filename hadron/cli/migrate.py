"""`hadron migrate`: bring the database's schema to what this code needs."""

from __future__ import annotations

import typer

from hadron.cli import options, output
from hadron.cli.environment import owner_url, settings_of


def migrate(
    context: typer.Context, directory: options.Directory = None, json: options.Json = False
) -> None:
    """Create or upgrade tables and roles. There is no way back; running it twice is harmless.

    Uses HADRON_DATABASE_MIGRATE, and sets the passwords of roles that are given. With TimescaleDB
    its policies become what HADRON_KEEP_RAW_DAYS and its like say.
    """
    from connectors.timescale import schema
    from connectors.timescale.access.roles import access_of
    from connectors.timescale.storage.windows import keep_of

    settings = settings_of(context, directory)
    url = owner_url(settings)
    before = schema.current(url)
    after = schema.migrate(url, output.say, keep=keep_of(settings), access=access_of(settings))
    output.show({"before": before, "after": after}, f"schema {after}", as_json=json)
