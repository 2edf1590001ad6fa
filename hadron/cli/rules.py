"""`hadron control rules`: how ticks are routed."""

from __future__ import annotations

import time
from typing import Annotated, Any

import msgspec
import typer

from hadron.cli import options
from hadron.cli.changes import Newest
from hadron.cli.changing import Author, Reason, change, split
from hadron.control.facts import RulesChanged
from hadron.market.rules import NO_RULES, Rules


def rules(
    context: typer.Context,
    reason: Reason,
    author: Author,
    fast: Annotated[str | None, typer.Option(help="Instruments that are FAST, by comma.")] = None,
    warm: Annotated[str | None, typer.Option(help="Instruments that are WARM, by comma.")] = None,
    cold: Annotated[str | None, typer.Option(help="Instruments that are COLD, by comma.")] = None,
    default: Annotated[str | None, typer.Option(help="Lane of all else.")] = None,
    open_position_is_fast: Annotated[
        bool | None,
        typer.Option(
            "--open-position-fast/--open-position-as-listed",
            help="Whether an open position makes its instrument FAST.",
        ),
    ] = None,
    volatile_bps: Annotated[
        int | None, typer.Option(help="Basis points of a move that makes it FAST; 0: off.")
    ] = None,
    volatile_window_ms: Annotated[
        int | None, typer.Option(help="Milliseconds within which it moves so far.")
    ] = None,
    stale_after_ms: Annotated[
        int | None, typer.Option(help="Age that makes a tick stale; 0: off.")
    ] = None,
    directory: options.Directory = None,
    json: options.Json = False,
) -> None:
    """Change how ticks are routed. What is not given stays as it is."""
    lists = {"fast": fast, "warm": warm, "cold": cold}
    asked: dict[str, Any] = {
        "default": default,
        "open_position_is_fast": open_position_is_fast,
        "volatile_bps": volatile_bps,
        "volatile_window_ms": volatile_window_ms,
        "stale_after_ms": stale_after_ms,
        **{name: None if text is None else split(text) for name, text in lists.items()},
    }
    given = {name: value for name, value in asked.items() if value is not None}

    def make(newest: Newest) -> RulesChanged:
        before = newest.get("rules", NO_RULES)
        fact = msgspec.structs.replace(
            before, **given, author=author, reason=reason, at_ns=time.time_ns()
        )
        assert isinstance(fact, RulesChanged)
        Rules(fact)
        return fact

    change(context, directory, make, as_json=json)
