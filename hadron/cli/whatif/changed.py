"""What other limits would have changed, as a document and for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec
from rich.console import RenderableType
from rich.text import Text

from hadron.cli import output
from hadron.cli.replay.again import Range
from hadron.cli.replay.equality import Compared, Difference
from hadron.control.facts import LimitsChanged
from hadron.whatif.counterfactual import Changed, Counterfactual, Effect, Judged
from hadron.whatif.worth import NOTHING, Profit

SHOWN = 50


class Money(msgspec.Struct, frozen=True):
    """What both sides made, before fees, and what the other limits add to it."""

    live: Profit
    counterfactual: Profit
    effect: Decimal


class Report(msgspec.Struct, frozen=True):
    """The whole result. `holds`: live's desk stepped again says what the log has of it."""

    holds: bool
    identical: bool
    ranges: dict[str, list[int]]
    limits: dict[str, dict[str, Decimal]]
    decisions: dict[str, int]
    changed: list[Changed]
    profit: list[dict[str, Any]]
    total: Money
    difference: Difference | None
    notes: list[str]


def report(
    limits: Mapping[str, LimitsChanged],
    ranges: Mapping[int, Range],
    shards: Sequence[tuple[Compared, Counterfactual]],
) -> Report:
    """Gather it from all shards."""
    differences = [done.difference for done, _ in shards if done.difference is not None]
    counts = [msgspec.structs.asdict(sides.counts) for _, sides in shards]
    decisions = {name: sum(each[name] for each in counts) for name in counts[0]} if counts else {}
    changed = sorted(
        (one for _, sides in shards for one in sides.changed),
        key=lambda one: (one.at_ns, one.order),
    )
    effects = [effect for _, sides in shards for effect in sides.effects()]
    return Report(
        holds=not differences,
        identical=not differences and decisions.get("equal") == decisions.get("judged"),
        ranges={str(partition): [at.begin, at.end] for partition, at in ranges.items()},
        limits={
            portfolio: {
                "position": one.position,
                "notional": one.notional,
                "exposure": one.exposure,
            }
            for portfolio, one in limits.items()
        },
        decisions=decisions,
        changed=changed,
        profit=[
            {
                "portfolio": one.portfolio,
                "strategy": one.strategy,
                **msgspec.structs.asdict(_money([one])),
            }
            for one in effects
        ],
        total=_money(effects),
        difference=differences[0] if differences else None,
        notes=_notes(limits, ranges, effects, differences),
    )


def _money(effects: Iterable[Effect]) -> Money:
    live = other = NOTHING
    for effect in effects:
        live, other = live + effect.live, other + effect.counterfactual
    return Money(live, other, (other - live).total)


def _notes(
    limits: Mapping[str, LimitsChanged],
    ranges: Mapping[int, Range],
    effects: Iterable[Effect],
    differences: Sequence[Difference],
) -> list[str]:
    notes = []
    if not ranges:
        notes.append("the journal of desk has no entry in this range")
    portfolios = {effect.portfolio for effect in effects}
    if ranges and (strange := sorted(limits.keys() - portfolios)):
        notes.append(f"{', '.join(strange)} of the file of limits made no order")
    if differences:
        notes.append(
            f"by live's own limits {differences[0].name} is not what is on the log: its state began"
            " before the journal does, or the code is another; what follows is no comparison with"
            " what happened"
        )
    return notes


def tables(found: Report) -> list[RenderableType]:
    """The same for people."""
    decisions = found.decisions
    shown: list[RenderableType] = [
        Text(
            f"{decisions.get('judged', 0):,} decisions judged anew; of"
            f" {decisions.get('approved', 0):,} orders {decisions.get('stopped', 0):,} stopped,"
            f" {decisions.get('allowed', 0):,} more allowed"
        )
    ]
    if found.changed:
        order = ("order", "portfolio", "strategy", "instrument", "side", "quantity")
        rows = [
            (
                *(getattr(one, name) for name in order),
                _verdict(one.live),
                _verdict(one.counterfactual),
            )
            for one in found.changed[:SHOWN]
        ]
        title = f"Changed, the first {SHOWN}" if len(found.changed) > SHOWN else "Changed"
        shown.append(output.table(title, (*order, "live", "then"), rows))
    shown.append(output.table("Profit", ("", "", "live", "then", "effect"), _profits(found)))
    shown += [Text(f"note: {note}") for note in found.notes]
    if found.identical:
        shown.append(Text("identical: every outcome is the one on the log"))
    return shown


def _profits(found: Report) -> list[tuple[Any, ...]]:
    rows = [
        (
            one["portfolio"],
            one["strategy"],
            one["live"].total,
            one["counterfactual"].total,
            one["effect"],
        )
        for one in found.profit
    ]
    total = found.total
    return [*rows, ("total", "", total.live.total, total.counterfactual.total, total.effect)]


def _verdict(judged: Judged) -> str:
    return "approved" if judged.approved else f"rejected: {judged.reason}"
