"""What a shadow shows, while it runs and at its end."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec
from rich.console import Group, RenderableType
from rich.text import Text

from hadron.cli import output
from hadron.cli.whatif.beside import Beside
from hadron.strategy.facts import DecisionMade
from hadron.strategy.registry import Deployment
from hadron.whatif.agreement import Differing
from hadron.whatif.worth import Profit

SHOWN = 20


class Report(msgspec.Struct, frozen=True):
    """The whole result. `agree` decides the exit code; of the differing the first are there."""

    strategy: str
    version: str
    live_versions: Mapping[str, int]  # how many decisions of each were compared
    agree: bool
    entries: int
    elapsed_s: float
    decisions: dict[str, int]
    waiting: int  # decisions of the shadow on what live has not said all of yet
    fields: dict[str, int]
    differing: list[Differing]
    orders: dict[str, int]
    profit: dict[str, Profit | Decimal]
    failures: list[str]
    notes: list[str]


def report(beside: Beside, deployment: Deployment, *, elapsed_s: float) -> Report:
    """How it stands now."""
    agreement, version = beside.agreement, deployment.version
    live, shadow = beside.profits()
    counts = msgspec.structs.asdict(agreement.counts)
    return Report(
        strategy=deployment.name,
        version=version,
        live_versions=dict(sorted(agreement.versions.items())),
        agree=agreement.counts.agree,
        entries=beside.entries,
        elapsed_s=round(elapsed_s, 2),
        decisions=counts,
        waiting=agreement.waiting,
        fields=dict(agreement.fields.most_common()),
        differing=agreement.differing,
        orders={"live": agreement.live.filled, "shadow": agreement.shadow.filled},
        profit={"live": live, "shadow": shadow, "difference": (shadow - live).total},
        failures=beside.failures[:SHOWN],
        notes=_notes(beside, version),
    )


def _notes(beside: Beside, version: str) -> list[str]:
    agreement = beside.agreement
    notes = []
    if strange := sorted(agreement.versions.keys() - {version}):
        notes.append(f"live decided as version {', '.join(strange)}, the shadow as {version}")
    if not agreement.counts.live:
        notes.append("live decided nothing meanwhile by a strategy of this name")
    if beside.failures:
        notes.append(f"the strategy raised {len(beside.failures)} times: see shadow.dead")
    return notes


def drawn(found: Report) -> RenderableType:
    """The same for people."""
    counts = [(name.replace("_", " "), f"{count:,}") for name, count in found.decisions.items()]
    counts.append(("waiting for live", f"{found.waiting:,}"))
    shown: list[RenderableType] = [
        Text(
            f"{found.strategy}@{found.version} beside live: {found.entries:,} entries of the"
            f" journal, {found.elapsed_s:,.1f} s"
        ),
        output.table("Decisions", ("", "count"), counts),
    ]
    if found.differing:
        title = f"Differing, the last {SHOWN}" if len(found.differing) > SHOWN else "Differing"
        rows = [
            (one.tick, one.instrument, _said(one.live), _said(one.shadow), ", ".join(one.fields))
            for one in found.differing[-SHOWN:]
        ]
        columns = ("tick", "instrument", "live", "shadow", "fields")
        shown.append(output.table(title, columns, rows))
    shown.append(output.table("Profit, from flat, before fees", _MONEY, _profits(found)))
    shown += [Text(f"note: {note}") for note in found.notes]
    return Group(*shown)


_MONEY = ("", "orders filled", "realised", "unrealised", "total")


def _profits(found: Report) -> list[tuple[Any, ...]]:
    sides = {name: side for name, side in found.profit.items() if isinstance(side, Profit)}
    rows: list[tuple[Any, ...]] = [
        (name, found.orders[name], side.realised, side.unrealised, side.total)
        for name, side in sides.items()
    ]
    return [*rows, ("difference", "", "", "", found.profit["difference"])]


def _said(decision: DecisionMade | None) -> str:
    if decision is None:
        return "nothing"
    limit = "" if decision.limit_price is None else f" at {decision.limit_price}"
    return f"{decision.side} {decision.quantity}{limit}"
