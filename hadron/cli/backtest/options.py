"""What the commands on ticks share: which strategy, and which events."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

Name = Annotated[
    str,
    typer.Argument(
        metavar="STRATEGY",
        help="SimpleSMA, Crossover, SMACross, file.py:Class of your own, or live: what control has,"
        " with its rules and limits.",
    ),
]
Parameters = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="<name=value>", help="A parameter; may be repeated."),
]
Instruments = Annotated[
    str, typer.Option(help="Instruments the strategy runs on, by comma; empty: all.")
]
Tape = Annotated[Path | None, typer.Option(help="Of recorded ticks in this folder.")]
Symbols = Annotated[str, typer.Option(help="Of a tape or scenario: these symbols, by comma.")]
Day = Annotated[list[str] | None, typer.Option(help="Of a tape: day as 20131007; may be repeated.")]
Parquet = Annotated[Path | None, typer.Option(help="Of an export by `hadron archive export`.")]
Topic = Annotated[str, typer.Option(metavar="<raw|ticks>", help="Of the log: raw events or ticks.")]
Table = Annotated[
    str, typer.Option(metavar="<raw|ticks>", help="Of the archive: raw events or ticks.")
]
Scenario = Annotated[
    str,
    typer.Option(
        metavar="<name>",
        help="Of a generated market: calm, gap, halt, flash-crash, stale-feed or crossed-market.",
    ),
]
Seed = Annotated[int, typer.Option(help="Of a scenario, and of latencies that are drawn.")]
Seconds = Annotated[int, typer.Option("--for", min=1, help="Of a scenario: seconds it takes.")]
Kind = Annotated[
    str, typer.Option("--of", metavar="<raw|ticks>", help="Of an export: raw events or ticks.")
]


class Asked(msgspec.Struct, frozen=True):
    """What the command line says of strategy and events."""

    strategy: str
    parameters: list[str] | None
    instruments: str
    tape: Path | None
    symbols: str
    day: list[str] | None
    parquet: Path | None
    of: str
    topic: str
    table: str
    scenario: str
    seed: int
    seconds: int
    start: Any
    end: Any
    directory: Path | None
