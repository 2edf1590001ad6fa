"""Holds the decisions of a replay against the live ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hadron.audit.comparison import Comparison, compare
from hadron.cli.replay.decisions import Decisions
from hadron.cli.replay.passage import passage, settled
from hadron.cli.replay.rerun import LOOK_S, Outside, tick_places
from hadron.cli.replay.sources import Source
from hadron.cli.replay.span import Places, Span
from hadron.strategy.facts import DecisionMade
from hadron.topics import LIVE

LIVE_PATIENCE_S = 5.0


def compared(source: Source, span: Span, outside: Outside) -> Comparison:
    """Compare what both decided about the span."""
    made = Decisions(
        outside.admin, outside.log, outside.codec, partitions=outside.settings.num_shards
    )
    live = made.since(LIVE, span.since_ms)
    replayed = map(source.original, made.since(source.names, 0))
    return compare(_of(span, live), _of(span, replayed))


def left_by_live(span: Span, outside: Outside) -> int:
    """How many records of the span, or ticks, the live processes have not taken.

    While they move on, they are waited for. 0 where Kafka does not remember their groups.
    """
    raw = _left("normalize", span.start, span.end, outside)
    ticks = tick_places(LIVE, outside.settings.num_shards)
    first, goal = outside.log.starts(ticks), outside.log.ends(ticks)
    return raw + _left("engine", first, goal, outside)


def _left(process: str, first: Places, goal: Places, outside: Outside) -> int:
    from connectors.kafka.groups import committed

    group = LIVE.group(process)
    if not committed(outside.admin, group):
        return 0
    return settled(
        lambda: passage(outside.admin, group, first=first, goal=goal),
        patience_s=LIVE_PATIENCE_S,
        every_s=LOOK_S,
    )


def _of(span: Span, decisions: Iterable[DecisionMade]) -> Iterator[DecisionMade]:
    for made in decisions:
        if span.covers(made.raw_topic, made.raw_partition, made.raw_offset):
            yield made
