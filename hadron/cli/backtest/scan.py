"""`hadron backtest scan`: which of many instruments a strategy has just given a signal on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hadron.cli import asking as times
from hadron.cli import options, output
from hadron.cli.backtest import asking
from hadron.cli.backtest.extra import demand
from hadron.cli.environment import database_url, settings_of
from hadron.cli.query import Interval
from hadron.errors import HadronError, SettingsError
from hadron.values import digits

if TYPE_CHECKING:
    from hadron.market.bars import Bars
    from hadron.strategy.scan import Hit

# Nights and quiet minutes have no bars: how far back they are looked for, in times of their widths.
LOOK_BACK = 20


def scan(
    context: typer.Context,
    strategy: asking.Kind,
    tape: asking.Tape = None,
    every: asking.Every = Interval.MINUTE,
    bars: Annotated[
        int, typer.Option(min=1, help="Newest bars of each instrument that it is asked about.")
    ] = 120,
    within: Annotated[
        int, typer.Option(min=1, help="Of these newest bars one must have given the signal.")
    ] = 1,
    start: Annotated[
        datetime | None,
        typer.Option(
            "--from",
            parser=times.moment,
            metavar="<time>",
            help=f"First time; in the archive {LOOK_BACK} times what the bars span before the"
            " newest tick, if it is not said.",
        ),
    ] = None,
    end: times.To = None,
    parameters: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="<name=value>", help="A parameter; may be repeated."),
    ] = None,
    best: Annotated[int, typer.Option(min=1, help="How many of the first are shown.")] = 20,
    directory: options.Directory = None,
    json: options.Json = False,
) -> None:
    """List the instruments on which a strategy has just given a signal.

    The newest signals first, then by turnover of the newest bar, then by name. Each is what the
    strategy says of the instrument's own newest bars, when it knows nothing else.
    """
    demand("numpy")
    from hadron.strategy.scan import scan as scanned

    kind = asking.kind_of(strategy)
    made = asking.made(strategy, kind, parameters)
    if tape is not None:
        universe = _of_tape(tape, every, bars, start, end)
    else:
        url = database_url(settings_of(context, directory))
        universe = _of_archive(url, every, bars, start, end)
    hits = scanned(kind, made, universe, within=within)
    document = {"strategy": strategy, "parameters": made, "scanned": len(universe)}
    document |= {"found": len(hits), "hits": hits[:best]}
    title = f"{strategy}: {len(hits):,} of {len(universe):,} instruments, the first {best:,}"
    columns = ("instrument", "side", "bars ago", "at", "price", "last", "turnover")
    output.show(document, output.table(title, columns, map(_row, hits[:best])), as_json=json)


def _of_tape(
    folder: Path, every: Interval, count: int, start: datetime | None, end: datetime | None
) -> Sequence[Bars]:
    from connectors.minute_bars import all_minute_bars

    if every is not Interval.MINUTE:
        raise SettingsError([f"--every: {every.value!r}; wanted 1m of bars on a tape"])
    begin_ns, end_ns = asking.ns(start), asking.ns(end)
    spans = (bars.between(begin_ns, end_ns) for bars in all_minute_bars(folder))
    return [bars[-count:] for bars in spans if len(bars)]


def _of_archive(
    url: str, every: Interval, count: int, start: datetime | None, end: datetime | None
) -> Sequence[Bars]:
    from connectors.timescale.querying.bars import newest_bars
    from connectors.timescale.querying.queries import newest_tick

    width_ns = asking.WIDTH_NS[every]
    if end is None:
        newest = newest_tick(url)
        if newest is None:
            raise HadronError("the archive has no ticks, so there is nothing to scan")
        end = newest + timedelta(microseconds=1)
    if start is None:
        start = end - timedelta(seconds=LOOK_BACK * count * width_ns // 10**9)
    return newest_bars(url, count=count, every=every.value, width_ns=width_ns, start=start, end=end)


def _row(hit: Hit) -> tuple[Any, ...]:
    at = datetime.fromtimestamp(hit.at_ns // 10**9, UTC)
    prices = (digits(hit.price), digits(hit.last), digits(hit.turnover))
    return (hit.instrument, hit.side, hit.bars_ago, f"{at:%Y-%m-%d %H:%M:%S}", *prices)
