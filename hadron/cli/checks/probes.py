"""Looks at each server once and asks the checks what they make of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

import schemas
from hadron.cli import opening
from hadron.cli.checks import clock, contracts, database, groups, kafka, store
from hadron.cli.checks.finding import Finding
from hadron.errors import HadronError
from hadron.flow import FLOW
from hadron.ports import FactLog, Record

if TYPE_CHECKING:
    from confluent_kafka.admin import AdminClient

    from hadron.settings import Settings


Clock = Callable[[], int]
_MINUTE_MS = 60_000
# Processes commit once a second: one that works has moved after so long.
_PATIENCE_S = 5.0


def of_kafka(settings: Settings, now_ns: Clock) -> Iterator[Finding]:
    """Brokers, topics, groups and what lies on the log."""
    try:
        yield from _topics(settings, now_ns)
    except HadronError as problem:
        yield kafka.unreachable(settings, problem)


def of_database(settings: Settings, now_ns: Clock) -> Iterator[Finding]:
    """The database's extension, schema, grants and clock."""
    from connectors.timescale.access.roles import access_of
    from connectors.timescale.access.standing import standing
    from connectors.timescale.inspection import inspect, wanted_revision

    if settings.database is None:
        yield database.unset()
        return
    try:
        before_ns = now_ns()
        seen = inspect(settings.database.get_secret_value())
        after_ns = now_ns()
        stands = standing(settings.database.get_secret_value(), access_of(settings))
    except HadronError as problem:
        yield database.unreachable(problem)
        return
    yield database.timescale(seen)
    yield database.revision(seen, wanted_revision())
    yield database.tables(seen)
    yield database.grants(seen)
    yield database.role(stands)
    yield database.guards(stands)
    yield clock.agreement(
        "the database", server_ns=seen.clock_ns, before_ns=before_ns, after_ns=after_ns
    )


def of_redis(settings: Settings, now_ns: Clock) -> Iterator[Finding]:
    """Redis' memory, keys and clock."""
    from connectors.redis.inspection import inspect

    if settings.redis is None:
        yield store.unset()
        return
    try:
        before_ns = now_ns()
        seen = inspect(settings.redis.get_secret_value())
        after_ns = now_ns()
    except HadronError as problem:
        yield store.unreachable(problem)
        return
    yield store.memory(seen)
    yield store.lasting(seen)
    yield clock.agreement("Redis", server_ns=seen.clock_ns, before_ns=before_ns, after_ns=after_ns)


def _topics(settings: Settings, now_ns: Clock) -> Iterator[Finding]:
    from connectors.kafka.admin import compare
    from connectors.kafka.inspection import inspect, stamped_after

    admin, declared = opening.admin(settings), opening.declared(settings)
    cluster = inspect(admin)
    present = [topic for topic in declared if topic.name in cluster.topics]
    layouts = {topic.name: cluster.topics[topic.name] for topic in present}
    yield kafka.brokers(cluster, settings)
    yield kafka.missing(cluster, declared)
    yield kafka.shards(layouts, settings)
    yield kafka.partitions(layouts, settings)
    yield kafka.configuration(compare(admin, present, partitions=settings.num_shards))
    yield kafka.copies(layouts, settings)
    places = [(name, part) for name, at in layouts.items() for part in range(at.partitions)]
    yield kafka.future(stamped_after(admin, places, now_ns() // 1_000_000 + _MINUTE_MS))
    yield contracts.catalogue()
    yield _ids(settings, _last(opening.fact_log(settings), places))
    yield from _groups(settings, admin)


def _ids(settings: Settings, newest: Iterable[Record]) -> Finding:
    used = {
        f"{record.topic}/{record.partition} at {record.offset}": contracts.id_of(record.value)
        for record in newest
        if record.value is not None
    }
    there = {one for one in used.values() if one is not None}
    if not settings.registry:
        unknown = there - {contract.id for contract in schemas.catalogue()}
        return contracts.ids(used, unknown, source="the catalogue")
    from connectors.registry_reading import unknown_ids

    try:
        unknown = unknown_ids(settings.registry, there)
    except HadronError as problem:
        return contracts.unreachable(problem)
    return contracts.ids(used, unknown, source="the registry")


def _last(log: FactLog, places: Sequence[tuple[str, int]]) -> Iterator[Record]:
    """The newest record of each partition that has one."""
    starts, ends = log.starts(places), log.ends(places)
    for place in places:
        if starts[place] < ends[place]:
            yield from log.read(*place, start=ends[place] - 1, end=ends[place])


def _groups(settings: Settings, admin: AdminClient) -> Iterator[Finding]:
    from connectors.kafka.groups import members
    from connectors.kafka.inspection import groups as all_groups

    names = opening.names(settings)
    known = {names.group(process): process for process in FLOW}
    present = all_groups(admin)
    others = [g for g in present if g not in known and _ours(g, settings.prefix)]
    yield groups.orphans(known, {group: members(admin, group) for group in others})
    readers = _readers(admin, {group: known[group] for group in present if group in known})
    yield groups.unread(readers)
    yield groups.stuck(readers)


def _ours(group: str, prefix: str) -> bool:
    """A process's group, or a replay's; seen from a replay, those of that replay only."""
    return group.startswith((f"{prefix}hadron.", "replay.")) and group.startswith(prefix)


def _readers(admin: AdminClient, known: Mapping[str, str]) -> list[groups.Reader]:
    """Every group, looked at until it moved or 5 seconds are over; those without work once."""
    from connectors.kafka.groups import committed, lag, members

    first = {group: committed(admin, group) for group in known}
    seen = {
        group: groups.Reader(
            process=process,
            group=group,
            members=members(admin, group),
            lag=sum(lag(admin, group).values()),
            moved=False,
        )
        for group, process in known.items()
    }
    deadline = time.monotonic() + _PATIENCE_S
    while waiting := [r for r in seen.values() if r.lag and r.members and not r.moved]:
        if time.monotonic() > deadline:
            break
        time.sleep(0.2)
        for reader in waiting:
            moved = committed(admin, reader.group) != first[reader.group]
            seen[reader.group] = msgspec.structs.replace(reader, moved=moved)
    return list(seen.values())
