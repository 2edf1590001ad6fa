"""`hadron up`, `down`: the local stack, which outlives the command."""

from __future__ import annotations

import typer

from hadron.cli import options, output
from hadron.cli.environment import DATABASES, SERVERS, directory_of_stack, local_databases
from hadron.variables import variable


def up(
    context: typer.Context, directory: options.Directory = None, json: options.Json = False
) -> None:
    """Start Kafka, PostgreSQL and Valkey on this machine, unless they run already.

    The first time on a machine, Kafka is downloaded. Data is kept under --dir.
    """
    where = directory_of_stack(directory)
    from connectors.local import stack

    started = stack.up(where, progress=output.say)
    servers = {name: str(getattr(started, name)) for name in SERVERS}
    roles = local_databases(started.database, context.obj)
    urls = {**servers, **{name: roles[variable(name)] for name in DATABASES}}
    rows = [(variable(name), url) for name, url in urls.items()]
    output.show(urls, output.table("", ("found without being set", "address"), rows), as_json=json)
    for name in SERVERS:
        if context.obj.get(variable(name)):
            output.say(f"{variable(name)} is set, so it is used instead")


def down(directory: options.Directory = None) -> None:
    """Stop what `hadron up` started. Data and ports are kept for the next time."""
    where = directory_of_stack(directory)
    from connectors.local import stack

    stack.down(where, progress=output.say)
