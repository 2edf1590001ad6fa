"""`hadron topics`: the catalogue against what is on Kafka."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hadron.cli import opening, options, output
from hadron.cli.environment import settings_of
from hadron.cli.exits import Exit
from hadron.topics import Topic

if TYPE_CHECKING:
    from connectors.kafka.admin import Difference
    from connectors.kafka.inspection import Layout

app = typer.Typer(help="Topics as declared and as they are.", no_args_is_help=True)


@app.command()
def show(
    context: typer.Context, directory: options.Directory = None, json: options.Json = False
) -> None:
    """Show every declared topic and where it differs. Ends with 3 if one does."""
    from connectors.kafka import admin
    from connectors.kafka.inspection import inspect

    settings = settings_of(context, directory)
    declared = opening.declared(settings)
    kafka = opening.admin(settings)
    layouts = inspect(kafka).topics
    differences = admin.compare(kafka, declared, partitions=settings.num_shards)
    document = [_described(topic, layouts.get(topic.name), differences) for topic in declared]
    rows = [
        (one["topic"], one["key"], one["partitions"], one["copies"], _told(one["differences"]))
        for one in document
    ]
    columns = ("topic", "key", "partitions", "copies", "differences")
    output.show(document, output.table("", columns, rows), as_json=json)
    if differences:
        raise typer.Exit(Exit.CHECK_FAILED)


@app.command()
def apply(
    context: typer.Context, directory: options.Directory = None, json: options.Json = False
) -> None:
    """Create what is missing and set what differs. Ends with 3 if partitions still differ.

    Partitions are never changed: a key must keep its partition.
    """
    from connectors.kafka import admin
    from connectors.kafka.alteration import alter

    settings = settings_of(context, directory)
    declared, partitions = opening.declared(settings), settings.num_shards
    kafka = opening.admin(settings)
    created = admin.apply(kafka, declared, partitions=partitions, replication=settings.replication)
    differences = admin.compare(kafka, declared, partitions=partitions)
    changed = alter(kafka, differences)
    left = [one for one in differences if one not in changed]
    rows = [
        *((name, "created") for name in created),
        *((one.topic, f"{one.setting} set to {one.wanted}, was {one.seen}") for one in changed),
        *((one.topic, f"{one.setting} is {one.seen}, wanted {one.wanted}") for one in left),
    ]
    document = {"created": created, "changed": changed, "differences": left}
    done = output.table("", ("topic", "what"), rows) if rows else "all topics are as declared"
    output.show(document, done, as_json=json)
    if left:
        raise typer.Exit(Exit.CHECK_FAILED)


@app.command()
def acls(
    principal: Annotated[
        str, typer.Argument(help="Who runs shadows, as Kafka's authorizer knows it: User:shadow.")
    ],
    json: options.Json = False,
) -> None:
    """Show what a shadow must be allowed on Kafka, as arguments of kafka-acls.sh, one a line.

    It may do nothing else, so a principal with these alone cannot reach desk or gateway.
    """
    from hadron.whatif.rights import shadow_rights

    rights = shadow_rights()
    lines = [f"--add --allow-principal {principal} {right.arguments}" for right in rights]
    output.show({"principal": principal, "rights": rights}, *lines, as_json=json)


def _described(
    topic: Topic, layout: Layout | None, differences: Iterable[Difference]
) -> dict[str, Any]:
    return {
        "topic": topic.name,
        "key": topic.key,
        "facts": [fact.__name__ for fact in topic.facts],
        "configuration": topic.configuration(),
        "partitions": layout.partitions if layout else 0,
        "copies": layout.copies if layout else 0,
        "differences": [one for one in differences if one.topic == topic.name],
    }


def _told(differences: Iterable[Difference]) -> str:
    odd = (f"{one.setting} is {one.seen}, wanted {one.wanted}" for one in differences)
    return "; ".join(odd) or "as declared"
