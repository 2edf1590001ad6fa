"""What the benchmarks of streams share: loads, and watching offsets grow."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from connectors.local.daemon import free_ports
from connectors.timescale.inspection import inspect
from hadron.partitions import partition_of
from tests.integration.platform import SHARDS, Platform
from tests.support import a_quote, a_raw, a_trade, codec

Batch = list[tuple[str | bytes | None, bytes | None]]


def server(url: str) -> str:
    """What a database is: TimescaleDB is as fast as another thing than PostgreSQL alone."""
    seen = inspect(url)
    extension = f", TimescaleDB {seen.timescaledb}" if seen.timescaledb else ""
    return f"PostgreSQL {seen.server.split()[0]}{extension}"


def fed_by_a_simulator(platform: Platform, symbols: str) -> None:
    """Let its feed listen to its simulator, at a free port, once both are started."""
    [port] = free_ports(1, preferred=())
    platform.environment |= {
        "HADRON_SIMULATOR_PORT": str(port),
        "HADRON_SYMBOLS": symbols,
        "HADRON_MASSIVE_URL": f"ws://127.0.0.1:{port}/stocks",
        "HADRON_MASSIVE_KEY": "simulated",
    }


def append_raw_trades(platform: Platform, count: int, *, symbols: int = 16) -> None:
    """Massive's trades of several symbols on raw.massive."""
    for start in range(0, count, 5000):
        more = range(start, min(start + 5000, count))
        append(platform, "raw.massive", encoded_raw_trades(more, symbols=symbols))
    platform.log.flush(120)


def encoded_raw_trades(
    numbers: range, *, venue: str = "massive", symbols: int = 16
) -> dict[int, Batch]:
    """Trades of a venue with these numbers, by partition."""
    batches: dict[int, Batch] = {}
    for n in numbers:
        symbol = f"S{n % symbols}"
        key, price = f"eq:{symbol}", f"{100 + n // 500 % 9}.{n % 1000:03d}"
        raw = a_raw(
            _TRADES[venue](symbol, price, n),
            venue=venue,
            symbol=symbol,
            instrument=key,
            seen_ns=time.time_ns(),
            frame=n,
        )
        batches.setdefault(partition_of(key, SHARDS), []).append((key, codec().encode(raw)))
    return batches


def _massive(symbol: str, price: str, n: int) -> bytes:
    return (
        f'{{"ev":"T","sym":"{symbol}","x":4,"i":"{n}","z":3,"p":{price},"s":100,'
        f'"c":[0,12],"t":{1_700_000_000_000 + n},"q":{n + 1}}}'
    ).encode()


def _coinbase(symbol: str, price: str, n: int) -> bytes:
    at = datetime.fromtimestamp(1_700_000_000 + n / 1000, UTC)
    return (
        f'{{"trade_id":"{n + 1}","product_id":"{symbol}","price":"{price}","size":"0.00150000",'
        f'"side":"BUY","time":"{at:%Y-%m-%dT%H:%M:%S.%fZ}"}}'
    ).encode()


_TRADES = {"massive": _massive, "coinbase": _coinbase}


def append_ticks(platform: Platform, count: int, *, lane: str = "warm", symbols: int = 16) -> None:
    """Ticks, a quarter of them trades; prices walk so that strategies decide now and then."""
    for start in range(0, count, 5000):
        more = range(start, min(start + 5000, count))
        append(platform, f"ticks.{lane}", encoded_ticks(more, lane=lane, symbols=symbols))
    platform.log.flush(120)


def encoded_ticks(numbers: range, *, lane: str, symbols: int = 16) -> dict[int, Batch]:
    """The ticks of `append_ticks` with these numbers, by partition."""
    batches: dict[int, Batch] = {}
    for n in numbers:
        key = f"eq:{lane}{n % symbols}"
        shared: dict[str, Any] = {
            "raw_offset": n,
            "instrument": key,
            "at_ns": 1_700_000_000_000_000_000 + n * 1_000_000,
            "seen_ns": time.time_ns(),
            "sequence": n + 1,
            "lane": lane,
        }
        cents = 10_000 + n // 4000 % 40
        if n // symbols % 4:
            fact: Any = a_quote(cents, cents + 2, **shared)
        else:
            fact = a_trade(f"{cents / 100:.2f}", **shared)
        batches.setdefault(partition_of(key, SHARDS), []).append((key, codec().encode(fact)))
    return batches


def cpu_s(process: psutil.Process) -> float:
    """CPU seconds that a process took so far."""
    spent = process.cpu_times()
    return float(spent.user + spent.system)


def server_cpu_s(directory: Path) -> dict[str, float]:
    """CPU seconds that the servers of a directory took so far, children that ended included."""
    spent: dict[str, float] = {}
    for process in psutil.process_iter(["name", "cmdline"]):
        if not any(str(directory) in argument for argument in process.info["cmdline"] or ()):
            continue
        if process.info["name"] not in ("postgres", "java"):
            continue
        own = process.cpu_times()
        total = own.user + own.system + own.children_user + own.children_system
        for child in process.children():
            with suppress(psutil.NoSuchProcess):
                total += cpu_s(child)
        spent[process.info["name"]] = spent.get(process.info["name"], 0) + total
    return spent


def rate(position: Callable[[], int], total: int, *, warm: int) -> float:
    """Records a second between the first `warm` of them and the last."""
    begun: tuple[float, int] | None = None
    while True:
        at, now = position(), time.monotonic()
        if begun is None and at >= warm:
            begun = (now, at)
        if at >= total:
            assert begun is not None
            return round((at - begun[1]) / (now - begun[0]), 0)
        time.sleep(0.1)


def append(platform: Platform, topic: str, batches: dict[int, Batch]) -> None:
    """Append batches, by partition, and forget them."""
    for partition, batch in batches.items():
        platform.log.append(topic, partition, batch)
    batches.clear()
    platform.log.poll()
