"""Which entries of a journal a command is about."""

from __future__ import annotations

from collections.abc import Mapping

from hadron.cli import opening
from hadron.cli.replay.again import Range, Run
from hadron.cli.replay.bounds import Bound, Edge, Moment
from hadron.errors import SettingsError
from hadron.ports import Reading
from hadron.settings import Settings
from hadron.topics import JOURNAL


def journalled(
    run: Run, begin: Bound, end: Bound, *, settings: Settings, log: Reading
) -> dict[int, Range]:
    """The entries between two bounds, by partition; partitions without any are left out.

    Raise SettingsError for offsets of other partitions.
    """
    topic = run.names.write(JOURNAL[run.process].name)
    places = [(topic, partition) for partition in range(run.partitions)]
    starts, ends = log.starts(places), log.ends(places)
    first = _offsets(begin, starts, ends, settings)
    last = _offsets(end, ends, ends, settings)
    return {
        place[1]: Range(first[place], last[place]) for place in places if first[place] < last[place]
    }


def _offsets(
    bound: Bound,
    edges: Mapping[tuple[str, int], int],
    ends: Mapping[tuple[str, int], int],
    settings: Settings,
) -> dict[tuple[str, int], int]:
    if isinstance(bound, Edge):
        return dict(edges)
    if isinstance(bound, Moment):
        from connectors.kafka.inspection import stamped_after

        after = stamped_after(opening.admin(settings), list(edges), bound.at_ms)
        return {place: after.get(place, ends[place]) for place in edges}
    if strange := sorted(bound.by_place.keys() - edges.keys()):
        told = ", ".join(f"{topic}/{partition}" for topic, partition in strange)
        wanted = ", ".join(f"{topic}/{partition}" for topic, partition in sorted(edges))
        raise SettingsError([f"--from or --to: {told}; wanted partitions of {wanted}"])
    return {place: bound.by_place.get(place, edge) for place, edge in edges.items()}
