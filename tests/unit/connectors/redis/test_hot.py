"""What is hot is a fold of the log: slices and their order do not change it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.redis.documents import Book, Document, Position, Price, instrument_of, key_of
from connectors.redis.hot import Hot
from tests.support import T0_NS, a_decision, a_position, a_quote, a_trade

TTL_MS = 900_000
Taken = tuple[Any, tuple[str, int, int], int]


def hot(*taken: Taken) -> Hot:
    found = Hot(TTL_MS)
    for one in taken:
        found.take(*one)
    return found


def at(fact: Any, offset: int = 0, *, topic: str = "ticks.warm", stamped_ms: int = 1_000) -> Taken:
    return fact, (topic, 2, offset), stamped_ms


def document(found: Hot, key: str, kind: type[Document]) -> Any:
    return msgspec.json.decode(found.entries[key].document, type=kind)


def test_each_document_names_its_place_on_the_log() -> None:
    found = hot(at(a_trade("1.50", size=7), 5), at(a_quote(149, 151), 6), at(a_position("-3"), 7))

    price = document(found, "price:eq:AAPL", Price)
    book = document(found, "book:eq:AAPL", Book)
    position = document(found, "position:main/sma/eq:AAPL", Position)

    assert (price.last, price.size) == (Decimal("1.50"), 7)
    assert (price.log_topic, price.log_partition, price.log_offset) == ("ticks.warm", 2, 5)
    assert (book.bid, book.ask, book.log_offset) == (Decimal("1.49"), Decimal("1.51"), 6)
    assert (position.quantity, position.log_offset) == (-3, 7)
    assert {entry.expires_ms for entry in found.entries.values()} == {1_000 + TTL_MS}


def test_a_side_without_a_price_is_none() -> None:
    book = document(hot(at(a_quote(0, 151, bid_size=0))), "book:eq:AAPL", Book)

    assert (book.bid, book.bid_size, book.ask) == (None, 0, Decimal("1.51"))


def test_a_suspect_tick_and_other_facts_have_no_key() -> None:
    assert key_of(a_trade(quality="suspect")) is None
    assert key_of(a_quote(quality="suspect")) is None
    assert key_of(a_decision()) is None


@pytest.mark.parametrize(
    ("key", "instrument"),
    [
        ("price:eq:AAPL", "eq:AAPL"),
        ("book:event:kalshi/KX-1", "event:kalshi/KX-1"),
        ("position:main/sma/event:kalshi/KX-1", "event:kalshi/KX-1"),
        ("position:odd", None),
        ("session:eq:AAPL", None),
    ],
)
def test_a_key_tells_its_instrument(key: str, instrument: str | None) -> None:
    assert instrument_of(key) == instrument


def test_a_late_tick_is_no_price_and_the_last_position_counts() -> None:
    late = at(a_trade("8", at_ns=T0_NS - 1, quality="late"), 9)
    older = at(a_position("1", at_ns=T0_NS + 9), 3)

    found = hot(at(a_trade("2"), 1), late, at(a_position("2"), 4), older)

    assert document(found, "price:eq:AAPL", Price).last == 2
    assert document(found, "position:main/sma/eq:AAPL", Position).quantity == 2


def test_what_is_written_is_what_changed() -> None:
    found = hot(at(a_trade("2"), 1))
    found.changed.clear()

    found.take(*at(a_trade("1", at_ns=T0_NS - 1), 2))
    assert found.changed == set()

    found.take(*at(a_trade("3", at_ns=T0_NS + 1), 3))
    assert found.changed == {"price:eq:AAPL"}


def test_expired_keys_and_those_of_others_are_forgotten() -> None:
    found = hot(at(a_trade()), at(a_quote(), stamped_ms=2_000))

    found.forget_expired(1_000 + TTL_MS)
    assert set(found.entries) == found.changed == {"book:eq:AAPL"}

    found.forget([2])
    assert found.entries == {}
    assert found.changed == set()


ticks = st.builds(
    lambda price, ns, lane, raw, quality: (
        a_trade(str(price), at_ns=T0_NS + ns, raw_offset=raw, lane=lane, quality=quality),
        lane,
    ),
    price=st.integers(1, 99),
    ns=st.integers(0, 3),
    lane=st.sampled_from(["fast", "warm", "cold"]),
    raw=st.integers(0, 3),
    quality=st.sampled_from(["live", "late", "suspect", "gap"]),
)


@given(facts=st.lists(ticks, max_size=12), chance=st.randoms(use_true_random=False))
def test_any_order_gives_the_same_keys(facts: list[tuple[Any, str]], chance: Any) -> None:
    taken = [at(fact, n, topic=f"ticks.{lane}") for n, (fact, lane) in enumerate(facts)]
    shuffled = chance.sample(taken, len(taken))

    assert hot(*shuffled).entries == hot(*taken).entries
    assert hot(*taken, *taken).entries == hot(*taken).entries
