"""What the commands that change something share: who, why, and the way to the control topic."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from hadron import topics
from hadron.cli import opening, output
from hadron.cli.changes import Control, Newest
from hadron.cli.environment import settings_of
from hadron.cli.subjects import subjects_of
from hadron.control.facts import ControlFact
from hadron.errors import ContractError, HadronError
from hadron.topics import key_of

Reason = Annotated[str, typer.Option(help="Why; kept with the change for ever.")]
Author = Annotated[
    str, typer.Option(help="Who.", default_factory=getpass.getuser, show_default="you")
]


@contextmanager
def control(context: typer.Context, directory: Path | None) -> Iterator[Control]:
    """The control topic. Raise HadronError if it does not exist."""
    from connectors.kafka.inspection import inspect
    from hadron.wiring import codec_of

    settings = settings_of(context, directory)
    topic = opening.names(settings).write(topics.CONTROL.name)
    # What is there, not what the settings say: a halt must reach every shard.
    layout = inspect(opening.admin(settings)).topics.get(topic)
    if layout is None:
        raise HadronError(f"topic {topic} is missing; run `hadron topics apply`")
    yield Control(
        opening.fact_log(settings), codec_of(settings), topic=topic, partitions=layout.partitions
    )


def change(
    context: typer.Context,
    directory: Path | None,
    make: Callable[[Newest], ControlFact],
    *,
    as_json: bool,
) -> None:
    """Append the fact made from what holds now, and show it. A fact nobody can follow is refused.

    `make` raises ContractError for it.
    """
    with control(context, directory) as log:
        try:
            fact = make(log.newest())
        except ContractError as error:
            raise typer.BadParameter(str(error)) from error
        people = subjects_of(settings_of(context, directory))
        written = people.shown(log.append(people.hidden(fact)))
    subject = key_of(written)
    line = f"{subject}: version {written.version} by {written.author}, {written.reason}"
    output.show(msgspec.to_builtins(written) | {"subject": subject}, line, as_json=as_json)


def split(text: str) -> list[str]:
    """The names of a list by comma."""
    return [name.strip() for name in text.split(",") if name.strip()]
