"""What peers do for each raw event: decode, parse, encode. Imports nothing of ours.

As plain fastavro does it; the contracts are ours, and so are the bytes that come in and go out.
"""

import json
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import msgspec
from fastavro import parse_schema, schemaless_reader, schemaless_writer

HEAD = 5  # bytes before the Avro: zero, and the id of its schema


class Trade(msgspec.Struct):
    """A trade of Massive."""

    p: Decimal
    s: int
    t: int
    q: int
    c: tuple[int, ...] = ()


def normalizer(contracts: str, head: bytes):  # type: ignore[no-untyped-def]
    """From the bytes of a RawReceived to those of a TradePrinted."""
    raw, tick = (_schema(contracts, name) for name in ("raw_received", "trade_printed"))
    parse = msgspec.json.Decoder(Trade).decode

    def normalize(value: bytes) -> tuple[str, bytes]:
        body = BytesIO(value)
        body.seek(HEAD)
        received = schemaless_reader(body, raw, None)
        trade = parse(received["payload"])
        whole, _, fraction = str(trade.p).partition(".")
        out = BytesIO()
        out.write(head)
        fact = {
            "instrument": received["instrument"],
            "venue": received["venue"],
            "raw_partition": 0,
            "price_scale": len(fraction),
            "size_scale": 0,
            "conditions": trade.c,
            "quality": "live",
            "lane": "warm",
            "reason": "default",
            "raw_offset": received["frame"],
            "at_ns": trade.t * 1_000_000,
            "seen_ns": received["seen_ns"],
            "sequence": trade.q,
            "price": int(whole + fraction),
            "size": trade.s,
        }
        schemaless_writer(out, tick, fact)
        return received["instrument"], out.getvalue()

    return normalize


def _schema(contracts: str, name: str):  # type: ignore[no-untyped-def]
    return parse_schema(json.loads((Path(contracts) / f"{name}.avsc").read_text()))
