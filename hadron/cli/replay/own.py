"""The topics and groups that a replay has to itself: made before it, gone after it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from hadron import topics
from hadron.errors import SettingsError
from hadron.flow import FLOW, Step
from hadron.topics import JOURNAL, STATE, Names, Topic

if TYPE_CHECKING:
    from confluent_kafka.admin import AdminClient

PROCESSES = ("normalize", "engine")


def declared(names: Names) -> list[Topic]:
    """What normalize and engine write and keep in a run, and what they read there of their own."""
    used = {
        topic for process in PROCESSES for topic in (*_used(FLOW[process]), STATE[process].name)
    } | {JOURNAL[process].name for process in PROCESSES if process in JOURNAL}
    return [
        # They go when the replay ends, not before: copies are as old as what they are copies of.
        msgspec.structs.replace(topic, name=names.write(topic.name), retention_ms=-1)
        for topic in topics.ALL
        if topic.name in used and names.read(topic.name) != topic.name
    ]


def _used(step: Step) -> tuple[str, ...]:
    return (*step.sources, *step.outputs, *step.tells)


@contextmanager
def made(
    admin: AdminClient, names: Names, *, partitions: int, replication: int, keep: bool
) -> Iterator[None]:
    """Topics that exist while inside. Raise SettingsError if there are some of that name before."""
    from connectors.kafka import admin as administration
    from connectors.kafka import groups
    from connectors.kafka.inspection import inspect

    present = sorted(name for name in inspect(admin).topics if name.startswith(names.prefix))
    if present:
        raise SettingsError(
            [f"--run: {', '.join(present)} exist; wanted a name that no replay has yet"]
        )
    wanted = declared(names)
    try:
        administration.apply(admin, wanted, partitions=partitions, replication=replication)
        yield
    finally:
        if not keep:
            administration.delete(admin, [topic.name for topic in wanted])
            groups.delete(admin, [names.group(process) for process in PROCESSES])
