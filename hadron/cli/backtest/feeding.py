"""Opens the source of events that a command names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from typing import Any

import msgspec
import typer

from hadron.backtest.batches import Batch, Controls
from hadron.cli import defaults, opening
from hadron.cli.backtest import sources
from hadron.cli.backtest.options import Asked
from hadron.cli.backtest.sources import Window, milliseconds
from hadron.cli.backtest.strategies import LIVE, configured, kinds_of, pairs
from hadron.cli.changing import split
from hadron.cli.environment import database_url, settings_of
from hadron.envelope import AvroCodec, Version
from hadron.errors import SettingsError
from hadron.settings import Settings
from hadron.strategy.registry import KINDS
from hadron.strategy.strategy import Strategy
from hadron.variables import variable


class Fed(msgspec.Struct, frozen=True):
    """What a backtest takes: its batches, all kinds of strategies, and the source in words."""

    batches: Iterable[Batch]
    kinds: Mapping[str, type[Strategy]]
    source: str


def feed(asked: Asked, context: typer.Context, controls: list[Any]) -> Fed:
    """Open the source. `controls` are rules and limits, unless live's are asked for.

    Raise SettingsError if none or several are named, or the strategy is not known.
    """
    given = {
        "--tape": asked.tape,
        "--parquet": asked.parquet,
        "--topic": asked.topic,
        "--table": asked.table,
        "--scenario": asked.scenario,
    }
    named = [(option, value) for option, value in given.items() if value]
    if len(named) != 1:
        seen = ", ".join(option for option, _ in named) or "none"
        raise SettingsError([f"source: {seen} given; wanted one of {', '.join(given)}"])
    kinds: Mapping[str, type[Strategy]] = KINDS
    if asked.strategy == LIVE:
        if not asked.topic:
            raise SettingsError([f"STRATEGY: {LIVE} is what the log has; wanted --topic"])
    else:
        kind, kinds = kinds_of(asked.strategy)
        strategy = configured(
            kind,
            kinds,
            portfolio=defaults.PORTFOLIO,
            instruments=split(asked.instruments),
            parameters=pairs("--set", asked.parameters or ()),
        )
        controls = [*controls, strategy]
    [(option, value)] = named
    batches = _OPENED[option](asked, context, controls)
    return Fed(batches, kinds, f"{option.removeprefix('--')} {value}")


_SHARDS = Settings.__dataclass_fields__["num_shards"].default


def partitions_of(context: typer.Context) -> int:
    """As many as live has by its settings: places on the log, and so names, depend on it."""
    environ: Mapping[str, str] = context.obj
    text = environ.get(variable("num_shards")) or str(_SHARDS)
    if not (text.isdigit() and int(text)):
        raise SettingsError([f"{variable('num_shards')}: {text!r}; wanted a number above 0"])
    return int(text)


def _tape(asked: Asked, context: typer.Context, controls: list[Any]) -> Iterable[Batch]:
    assert asked.tape is not None
    events = sources.of_tape(
        asked.tape,
        symbols=split(asked.symbols),
        days=asked.day or (),
        window=_window(asked),
        partitions=partitions_of(context),
    )
    return chain([Controls(controls)], events)


def _scenario(asked: Asked, context: typer.Context, controls: list[Any]) -> Iterable[Batch]:
    events = sources.of_scenario(
        asked.scenario,
        seed=asked.seed,
        symbols=split(asked.symbols),
        seconds=asked.seconds,
        partitions=partitions_of(context),
    )
    return chain([Controls(controls)], events)


def _parquet(asked: Asked, context: typer.Context, controls: list[Any]) -> Iterable[Batch]:
    assert asked.parquet is not None
    kind = _kind("--of", asked.of)
    events = sources.of_export(kind, asked.parquet, catalogue(), window=_window(asked))
    return chain([Controls(controls)], events)


def _topic(asked: Asked, context: typer.Context, controls: list[Any]) -> Iterable[Batch]:
    from hadron.wiring import codec_of

    kind, settings = _kind("--topic", asked.topic), settings_of(context, asked.directory)
    log, codec, names = opening.fact_log(settings), codec_of(settings), opening.names(settings)
    if asked.strategy == LIVE:
        controls = sources.controls_of_log(log, codec, names=names)
    events = sources.of_log(
        kind, log, codec, names=names, window=_window(asked), partitions=settings.num_shards
    )
    return chain([Controls(controls)], events)


def _table(asked: Asked, context: typer.Context, controls: list[Any]) -> Iterable[Batch]:
    from hadron.wiring import codec_of

    kind, settings = _kind("--table", asked.table), settings_of(context, asked.directory)
    url, codec = database_url(settings), codec_of(settings)
    events = sources.of_archive(kind, url, codec, window=_window(asked))
    return chain([Controls(controls)], events)


_OPENED: Mapping[str, Callable[[Asked, typer.Context, list[Any]], Iterable[Batch]]] = {
    "--tape": _tape,
    "--parquet": _parquet,
    "--topic": _topic,
    "--table": _table,
    "--scenario": _scenario,
}


def catalogue() -> AvroCodec:
    """The codec of the contracts that come with this version."""
    import schemas

    return AvroCodec([Version(c.id, c.name, c.schema) for c in schemas.catalogue()])


def _window(asked: Asked) -> Window:
    return Window(milliseconds(asked.start), milliseconds(asked.end))


def _kind(option: str, kind: str) -> str:
    if kind not in sources.KINDS:
        raise SettingsError([f"{option}: {kind!r}; wanted one of {', '.join(sources.KINDS)}"])
    return kind
