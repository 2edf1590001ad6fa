"""What the questions of `hadron query` share: their options, and how answers are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec
import typer

from hadron.cli import output
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
Limit = Annotated[int, typer.Option(min=1, max=100_000, help="Most rows.")]


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
