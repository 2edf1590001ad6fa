"""`hadron control strategy`: which strategies run, and with what parameters."""

from __future__ import annotations

import time
from typing import Annotated, Any

import msgspec
import typer

from hadron.cli import options
from hadron.cli.changes import Newest
from hadron.cli.changing import Author, Reason, change, split
from hadron.cli.defaults import PORTFOLIO
from hadron.control.facts import StrategyConfigured
from hadron.errors import ContractError


def strategy(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the strategy.")],
    reason: Reason,
    author: Author,
    kind: Annotated[str | None, typer.Option(help="SimpleSMA, Crossover or SMACross.")] = None,
    enabled: Annotated[
        bool | None, typer.Option("--enable/--disable", help="Whether it runs.")
    ] = None,
    portfolio: Annotated[str | None, typer.Option(help="For whom it decides.")] = None,
    instruments: Annotated[
        str | None, typer.Option(help="Instruments it runs on, by comma; empty: all.")
    ] = None,
    parameters: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="<name=value>", help="A parameter; may be repeated."),
    ] = None,
    directory: options.Directory = None,
    json: options.Json = False,
) -> None:
    """Configure a strategy, or add one. What is not given stays as it is."""
    asked: dict[str, Any] = {
        "kind": kind,
        "enabled": enabled,
        "portfolio": portfolio,
        "instruments": None if instruments is None else split(instruments),
    }
    given = {field: value for field, value in asked.items() if value is not None}
    pairs = dict(_pair(text) for text in parameters or ())

    def make(newest: Newest) -> StrategyConfigured:
        from hadron.strategy.registry import build

        before = newest.get(f"strategy/{name}") or _new(name, kind)
        assert isinstance(before, StrategyConfigured)
        signed = {"author": author, "reason": reason, "at_ns": time.time_ns()}
        parameters = {**_kept(before, kind), **pairs}
        fact = msgspec.structs.replace(before, **given, **signed, parameters=parameters)
        build(fact)
        return fact

    change(context, directory, make, as_json=json)


def _new(name: str, kind: str | None) -> StrategyConfigured:
    if kind is None:
        raise ContractError(f"there is no strategy {name} yet; give its --kind")
    return StrategyConfigured("", "", 0, 0, name, kind, True, PORTFOLIO, [], {})


def _kept(before: StrategyConfigured, kind: str | None) -> dict[str, str]:
    """Its parameters, unless it becomes of another kind, which has others."""
    return before.parameters if kind in (None, before.kind) else {}


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise typer.BadParameter(f"--set {text!r}; wanted name=value")
    return name, value
