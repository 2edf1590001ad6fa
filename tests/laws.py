"""What every fold must keep: slices and snapshots change no output."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Any

from hadron.fold import Fold, Received, Slice

Event = tuple[str, Any]  # topic and fact


def placed(events: Sequence[Event]) -> list[tuple[str, Received]]:
    """Give the facts of each topic consecutive offsets."""
    ends: Counter[str] = Counter()
    records = []
    for topic, fact in events:
        records.append((topic, Received(ends[topic], fact)))
        ends[topic] += 1
    return records


def outputs(fold: Fold, events: Sequence[Event], *, cuts: Collection[int] = ()) -> list[Any]:
    """Step facts in the longest slices; one more ends before each place in `cuts`."""
    facts: list[Any] = []
    waiting: list[Received] = []
    records = placed(events)
    for place, (topic, record) in enumerate(records):
        waiting.append(record)
        last = place + 1 == len(records)
        if last or place + 1 in cuts or records[place + 1][0] != topic:
            facts += fold.step(Slice(topic, 0, waiting))
            waiting = []
    return facts


def outputs_restored(
    make: Callable[[], Fold], events: Sequence[Event], *, restores: Collection[int]
) -> list[Any]:
    """Step facts one by one; before each place in `restores` a new fold takes over.

    It gets what a checkpoint topic would hold: the newest of each part that was ever written.
    """
    facts: list[Any] = []
    parts: dict[str, bytes] = {}
    fold = make()
    for place, (topic, record) in enumerate(placed(events)):
        if place in restores:
            parts.update(fold.snapshot())
            parts = {name: value for name, value in parts.items() if value}
            fold = make()
            fold.restore(parts.items())
        facts += fold.step(Slice(topic, 0, [record]))
    return facts
