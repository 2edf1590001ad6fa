"""Instrument ids are found by a fixed rule, and looking them up takes bounded memory."""

from __future__ import annotations

import psutil

from hadron.reference.instruments import InstrumentIds, derived_id


def test_a_symbol_that_nobody_listed_gets_the_id_of_the_rule() -> None:
    assert derived_id("massive", "AAPL") == "eq:AAPL"
    assert derived_id("coinbase", "BTC-USD") == "crypto:BTC-USD"
    assert derived_id("elsewhere", "X") == "elsewhere:X"


def test_a_listed_symbol_has_the_listed_id_also_after_it_was_evicted() -> None:
    ids = InstrumentIds({("massive", "BRK.B"): "eq:BRK-B"}, capacity=1)

    seen = [ids.id_of("massive", symbol) for symbol in ("BRK.B", "AAPL", "BRK.B")]

    assert seen == ["eq:BRK-B", "eq:AAPL", "eq:BRK-B"]
    assert ids.evicted == 2


def test_the_least_recently_used_is_evicted() -> None:
    ids = InstrumentIds({}, capacity=2)
    for symbol in ("A", "B", "A", "C", "A"):
        ids.id_of("massive", symbol)

    assert (len(ids), ids.evicted) == (2, 1)


def test_a_million_symbols_take_no_more_memory_than_the_capacity() -> None:
    # given a cache that has been full for a while
    ids = InstrumentIds({}, capacity=1_000)
    for number in range(10_000):
        ids.id_of("massive", f"S{number}")
    process = psutil.Process()
    before = process.memory_info().rss

    # when a million other symbols pass through it, of which each would take 200 bytes
    for number in range(10_000, 1_010_000):
        ids.id_of("massive", f"S{number}")

    assert (len(ids), ids.evicted) == (1_000, 1_009_000)
    assert process.memory_info().rss - before < 16 * 2**20
