"""What a backtest found: the facts that live would have written, and what the money did.

Whoever reports on a backtest, or searches over many, builds on `Result` alone. Money, prices and
quantities are exact Decimals and all times are nanoseconds since the epoch, UTC; floats begin where
statistics do, outside of here. `round_trips` in `hadron.backtest.trips` makes trades of fills.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

import msgspec

from hadron.audit.facts import AlertRaised
from hadron.desk.facts import DecisionDismissed, IntentApproved, IntentRejected, OrderType
from hadron.portfolio.facts import PositionChanged
from hadron.strategy.facts import DecisionMade, Side

Outcome = IntentApproved | IntentRejected | DecisionDismissed
# taker   took what the book showed; maker   rested in the book until somebody traded with it
Liquidity = Literal["taker", "maker"]
# open   neither filled nor ended when the data did
Ending = Literal["filled", "rejected", "open"]


class Fill(msgspec.Struct, frozen=True):
    """A part of an order, or all of it, traded at one price."""

    order: str
    portfolio: str
    strategy: str
    instrument: str
    venue: str
    at_ns: int  # of the event that it traded at
    side: Side
    quantity: Decimal
    price: Decimal
    price_from: str  # which real price it is, and what a model added: "ask", "bid", "last", ...
    liquidity: Liquidity
    fee: Decimal  # in the currency of the price; below zero is a rebate


class Order(msgspec.Struct, frozen=True):
    """An approved intent at the exchange, as it stood when the data ended."""

    order: str
    verdict: str  # names the decision; the same as of the intent
    portfolio: str
    strategy: str
    instrument: str
    venue: str
    side: Side
    quantity: Decimal
    order_type: OrderType
    limit_price: Decimal | None
    sent_ns: int  # of the tick that led to it
    ended_ns: int | None  # None while it is open
    filled: Decimal
    average_price: Decimal | None  # of what was filled, rounded at 8 decimals; None if nothing was
    ending: Ending
    reason: str | None  # why it was rejected, or its rest cancelled


class EquityPoint(msgspec.Struct, frozen=True):
    """What one portfolio was worth: cash and positions at their marks, after fees.

    There is a point at each fill and at each mark of what is held, but only the last of each
    `equity_every_ns` of the run, and none before the first fill: until then it is the capital.
    """

    at_ns: int
    portfolio: str
    equity: Decimal  # capital + realised + unrealised - fees
    realised: Decimal  # since the beginning, before fees
    unrealised: Decimal  # 0 for a position that no price is known of yet
    fees: Decimal  # since the beginning
    gross: Decimal  # sum of |quantity| * mark over positions: what is exposed
    net: Decimal  # sum of quantity * mark


class RoundTrip(msgspec.Struct, frozen=True):
    """A position of one strategy in one instrument, from flat until it is flat again or turns.

    A fill that turns it belongs to both trips, its fee by its share.
    """

    portfolio: str
    strategy: str
    instrument: str
    side: Side  # "buy" for a long one
    quantity: Decimal  # all that it was entered with
    entry_price: Decimal  # averages, rounded at 8 decimals
    exit_price: Decimal
    opened_ns: int
    closed_ns: int
    fills: int
    profit: Decimal  # before fees, exact but for what average cost rounds at 18 decimals
    fees: Decimal

    @property
    def net(self) -> Decimal:
        """The profit after fees."""
        return self.profit - self.fees


class Counts(msgspec.Struct, frozen=True):
    """How much went through."""

    raw: int  # events that were normalized; 0 where the source has ticks
    ticks: int
    superseded: int  # ticks that were older than one already applied
    poisoned: int  # records that could not be read, and strategies that raised


class Run(msgspec.Struct, frozen=True):
    """What was asked for, by which it can be run again."""

    source: str  # in words: "tape /data 20131008 SPY"
    strategies: dict[str, str]  # name to version
    models: dict[str, str]  # "fees": "per-share:0.005"
    capital: Decimal  # of each portfolio
    equity_every_ns: int
    begin_ns: int | None  # times of the first and the last tick; None where there was none
    end_ns: int | None


class Result(msgspec.Struct, frozen=True):
    """All of a backtest, in the order in which it happened.

    `decisions` are byte for byte what live would have put on the log. `sha256` is of their encoded
    bytes, each after its length in eight bytes. `positions` are stated at each fill and mark, as
    live states them: before fees.
    """

    run: Run
    counts: Counts
    sha256: str
    decisions: Sequence[DecisionMade]
    outcomes: Sequence[Outcome]
    orders: Sequence[Order]
    fills: Sequence[Fill]
    positions: Sequence[PositionChanged]
    equity: Sequence[EquityPoint]
    trades: Sequence[RoundTrip]  # that are closed
    alerts: Sequence[AlertRaised] = ()  # strategies that raised and were asked no more
