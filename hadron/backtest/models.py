"""The models of a simulated exchange, by their names."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import msgspec

from hadron.backtest.fees import Fees, fees
from hadron.backtest.latency import Latency, latency
from hadron.backtest.naming import nanoseconds
from hadron.backtest.queue import Queue, queue
from hadron.backtest.sizes import Sizes, sizes
from hadron.backtest.slippage import Slippage, slippage
from hadron.errors import SettingsError

T = TypeVar("T")


class Named(msgspec.Struct, frozen=True):
    """What a person writes. The defaults are those of the live simulation, and cost nothing."""

    fees: str = "none"
    latency: str = "none"
    queue: str = "none"
    partial: str = "none"
    slippage: str = "none"
    good_for: str = ""  # how long an order works before its rest is cancelled; empty: for ever
    seed: int = 0  # of the latencies that are drawn

    def written(self) -> dict[str, str]:
        """Each by its name, as text."""
        return {name: str(value) for name, value in msgspec.structs.asdict(self).items()}


class Models(msgspec.Struct, frozen=True):
    """Ready to be asked."""

    fees: Fees
    latency: Latency
    queue: Queue
    sizes: Sizes
    slippage: Slippage
    good_for_ns: int | None
    every_tick: bool  # whether the exchange must see each, not only while an order works


def models(asked: Named) -> Models:
    """Raise SettingsError naming every option that is wrong."""
    problems: list[str] = []

    def made(make: Callable[..., T], *given: str, **more: int) -> T:
        try:
            return make(*given, **more)
        except SettingsError as error:
            problems.extend(error.problems)
            return cast(T, None)  # never used: the problems are raised

    by_size = asked.queue == "behind" or asked.slippage.startswith("book")
    found = Models(
        fees=made(fees, asked.fees),
        latency=made(latency, asked.latency, seed=asked.seed),
        queue=made(queue, asked.queue),
        sizes=made(sizes, asked.partial),
        slippage=made(slippage, asked.slippage),
        good_for_ns=made(_good_for, asked.good_for),
        every_tick=by_size or asked.partial != "none",
    )
    if problems:
        raise SettingsError(problems)
    return found


def _good_for(text: str) -> int | None:
    if not text:
        return None
    try:
        return nanoseconds(text, "a time, as in 30s")
    except ValueError as error:
        raise SettingsError([f"--good-for: {text!r}; {error}"]) from None
