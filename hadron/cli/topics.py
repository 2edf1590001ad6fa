"""`hadron topics`: the catalogue against what is on Kafka."""

from __future__ import annotations

import typer

from hadron.cli import opening, options, output
from hadron.cli.environment import settings_of
from hadron.cli.exits import Exit

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
    document = [
        {
            "topic": topic.name,
            "key": topic.key,
            "facts": [fact.__name__ for fact in topic.facts],
            "configuration": topic.configuration(),
            "partitions": layouts[topic.name].partitions if topic.name in layouts else 0,
            "copies": layouts[topic.name].copies if topic.name in layouts else 0,
            "differences": [one for one in differences if one.topic == topic.name],
        }
        for topic in declared
    ]
    rows = [
        (
            topic["topic"],
            topic["key"],
            topic["partitions"],
            topic["copies"],
            "; ".join(
                f"{one.setting} is {one.seen}, wanted {one.wanted}"
                for one in differences
                if one.topic == topic["topic"]
            )
            or "as declared",
        )
        for topic in document
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
