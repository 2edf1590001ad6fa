"""The summary of a demo: the accounting per topic, what was traded, how fast it went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from connectors.timescale.querying import accounting, queries
from connectors.timescale.querying.accounting import Account, Endings
from connectors.timescale.querying.answers import Candle, Holding
from connectors.timescale.storage.refresh import refresh_candles
from hadron import topics
from hadron.cli.demo.watch import Latency, profit
from hadron.ports import FactLog

LAST_CANDLES = 5


class Report(msgspec.Struct, frozen=True):
    """Everything that a demo ends with; `holds` decides its exit code."""

    market: str
    simulated: bool
    elapsed_s: float
    first_decision_s: float | None
    raw: int
    ticks: int
    ticks_twice: int  # of one raw record, on whatever lanes
    topics: dict[str, Account]
    decisions: Endings
    orders: int
    fills: int
    positions: list[Holding]
    profit: Decimal
    rates: dict[str, float]
    peaks: dict[str, float]
    latency_ms: dict[str, Latency]
    restarts: dict[str, int]
    candles: list[Candle]
    drained: bool
    holds: bool


def made(
    database: str,
    log: FactLog,
    *,
    owner: str,
    partitions: int,
    venue: str,
    **measured: Any,
) -> Report:
    """Count what the log has and what the database holds. The processes must have stopped.

    `database` is asked; `owner` is the same for a role that may refresh candles.
    """
    stored = {topic.name: topic for topic in topics.sink_topics()}
    accounts = {
        account.topic: account
        for account in accounting.accounts(database, log, stored, partitions=partitions)
    }
    endings = accounting.endings(database)
    held = queries.positions(database)
    raw = topics.RAW[venue].name
    places = [(raw, partition) for partition in range(partitions)]
    ends, starts = log.ends(places), log.starts(places)
    fills = [order for order in queries.orders(database, limit=1_000_000) if order.outcome]
    twice = accounting.ticks_named_twice(database)
    return Report(
        ticks_twice=twice,
        raw=sum(ends.values()) - sum(starts.values()),
        ticks=sum(accounts[topic.name].produced for topic in topics.TICKS.values()),
        topics=accounts,
        decisions=endings,
        orders=accounts[topics.ORDERS.name].produced,
        fills=sum(order.outcome == "filled" for order in fills),
        positions=held,
        profit=profit(held),
        candles=_candles(database, held, owner=owner),
        holds=_holds(accounts.values(), endings) and not twice and bool(measured["drained"]),
        **measured,
    )


def printed(report: Report, console: Console) -> None:
    """Show the report to a person."""
    console.print(_accounts(report))
    if report.candles:
        console.print(_candle_table(report.candles))
    ends, orders = report.decisions, report.orders
    console.print(
        f"[bold]{report.market}[/bold]: {report.raw:,} raw events, {report.ticks:,} ticks,"
        f" {ends.decisions:,} decisions ({ends.one:,} with exactly one end), {orders:,} orders,"
        f" {report.fills:,} fills, P&L {report.profit:,.2f}"
    )
    rates = ", ".join(f"{name} {rate:,.0f}" for name, rate in report.rates.items())
    console.print(f"events/s over {report.elapsed_s:,.1f} s: {rates}")
    for budget, found in report.latency_ms.items():
        console.print(f"latency {budget}: p50 {found.p50}, p95 {found.p95}, p99 {found.p99} ms")
    if any(report.restarts.values()):
        console.print(f"restarted: {report.restarts}")
    verdict = "[green]holds" if report.holds else "[red]DOES NOT HOLD"
    console.print(f"accounting, produced = stored = distinct: {verdict}")


def _holds(accounts: Sequence[Account] | Any, endings: Endings) -> bool:
    return all(account.holds for account in accounts) and endings.holds


def _candles(database: str, held: Sequence[Holding], *, owner: str) -> list[Candle]:
    if not held:
        return []
    newest = max(held, key=lambda position: position.at)
    refresh_candles(owner)
    epoch, end = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
    return queries.candles(
        database, newest.instrument, every="1m", start=epoch, end=end, limit=LAST_CANDLES
    )


def _accounts(report: Report) -> Table:
    table = Table(title="Accounting", title_justify="left")
    table.add_column("topic")
    for name in ("produced", "stored", "distinct", "named"):
        table.add_column(name, justify="right")
    table.add_column("holds")
    accounts: Mapping[str, Account] = report.topics
    for account in accounts.values():
        counts = (account.produced, account.stored, account.distinct, account.names)
        table.add_row(
            account.topic, *(f"{count:,}" for count in counts), "yes" if account.holds else "NO"
        )
    return table


def _candle_table(candles: Sequence[Candle]) -> Table:
    table = Table(title=f"Last candles of {candles[0].instrument}", title_justify="left")
    table.add_column("minute")
    for name in ("open", "high", "low", "close", "volume", "vwap", "trades"):
        table.add_column(name, justify="right")
    for candle in candles:
        prices = (candle.open, candle.high, candle.low, candle.close)
        table.add_row(
            f"{candle.bucket:%Y-%m-%d %H:%M}",
            *(f"{price:,.4f}" for price in prices),
            f"{candle.volume.normalize():f}",
            "-" if candle.vwap is None else f"{candle.vwap:,.4f}",
            f"{candle.trades:,}",
        )
    return table
