"""`hadron backtest run`: a strategy on recorded events, event by event, as it would run live."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from hadron.backtest.models import Named
from hadron.cli import asking as times
from hadron.cli import defaults, output
from hadron.cli import options as common
from hadron.cli.backtest import options
from hadron.cli.limits import amount
from hadron.errors import SettingsError

if TYPE_CHECKING:
    from hadron.backtest.results import Result

Amount = Any


def run(
    context: typer.Context,
    strategy: options.Name,
    parameters: options.Parameters = None,
    instruments: options.Instruments = "",
    tape: options.Tape = None,
    symbols: options.Symbols = "",
    day: options.Day = None,
    parquet: options.Parquet = None,
    of: options.Kind = "raw",
    topic: options.Topic = "",
    table: options.Table = "",
    scenario: options.Scenario = "",
    seed: options.Seed = 7,
    seconds: options.Seconds = 600,
    start: times.From = None,
    end: times.To = None,
    fees: Annotated[
        str,
        typer.Option(
            metavar="<model>",
            help="none; per-share:0.005; percent:0.1, or percent:0.6/0.4 of takers and makers;"
            " tiered:0=0.6/0.4,10000=0.4/0.25 by what was traded in the month.",
        ),
    ] = "none",
    latency: Annotated[
        str,
        typer.Option(
            metavar="<model>",
            help="Of an order to the exchange: none; fixed:5ms; uniform:1ms-5ms; lognormal:5ms,0.5"
            " by median and sigma.",
        ),
    ] = "none",
    queue: Annotated[
        str,
        typer.Option(
            metavar="<model>",
            help="Of a limit order that is not marketable: none, it is rejected; front of its"
            " level; behind all that its level shows.",
        ),
    ] = "none",
    partial: Annotated[
        str,
        typer.Option(
            metavar="<model>",
            help="How much trades at once: none, all of it; displayed, what the touch shows;"
            " traded:0.1, that share of each trade.",
        ),
    ] = "none",
    slippage: Annotated[
        str,
        typer.Option(
            metavar="<model>",
            help="none; spread:0.5, that share of it; book:0.01, levels that far apart which show"
            " as much as the touch.",
        ),
    ] = "none",
    good_for: Annotated[
        str,
        typer.Option(metavar="<time>", help="How long an order works, as 30s; empty: for ever."),
    ] = "",
    capital: Annotated[
        Amount, typer.Option(parser=amount, metavar="<amount>", help="Money at the beginning.")
    ] = "1000000",
    position: Annotated[
        Amount,
        typer.Option(parser=amount, metavar="<amount>", help="Limit: largest position."),
    ] = "1000",
    notional: Annotated[
        Amount,
        typer.Option(parser=amount, metavar="<amount>", help="Limit: notional of one order."),
    ] = "250000",
    exposure: Annotated[
        Amount,
        typer.Option(parser=amount, metavar="<amount>", help="Limit: gross notional."),
    ] = "1000000",
    equity_every: Annotated[
        float,
        typer.Option(min=0.001, help="Seconds of the market between points of the equity curve."),
    ] = 1.0,
    out: Annotated[
        Path | None,
        typer.Option(help="Write all decisions, orders, fills, positions here, as JSON."),
    ] = None,
    directory: common.Directory = None,
    json: common.Json = False,
) -> None:
    """Run a strategy on recorded events: live's code, and an exchange that is simulated.

    Nothing is written to the log. Without models it trades as live's simulation does: at once, at
    the touch, for nothing.
    """
    from hadron.backtest.run import Backtest, Settings
    from hadron.cli.backtest.feeding import catalogue, feed, partitions_of
    from hadron.venues.registry import PARSERS
    from hadron.wiring.sources import codes_of

    asked = options.Asked(
        strategy=strategy,
        parameters=parameters,
        instruments=instruments,
        tape=tape,
        symbols=symbols,
        day=day,
        parquet=parquet,
        of=of,
        topic=topic,
        table=table,
        scenario=scenario,
        seed=seed,
        seconds=seconds,
        start=start,
        end=end,
        directory=directory,
    )
    limits = msgspec.structs.replace(
        defaults.limits(0), position=position, notional=notional, exposure=exposure
    )
    fed = feed(asked, context, [defaults.rules(0), limits])
    named = Named(
        fees=fees,
        latency=latency,
        queue=queue,
        partial=partial,
        slippage=slippage,
        good_for=good_for,
        seed=seed,
    )
    settings = Settings(
        source=fed.source,
        models=named,
        capital=capital,
        equity_every_ns=round(equity_every * 1e9),
        partitions=partitions_of(context),
    )
    backtest = Backtest(settings, PARSERS, fed.kinds, codes_of(fed.kinds))
    backtest.run(fed.batches)
    result = backtest.result(catalogue())
    if out is not None:
        _write(out, result)
    _show(result, as_json=json)


def _write(path: Path, result: Result) -> None:
    try:
        path.write_bytes(msgspec.json.encode(result))
    except OSError as error:
        raise SettingsError([f"--out: {str(path)!r}: {error.strerror}"]) from error


def _show(result: Result, *, as_json: bool) -> None:
    """What it came to; the whole of it is what --out writes."""
    orders = {ending: 0 for ending in ("filled", "rejected", "open")}
    for order in result.orders:
        orders[order.ending] += 1
    last = {point.portfolio: point for point in result.equity}
    document = {
        "run": result.run,
        "counts": result.counts,
        "sha256": result.sha256,
        "decisions": len(result.decisions),
        "orders": orders,
        "fills": len(result.fills),
        "trades": len(result.trades),
        "won": sum(trade.net > 0 for trade in result.trades),
        "fees": sum((fill.fee for fill in result.fills), Decimal(0)),
        "equity": {name: point.equity for name, point in sorted(last.items())},
        "alerts": [alert.text for alert in result.alerts],
    }
    rows = [(name, _words(value)) for name, value in document.items() if name != "run"]
    output.show(
        document,
        output.table("Run", ("", ""), _flat(msgspec.to_builtins(result.run))),
        output.table("Found", ("", ""), rows),
        as_json=as_json,
    )


def _flat(run: dict[str, Any]) -> list[tuple[str, str]]:
    return [(name, _words(value)) for name, value in run.items()]


def _words(value: Any) -> str:
    match value:
        case msgspec.Struct():
            return _words(msgspec.structs.asdict(value))
        case dict():
            return ", ".join(f"{name} {_words(inner)}" for name, inner in value.items()) or "none"
        case list():
            return "; ".join(value) or "none"
        case _:
            return str(value)
