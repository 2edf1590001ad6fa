"""`hadron control limits`: what a portfolio may risk."""

from __future__ import annotations

import time
from decimal import Decimal, InvalidOperation
from typing import Annotated

import msgspec
import typer

from hadron.cli import options
from hadron.cli.changes import Newest
from hadron.cli.changing import Author, Reason, change
from hadron.cli.defaults import PORTFOLIO
from hadron.control.facts import LimitsChanged
from hadron.errors import ContractError


def amount(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite() or number < 0:
        raise typer.BadParameter(f"{text!r}; wanted a number, 0 or more")
    return number


def limits(
    context: typer.Context,
    reason: Reason,
    author: Author,
    portfolio: Annotated[str, typer.Option(help="Which portfolio.")] = PORTFOLIO,
    position: Annotated[
        Decimal | None,
        typer.Option(parser=amount, help="Most units of one instrument a strategy may hold."),
    ] = None,
    notional: Annotated[
        Decimal | None, typer.Option(parser=amount, help="Most notional of one order.")
    ] = None,
    exposure: Annotated[
        Decimal | None,
        typer.Option(parser=amount, help="Most gross notional of the portfolio."),
    ] = None,
    directory: options.Directory = None,
    json: options.Json = False,
) -> None:
    """Change the limits of a portfolio. What is not given stays as it is."""
    asked = {"position": position, "notional": notional, "exposure": exposure}
    given = {name: value for name, value in asked.items() if value is not None}

    def make(newest: Newest) -> LimitsChanged:
        before = newest.get(f"limits/{portfolio}")
        known = msgspec.structs.asdict(before) if before else {}
        wanted = {name: value for name, value in (known | given).items() if name in asked}
        if lacking := [f"--{name}" for name in asked if name not in wanted]:
            raise ContractError(
                f"portfolio {portfolio} has no limits yet; give {', '.join(lacking)} too"
            )
        return LimitsChanged(author, reason, time.time_ns(), 0, portfolio, **wanted)

    change(context, directory, make, as_json=json)
