"""The live view of a demo, drawn with rich."""

from __future__ import annotations

from decimal import Decimal

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from connectors.timescale.querying.answers import Decision, Holding
from hadron.cli.demo.watch import Latency, Sight, Stage, profit

SHOWN = 12
WAITING = Text("waiting for the first", style="dim")


def drawn(sight: Sight | None, *, market: str, status: str, elapsed_s: float) -> RenderableType:
    """The whole screen; before the first look only what is being done."""
    head = Text.assemble(
        ("Hadron  ", "bold"), (market, "cyan"), f"   {elapsed_s:6.1f} s   ", (status, "green")
    )
    if sight is None:
        return Panel(head)
    return Group(
        Panel(head),
        _side_by_side(_stages(sight.stages), _lanes_and_latency(sight)),
        _decisions(sight.decisions),
        _positions(sight.positions),
    )


def _side_by_side(left: RenderableType, right: RenderableType) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_row(left, right)
    return grid


def _stages(stages: list[Stage]) -> Table:
    table = Table(title="Stages", title_justify="left")
    table.add_column("process")
    for name in ("events", "events/s", "lag"):
        table.add_column(name, justify="right")
    for stage in stages:
        table.add_row(stage.name, f"{stage.total:,}", f"{stage.rate:,.0f}", f"{stage.lag:,}")
    return table


def _lanes_and_latency(sight: Sight) -> Group:
    lanes = Table(title="Ticks per lane", title_justify="left")
    for lane in sight.lanes:
        lanes.add_column(lane.upper(), justify="right")
    lanes.add_row(*(f"{count:,}" for count in sight.lanes.values()))
    latency = Table(title="Latency, ms", title_justify="left")
    latency.add_column("budget")
    for name in ("p50", "p95", "p99"):
        latency.add_column(name, justify="right")
    for budget, found in sight.latency.items():
        latency.add_row(budget, *_milliseconds(found))
    return Group(lanes, latency)


def _milliseconds(latency: Latency) -> list[str]:
    values = (latency.p50, latency.p95, latency.p99)
    return ["-" if value is None else f"{value:,.1f}" for value in values]


def _decisions(decisions: list[Decision]) -> RenderableType:
    if not decisions:
        return Panel(WAITING, title="Last decisions", title_align="left")
    table = Table(title="Last decisions", title_justify="left")
    for name in ("at", "strategy", "instrument", "side", "quantity", "saw", "became", "why"):
        table.add_column(name, overflow="fold")
    for decision in decisions:
        saw = ", ".join(f"{name} {value}" for name, value in decision.evidence.items())
        table.add_row(
            f"{decision.at:%H:%M:%S.%f}"[:-3],
            decision.strategy,
            decision.instrument,
            decision.side,
            _units(decision.quantity),
            saw,
            decision.outcome or "open",
            decision.reason or "",
        )
    return table


def _units(quantity: Decimal | None) -> str:
    return "-" if quantity is None else f"{quantity.normalize():f}"


def _positions(positions: list[Holding]) -> RenderableType:
    if not positions:
        return Panel(WAITING, title="Positions", title_align="left")
    table = Table(title="Positions", title_justify="left")
    table.add_column("strategy")
    table.add_column("instrument")
    for name in ("quantity", "average", "mark", "realised", "unrealised"):
        table.add_column(name, justify="right")
    for held in positions[:SHOWN]:
        table.add_row(
            held.strategy,
            held.instrument,
            _units(held.quantity),
            "-" if held.average_price is None else f"{held.average_price:,.4f}",
            "-" if held.mark is None else f"{held.mark:,.4f}",
            f"{held.realised:,.2f}",
            "-" if held.unrealised is None else f"{held.unrealised:,.2f}",
        )
    table.add_section()
    table.add_row("P&L", "", "", "", "", "", f"{profit(positions):,.2f}")
    return table
