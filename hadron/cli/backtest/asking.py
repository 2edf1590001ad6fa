"""What the commands on bars share: which strategy, which bars, at which costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from hadron.cli.environment import database_url, settings_of
from hadron.cli.query import Interval
from hadron.errors import SettingsError

if TYPE_CHECKING:
    from hadron.backtest.bars.trading import Market
    from hadron.market.bars import Bars
    from hadron.strategy.strategy import Strategy

Kind = Annotated[str, typer.Argument(help="Kind of strategy: SimpleSMA, Crossover or SMACross.")]
Instrument = Annotated[str, typer.Option(help="Which instrument, as eq:SPY.")]
Tape = Annotated[
    Path | None, typer.Option(help="Folder of recorded minute bars; without it, the archive.")
]
Ticks = Annotated[bool, typer.Option("--ticks", help="Make the bars of recorded ticks of --tape.")]
Every = Annotated[Interval, typer.Option(help="Width of a bar; a tape of bars has minutes.")]
Fees = Annotated[
    str,
    typer.Option(metavar="<model>", help="none, per-share:0.005 or percent:0.1, of each fill."),
]
Slippage = Annotated[
    str,
    typer.Option(metavar="<model>", help="none or percent:0.02 of the next bar's open."),
]
Capital = Annotated[float, typer.Option(min=1.0, help="Money that profits are compared with.")]
DaysAYear = Annotated[
    float, typer.Option(min=1.0, help="Trading days of a year: 252 for stocks, 365 for crypto.")
]
CAPITAL = 100_000.0
WIDTH_NS = {
    Interval.SECOND: 10**9,
    Interval.MINUTE: 60 * 10**9,
    Interval.HOUR: 3_600 * 10**9,
    Interval.DAY: 86_400 * 10**9,
}


@dataclass(frozen=True, slots=True)
class Source:
    """Where bars come from."""

    instrument: str
    tape: Path | None
    ticks: bool
    every: Interval
    start: datetime | None
    end: datetime | None

    def words(self) -> str:
        """As a report says it."""
        if self.tape is None:
            return f"the archive's candles of {self.every.value}"
        return f"{'ticks' if self.ticks else 'minute bars'} in {self.tape}"


def bars_of(source: Source, context: typer.Context, directory: Path | None) -> Bars:
    """The bars. Raise SettingsError or HadronError where there are none."""
    bars = _from_tape(source) if source.tape else _from_archive(source, context, directory)
    found = bars.between(ns(source.start), ns(source.end))
    if not len(found):
        raise SettingsError([f"--from and --to: no bar of {source.instrument!r} in that time"])
    return found


def market_of(bars: Bars, *, fees: str, slippage: str, capital: float) -> Market:
    """The bars to trade in. Raise SettingsError naming a cost that is wrong."""
    from hadron.backtest.bars.costs import costs
    from hadron.backtest.bars.trading import Market

    return Market(bars, costs=costs(fees, slippage), capital=capital)


def kind_of(name: str) -> type[Strategy]:
    """Raise SettingsError naming those there are; a strategy on bars has a quantity."""
    from hadron.strategy.registry import KINDS

    found = KINDS.get(name)
    if found is None:
        raise SettingsError([f"STRATEGY: {name!r}; wanted one of {', '.join(sorted(KINDS))}"])
    if "quantity" not in found.Parameters.__struct_fields__:
        raise SettingsError([f"STRATEGY: {name!r} has no parameter quantity, wanted on bars"])
    return found


def made(name: str, kind: type[Strategy], said: list[str] | None) -> Any:
    """The parameters of a strategy. Raise SettingsError naming one that is wrong."""
    try:
        return msgspec.convert(values("--set", said), kind.Parameters, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError([f"--set: {name}: {error}"]) from None


def ran(source: Source, bars: Bars, **said: Any) -> Mapping[str, Any]:
    """What was asked for, as reports say it."""
    times = (bars.at_ns[0], bars.ends_ns[-1])
    begin, end = (datetime.fromtimestamp(int(ns) // 10**9, UTC).isoformat(" ") for ns in times)
    shared = {"instrument": bars.instrument, "source": source.words(), "bars": len(bars)}
    return {**shared, "from": begin, "to": end, **said}


def values(option: str, said: list[str] | None) -> dict[str, str]:
    """Parameters as name=value. Raise SettingsError naming one that is not."""
    found = {}
    for text in said or ():
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise SettingsError([f"{option}: {text!r}; wanted name=value"])
        found[name.strip()] = value.strip()
    return found


def _from_tape(source: Source) -> Bars:
    from connectors.minute_bars import minute_bars, tick_bars

    assert source.tape is not None
    symbol = source.instrument.partition(":")[2]
    if not source.instrument.startswith("eq:") or not symbol:
        raise SettingsError(
            [f"--instrument: {source.instrument!r}; wanted a stock, as eq:SPY, of a tape"]
        )
    if source.ticks:
        return tick_bars(source.tape, symbol, width_ns=WIDTH_NS[source.every])
    if source.every is not Interval.MINUTE:
        raise SettingsError([f"--every: {source.every.value!r}; wanted 1m of bars on a tape"])
    return minute_bars(source.tape, symbol)


def _from_archive(source: Source, context: typer.Context, directory: Path | None) -> Bars:
    from connectors.timescale.querying.bars import candle_bars

    return candle_bars(
        database_url(settings_of(context, directory)),
        source.instrument,
        every=source.every.value,
        width_ns=WIDTH_NS[source.every],
        start=source.start or datetime.fromtimestamp(0, UTC),
        end=source.end or datetime.now(UTC) + timedelta(days=1),
    )


def ns(at: datetime | None) -> int | None:
    """Nanoseconds since the epoch."""
    return None if at is None else round(at.timestamp() * 1_000_000) * 1_000
