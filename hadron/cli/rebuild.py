"""`hadron rebuild`: make a projection anew from the log."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from hadron.cli import options, output
from hadron.cli.environment import settings_of


def rebuild(
    context: typer.Context,
    redis: Annotated[bool, typer.Option("--redis", help="The hot keys in Redis.")] = False,
    directory: options.Directory = None,
    json: options.Json = False,
) -> None:
    """Make what is folded from the log anew, and show what was wrong in it.

    A running `latest` is not disturbed.
    """
    if not redis:
        raise typer.BadParameter("nothing to rebuild; wanted --redis")
    from connectors.redis import rebuilding
    from connectors.telemetry.metrics import PrometheusTelemetry
    from hadron.wiring import codec_of

    settings = settings_of(context, directory)
    found = rebuilding.rebuild(settings, codec=codec_of(settings), telemetry=PrometheusTelemetry())
    row = [(name, value) for name, value in msgspec.structs.asdict(found).items()]
    output.show({"redis": found}, output.table("redis", ("what", "count"), row), as_json=json)
