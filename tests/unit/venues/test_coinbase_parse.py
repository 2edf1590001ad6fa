"""Coinbase's trades and tickers: exact prices and times, ugly bytes refused."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hadron.errors import ContractError
from hadron.venues.coinbase.parse import nanoseconds, parse
from hadron.venues.parsed import ParsedQuote, ParsedTrade

TRADE = (
    b'{"trade_id":"995098700","product_id":"BTC-USD","price":"68900.50","size":"0.00150000",'
    b'"side":"BUY","time":"2026-04-07T14:30:02.789012Z"}'
)
TICKER = (
    b'{"type":"ticker","product_id":"BTC-USD","price":"68900.50","best_bid":"68900.0",'
    b'"best_bid_quantity":"1.50000000","best_ask":"68901.00","best_ask_quantity":"0.5"}'
)


def test_a_trade_is_read_exactly() -> None:
    assert parse(TRADE) == ParsedTrade(
        1775572202789012000, 995098700, 6890050, 2, 150000, 8, (), False
    )


def test_a_ticker_is_a_quote_without_a_time_of_its_own() -> None:
    assert parse(TICKER) == ParsedQuote(0, 0, 6890000, 6890100, 2, 150000000, 50000000, 8, False)


@pytest.mark.parametrize("missing", [b'"0"', b'""', b'"0.00000000"'])
def test_a_side_without_a_price_is_missing(missing: bytes) -> None:
    quote = parse(TICKER.replace(b'"68900.0"', missing))

    assert isinstance(quote, ParsedQuote)
    assert (quote.bid, quote.bid_size, quote.ask) == (0, 0, 6890100)


def test_a_ticker_without_best_prices_is_no_tick() -> None:
    assert parse(b'{"type":"ticker","product_id":"BTC-USD","price":"1"}') is None


def test_a_crossed_ticker_is_suspect() -> None:
    quote = parse(TICKER.replace(b"68901.00", b"68899.00"))

    assert isinstance(quote, ParsedQuote)
    assert quote.suspect


def test_a_trade_of_nothing_is_suspect() -> None:
    trade = parse(TRADE.replace(b"0.00150000", b"0.00000000"))

    assert isinstance(trade, ParsedTrade)
    assert trade.suspect


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        TRADE[:-5],
        TRADE.replace(b'"995098700"', b'"abc"'),
        TRADE.replace(b'"995098700"', b'"-1"'),
        TRADE.replace(b'"995098700"', b"7"),
        TRADE.replace(b'"68900.50"', b"68900.50"),
        TRADE.replace(b"68900.50", b"68_900"),
        TRADE.replace(b"68900.50", b"1e-99"),
        TRADE.replace(b"02.789012Z", b"02.789012"),
        TRADE.replace(b'"size":"0.00150000",', b""),
        TRADE.replace(b"BTC-USD", b"\xff"),
        TICKER.replace(b'"type":"ticker"', b'"type":"match"'),
    ],
)
def test_ugly_bytes_are_refused_with_an_excerpt(payload: bytes) -> None:
    with pytest.raises(ContractError) as caught:
        parse(payload)

    assert caught.value.record == payload[:200]


@given(st.binary(max_size=80))
def test_no_bytes_raise_anything_but_a_contract_error(payload: bytes) -> None:
    with suppress(ContractError):
        parse(payload)


@given(
    st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)),  # noqa: DTZ001
    st.integers(0, 9),
    st.integers(0, 999_999_999),
)
def test_a_time_is_exact_to_the_nanosecond(at: datetime, digits: int, fraction_ns: int) -> None:
    whole = at.replace(microsecond=0)
    fraction = f"{fraction_ns:09d}"[:digits]
    text = whole.isoformat() + (f".{fraction}" if fraction else "") + "Z"

    seconds = int(whole.replace(tzinfo=UTC).timestamp())
    assert nanoseconds(text) == seconds * 10**9 + int(fraction.ljust(9, "0") or 0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-04-07",
        "2026-04-07T14:30:02",
        "2026-04-07T14:30:02.Z",
        "2026-04-07T14:30:02.1234567890Z",
        "2026-04-07T14:30:02+00:00",
        "2026-04-07 14:30:02Z",
        "2026-13-07T14:30:02Z",
        "1969-12-31T23:59:59Z",
        "2026-04-07T14:30:02.٣Z",
    ],
)
def test_another_way_to_write_a_time_is_refused(text: str) -> None:
    with pytest.raises(ContractError):
        nanoseconds(text)
