"""What a replay prints: how many decisions are equal, and which are not."""

from __future__ import annotations

from typing import Any

import msgspec
from rich.console import RenderableType
from rich.text import Text

from hadron.audit.comparison import Comparison, Different, Identity
from hadron.cli import output
from hadron.cli.replay.span import Span

SHOWN = 20


class Range(msgspec.Struct, frozen=True):
    """One partition: records from `first` are read, from `start` compared, before `end`."""

    topic: str
    partition: int
    first: int
    start: int
    end: int


class Report(msgspec.Struct, frozen=True):
    """The whole result; `holds` decides the exit code. Of each difference the first are shown."""

    run: str
    speed: str
    elapsed_s: float
    raw: dict[str, int]
    ranges: list[Range]
    decisions: dict[str, int]
    different: list[Different]
    only_live: list[Identity]
    only_replayed: list[Identity]
    notes: list[str]
    kept: list[str]
    holds: bool


def report(comparison: Comparison, span: Span, **told: Any) -> Report:
    """Gather it; `told` are the fields that neither of the two knows."""
    return Report(
        raw={"read": span.read, "compared": span.compared},
        ranges=[
            Range(topic, partition, first, span.start[topic, partition], span.end[topic, partition])
            for (topic, partition), first in span.first.items()
        ],
        decisions={
            "live": comparison.live,
            "replayed": comparison.replayed,
            "equal": comparison.equal,
            "different": len(comparison.different),
            "only_live": len(comparison.only_live),
            "only_replayed": len(comparison.only_replayed),
        },
        different=comparison.different[:SHOWN],
        only_live=comparison.only_live[:SHOWN],
        only_replayed=comparison.only_replayed[:SHOWN],
        holds=comparison.holds,
        **told,
    )


def tables(found: Report) -> list[RenderableType]:
    """The same for people."""
    counts = [(name, f"{count:,}") for name, count in found.decisions.items()]
    shown: list[RenderableType] = [
        Text(
            f"replay {found.run}: {found.raw['read']:,} raw records read,"
            f" {found.raw['compared']:,} compared, {found.elapsed_s:,.1f} s at {found.speed}"
        ),
        output.table("Decisions", ("", "count"), counts),
    ]
    shown += _different(found)
    for title, identities in (
        ("Only live", found.only_live),
        ("Only in the replay", found.only_replayed),
    ):
        if identities:
            rows = [(_place(one), one.instrument, one.strategy) for one in identities]
            shown.append(output.table(title, ("raw event", "instrument", "strategy"), rows))
    shown += [Text(f"note: {note}") for note in found.notes]
    if found.kept:
        shown.append(Text(f"kept: {', '.join(found.kept)}"))
    return [*shown, "all decisions are equal" if found.holds else "DECISIONS DIFFER"]


def _different(found: Report) -> list[RenderableType]:
    if not found.different:
        return []
    rows = [
        (
            _place(one.decision),
            one.decision.instrument,
            one.decision.strategy,
            change.field,
            change.live,
            change.replayed,
        )
        for one in found.different
        for change in one.changes
    ]
    columns = ("raw event", "instrument", "strategy", "field", "live", "replayed")
    return [output.table("Different", columns, rows)]


def _place(one: Identity) -> str:
    return f"{one.raw_topic}/{one.raw_partition}/{one.raw_offset}"
