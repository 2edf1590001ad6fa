"""`hadron explain`: the story of one fact, for people and for machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hadron.audit import ids
from hadron.cli import opening, options, output
from hadron.cli.environment import database_url, settings_of

if TYPE_CHECKING:
    from connectors.kafka.log import KafkaLog
    from hadron.settings import Settings


def explain(
    context: typer.Context,
    id: Annotated[
        str,
        typer.Argument(
            help="Client order id, verdict id, or topic/partition/offset of any fact.",
            show_default=False,
        ),
    ],
    directory: options.Directory = None,
    json: options.Json = False,
) -> None:
    """Tell how a fact came about, back to the venue's frame, and what became of it.

    Ends with 1 if nothing of that id is known, with 2 if it is no id.
    """
    from connectors.timescale.querying.explanation import Explainer
    from connectors.timescale.querying.lineage import lineage
    from hadron.wiring import codec_of

    try:
        asked = ids.read(id)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    settings = settings_of(context, directory)
    codec = codec_of(settings)
    with lineage(database_url(settings), codec, lambda: _reachable_log(settings)) as found:
        story = Explainer(found, codec).explain(asked)
    if json:
        output.show(story, as_json=True)
        return
    from hadron.cli.explain.tree import tree_of

    output.show(story, tree_of(story), as_json=False)


def _reachable_log(settings: Settings) -> KafkaLog | None:
    """The log; None where no broker answers, because the archive alone must do then."""
    from connectors.kafka.reach import answers

    return opening.fact_log(settings) if answers(settings.kafka) else None
