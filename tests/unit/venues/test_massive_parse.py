"""Massive's events: exact prices, ugly bytes refused, other events passed over."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hadron.errors import ContractError
from hadron.values import number
from hadron.venues.massive import elements
from hadron.venues.massive.parse import parse
from hadron.venues.parsed import ParsedQuote, ParsedTrade
from tests.unit.venues.samples import sample, samples

AT_NS = 1536036818784000000


@pytest.mark.parametrize(
    ("name", "trade"),
    [
        (
            "trade",
            ParsedTrade(
                AT_NS,
                3681328,
                114125,
                3,
                100,
                0,
                (
                    0,
                    12,
                ),
                False,
            ),
        ),
        ("trade_without_conditions", ParsedTrade(AT_NS, 9, 3305, 1, 7, 0, (), False)),
        ("trade_fractional", ParsedTrade(AT_NS, 10, 1141, 1, 25, 2, (), False)),
        ("trade_exponent", ParsedTrade(AT_NS, 11, 15, 4, 100, 0, (), False)),
        ("trade_unknown_field", ParsedTrade(AT_NS, 12, 10, 0, 1, 0, (), False)),
        (
            "trade_suspicious",
            ParsedTrade(
                AT_NS,
                13,
                4918,
                2,
                100,
                0,
                (
                    14,
                    9000,
                ),
                True,
            ),
        ),
    ],
)
def test_trades_are_read(name: str, trade: ParsedTrade) -> None:
    assert parse(sample(f"massive/{name}")) == trade


@pytest.mark.parametrize(
    ("name", "quote"),
    [
        ("quote", ParsedQuote(AT_NS, 50385480, 114125, 114128, 3, 100, 160, 0, False)),
        ("quote_ask_only", ParsedQuote(AT_NS, 1, 0, 1141, 1, 0, 160, 0, False)),
        ("quote_ask_zero", ParsedQuote(AT_NS, 1, 1141, 0, 1, 160, 0, 0, False)),
        ("quote_crossed", ParsedQuote(AT_NS, 1, 11420, 11415, 2, 1, 2, 0, True)),
    ],
)
def test_quotes_are_read(name: str, quote: ParsedQuote) -> None:
    assert parse(sample(f"massive/{name}")) == quote


def test_a_null_side_is_a_missing_side() -> None:
    quote = parse(b'{"ev":"Q","sym":"A","t":1,"bp":null,"bs":null,"ap":2,"as":null}')

    assert quote == ParsedQuote(1_000_000, 0, 0, 2, 0, 0, 0, 0, False)


@pytest.mark.parametrize("price", ["0", "-1.5"])
def test_a_trade_at_no_price_is_suspect(price: str) -> None:
    trade = parse(f'{{"ev":"T","sym":"A","t":1,"p":{price},"s":1}}'.encode())

    assert isinstance(trade, ParsedTrade)
    assert trade.suspect


def test_a_quote_that_a_tape_flags_is_suspect() -> None:
    quote = parse(b'{"ev":"Q","sym":"A","t":1,"bp":1,"ap":2,"c":9000}')

    assert isinstance(quote, ParsedQuote)
    assert quote.suspect


@pytest.mark.parametrize("code", ["A", "AM", "LULD", "NOI", "FMV", "V"])
def test_known_events_that_are_no_ticks_are_passed_over(code: str) -> None:
    assert parse(f'{{"T":"MSFT","ev":"{code}","t":"whatever"}}'.encode()) is None


def test_a_price_band_in_nanoseconds_is_passed_over() -> None:
    assert parse(sample("massive/luld")) is None


@pytest.mark.parametrize("name", samples("massive/bad_*"))
def test_ugly_bytes_are_refused_with_an_excerpt(name: str) -> None:
    payload = sample(name)

    with pytest.raises(ContractError) as caught:
        parse(payload)

    assert caught.value.record == payload[:200]


@given(st.binary(max_size=80))
def test_no_bytes_raise_anything_but_a_contract_error(payload: bytes) -> None:
    with suppress(ContractError):
        parse(payload)


@given(st.integers(0, 120), st.sampled_from(["trade", "quote"]))
def test_a_truncated_event_is_refused(length: int, name: str) -> None:
    with pytest.raises(ContractError):
        parse(sample(f"massive/{name}")[:length][:-1])


@given(st.decimals(min_value="0.0001", max_value=10**6, places=4), st.integers(1, 10**9))
def test_a_price_is_exact_from_server_to_parser(price: Decimal, size: int) -> None:
    payload = elements.trade("A", format(price, "f"), size, at_ms=1, sequence=1, exchange=4)

    trade = parse(payload)

    assert isinstance(trade, ParsedTrade)
    assert number(trade.price, trade.price_scale) == price
    assert (trade.size, trade.size_scale) == (size, 0)
