"""What the questions of `hadron query` share: their options, and how answers are shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from inspect import Parameter, Signature
from typing import Annotated, Any

import msgspec
import typer

from hadron.cli import options, output
from hadron.cli.replay.bounds import END, Offsets, bound
from hadron.topics import POSITIONS
from hadron.values import digits


def moment(text: str) -> datetime:
    """A time; one without a zone is UTC. Raise typer.BadParameter for what is none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r}; wanted a time as 2013-10-07T14:30:00Z") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def offsets(text: str) -> Mapping[int, int]:
    """Offsets of the topic `positions` by partition. Raise typer.BadParameter for what is none."""
    wanted = f"{text!r}; wanted offsets as {POSITIONS.name}/0=123,{POSITIONS.name}/1=77"
    try:
        found = bound(text, edge=END)
    except ValueError:
        raise typer.BadParameter(wanted) from None
    if not isinstance(found, Offsets) or any(name != POSITIONS.name for name, _ in found.by_place):
        raise typer.BadParameter(wanted)
    return {partition: offset for (_, partition), offset in found.by_place.items()}


Instrument = Annotated[str | None, typer.Option(help="Of this instrument only, as eq:AAPL.")]
Strategy = Annotated[str | None, typer.Option(help="Of this strategy only.")]
Portfolio = Annotated[str | None, typer.Option(help="Of this portfolio only.")]
From = Annotated[
    datetime | None, typer.Option("--from", parser=moment, metavar="<time>", help="First time.")
]
To = Annotated[
    datetime | None,
    typer.Option("--to", parser=moment, metavar="<time>", help="Time before which."),
]
At = Annotated[
    datetime | None, typer.Option("--at", parser=moment, metavar="<time>", help="As of this time.")
]
Before = Annotated[
    dict[int, int] | None,
    typer.Option(
        parser=offsets,
        metavar="<offsets>",
        help="As of these offsets of the topic positions, as positions/0=123,positions/1=77.",
    ),
]
Subject = Annotated[str | None, typer.Option(help="Of this subject only, as archive/database.")]
Raised = Annotated[bool, typer.Option("--raised", help="Only those that are not over.")]
Limit = Annotated[int, typer.Option(min=1, max=100_000, help="Most rows.")]


def with_options(
    ask: Callable[..., None], by: Mapping[str, Any], *, limit: int
) -> Callable[..., None]:
    """Give a function the options of `by`, none of them required, and those of every question."""
    wanted: dict[str, tuple[Any, Any]] = {
        "context": (typer.Context, Parameter.empty),
        **{name: (kind, False if kind is Raised else None) for name, kind in by.items()},
        "limit": (Limit, limit),
        "directory": (options.Directory, None),
        "json": (options.Json, False),
    }
    parameters = [
        Parameter(name, Parameter.KEYWORD_ONLY, annotation=kind, default=default)
        for name, (kind, default) in wanted.items()
    ]
    ask.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    ask.__annotations__ = {name: kind for name, (kind, _) in wanted.items()}
    return ask


def show(found: Sequence[msgspec.Struct], kind: type[msgspec.Struct], *, as_json: bool) -> None:
    """Print answers of one kind; the places on the log are for JSON only."""
    columns = [field for field in kind.__struct_fields__ if not field.startswith("log_")]
    rows = [[_cell(getattr(row, column)) for column in columns] for row in found]
    output.show(found, output.table("", columns, rows), as_json=as_json)


def _cell(value: Any) -> str | None:
    match value:
        case None:
            return None
        case datetime():
            return value.astimezone(UTC).isoformat(" ", "milliseconds").removesuffix("+00:00")
        case dict():
            return " ".join(f"{name}={text}" for name, text in value.items())
        case Decimal():
            return digits(value)
        case _:
            return str(value)
