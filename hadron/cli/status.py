"""`hadron status`: what runs, how much lies on the log, who lags, and by how much."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from hadron.audit.alerts import Alerts
from hadron.cli import opening, options, output
from hadron.cli.environment import local_state, settings_of
from hadron.cli.exits import Exit
from hadron.errors import HadronError
from hadron.flow import FLOW
from hadron.topics import ALERTS

if TYPE_CHECKING:
    from connectors.kafka.groups import Admin
    from connectors.kafka.log import KafkaLog
    from hadron.settings import Settings

T = TypeVar("T")


def status(
    context: typer.Context, directory: options.Directory = None, json: options.Json = False
) -> None:
    """Show servers, topics, groups, which process owns which shards, alerts, database and process.

    Ends with 5 if a server is not reached. The process is the one that answers on HADRON_HTTP_HOST
    and HADRON_HTTP_PORT.
    """
    from hadron.cli.checks.machine import health

    settings = settings_of(context, directory)
    problems: list[str] = []
    kafka = _attempt(lambda: _kafka(settings), problems) or {
        "topics": [],
        "groups": [],
        "owners": [],
        "alerts": [],
    }
    document = {
        "servers": _servers(directory),
        **kafka,
        "database": _attempt(lambda: _database(settings), problems),
        "redis": _attempt(lambda: _redis(settings), problems),
        "process": health(settings.http_host, settings.http_port, "/ready"),
        "problems": problems,
    }
    output.show(document, *_tables(document), as_json=json)
    if problems:
        raise typer.Exit(Exit.UNREACHABLE)


def _attempt(ask: Callable[[], T], problems: list[str]) -> T | None:
    try:
        return ask()
    except HadronError as error:
        problems.append(str(error))
        return None


def _servers(directory: Path | None) -> list[dict[str, Any]]:
    """Those of the local stack: one that was set in its place is known only by its answers."""
    return [
        {"server": name, "pid": daemon.pid if daemon else None, "ports": daemon and daemon.ports}
        for name, daemon in local_state(directory).items()
    ]


def _kafka(settings: Settings) -> dict[str, Any]:
    from connectors.kafka.inspection import inspect

    admin, log = opening.admin(settings), opening.fact_log(settings)
    layouts = inspect(admin).topics
    counts = {
        topic.name: layouts[topic.name].partitions if topic.name in layouts else 0
        for topic in opening.declared(settings)
    }
    places = [(name, partition) for name, count in counts.items() for partition in range(count)]
    starts, ends = log.starts(places), log.ends(places)
    rows = [
        {
            "topic": name,
            "partitions": count,
            "offsets": sum(ends[place] - starts[place] for place in places if place[0] == name),
        }
        for name, count in counts.items()
    ]
    alerts = _alerts(settings, log, counts[opening.names(settings).write(ALERTS.name)])
    return {"topics": rows, **_groups(settings, admin), "alerts": alerts}


def _alerts(settings: Settings, log: KafkaLog, partitions: int) -> list[dict[str, Any]]:
    """What is raised and not over, the newest first, straight from the log."""
    from connectors.telling import facts
    from hadron.wiring import codec_of

    name, codec, known = opening.names(settings).read(ALERTS.name), codec_of(settings), Alerts()
    for place, end in log.ends([(name, each) for each in range(partitions)]).items():
        for fact in facts(log, place, end=end, codec=codec):
            known.take(fact)
    return [
        {
            "alert": alert.subject,
            "severity": alert.severity,
            "since": datetime.fromtimestamp(alert.at_ns / 1e9, UTC).isoformat(" ", "seconds"),
            "text": alert.text,
        }
        for alert in known.raised()
    ]


def _groups(settings: Settings, admin: Admin) -> dict[str, list[dict[str, Any]]]:
    """Each group, and each of its members with its share of what waits."""
    from connectors.kafka import groups, inspection

    known = set(inspection.groups(admin))
    found: dict[str, list[dict[str, Any]]] = {"groups": [], "owners": []}
    for group in map(opening.names(settings).group, FLOW):
        if group not in known:
            continue
        lag = groups.lag(admin, group)
        readers = groups.readers(admin, group)
        found["groups"].append({"group": group, "members": readers.count, "lag": sum(lag.values())})
        found["owners"] += [
            {
                "group": group,
                "client": member.client,
                "host": member.host,
                "shards": member.shards,
                "lag": sum(lag.get(place, 0) for place in member.places),
            }
            for member in readers.owners
        ]
    return found


def _database(settings: Settings) -> dict[str, Any] | None:
    from connectors.timescale.inspection import inspect, wanted_revision

    if settings.database is None:
        return None
    seen = inspect(settings.database.get_secret_value())
    return {
        "server": seen.server,
        "timescaledb": seen.timescaledb,
        "revision": seen.revision,
        "wanted": wanted_revision(),
    }


def _redis(settings: Settings) -> dict[str, Any] | None:
    from connectors.redis.inspection import inspect

    if settings.redis is None:
        return None
    seen = inspect(settings.redis.get_secret_value())
    return {"server": seen.version, "keys": seen.keys}


def _tables(document: dict[str, Any]) -> list[Any]:
    one = {name: document[name] for name in ("database", "redis", "process")}
    told = [
        (name, ", ".join(f"{key} {value}" for key, value in found.items()) if found else None)
        for name, found in one.items()
    ]
    shown = [
        output.table("", list(rows[0]), [list(row.values()) for row in rows])
        for rows in (document[name] for name in ("servers", "topics", "groups", "owners", "alerts"))
        if rows
    ]
    trouble = [output.table("", ("problem",), [(line,) for line in document["problems"]])]
    return [
        *shown,
        output.table("", ("", "state"), told),
        *(trouble if document["problems"] else []),
    ]
