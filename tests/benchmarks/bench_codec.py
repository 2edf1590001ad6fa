"""What encoding and decoding of the hot contracts costs, in microseconds a record.

Run: python -m tests.benchmarks.bench_codec
"""

from __future__ import annotations

import timeit
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from tests.benchmarks.showing import show
from tests.support import a_decision, a_quote, a_raw, a_trade, codec

COUNT = 2000
PAYLOAD = (
    b'{"ev":"T","sym":"MSFT","x":4,"i":"12345","z":3,"p":114.125,"s":100,"t":1536036818784,"q":3}'
)


def main() -> None:
    facts: dict[str, Any] = {
        "raw": a_raw(PAYLOAD),
        "trade": a_trade("114.125", raw_offset=123_456, sequence=3_681_328, conditions=(0, 12)),
        "quote": a_quote(raw_offset=123_456, sequence=3_681_328),
        "decision": a_decision(evidence={"sma": "114.1", "price": "114.2"}),
    }
    result: dict[str, float] = {}
    for name, fact in facts.items():
        # Each another one, for a record that comes again is not decoded again.
        some = [msgspec.structs.replace(fact, seen_ns=fact.seen_ns + n) for n in range(COUNT)]
        values = [codec().encode(one) for one in some]
        encode, decode, many = codec().encode, codec().decode, codec().decode_many
        result[f"{name}_encode_us"] = _each(partial(_all, encode, some))
        result[f"{name}_encode_many_us"] = _each(partial(codec().encode_many, some))
        result[f"{name}_decode_us"] = _each(partial(_all, decode, values))
        result[f"{name}_decode_many_us"] = _each(partial(many, values))
    show(result)


def _all(run: Callable[[Any], object], things: list[Any]) -> None:
    for thing in things:
        run(thing)


def _each(run: Callable[[], object]) -> float:
    return round(min(timeit.repeat(run, number=5, repeat=5)) / 5 / COUNT * 1e6, 2)


if __name__ == "__main__":
    main()
