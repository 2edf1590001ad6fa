"""The last real prices of one instrument."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from hadron.market.facts import QuoteChanged, TradePrinted
from hadron.values import number


@dataclass(slots=True)
class LastPrices:
    """A `Book`, with what the engine needs to keep it. A mantissa of 0 means that none is known."""

    bid_mantissa: int = 0
    bid_scale: int = 0
    ask_mantissa: int = 0
    ask_scale: int = 0
    last_mantissa: int = 0
    last_scale: int = 0

    @property
    def bid(self) -> Decimal | None:
        return number(self.bid_mantissa, self.bid_scale) if self.bid_mantissa else None

    @property
    def ask(self) -> Decimal | None:
        return number(self.ask_mantissa, self.ask_scale) if self.ask_mantissa else None

    @property
    def last(self) -> Decimal | None:
        return number(self.last_mantissa, self.last_scale) if self.last_mantissa else None

    @property
    def known(self) -> bool:
        """Whether there is any price."""
        return bool(self.bid_mantissa or self.ask_mantissa or self.last_mantissa)

    def take_trade(self, trade: TradePrinted) -> None:
        """The price of the trade is the last."""
        if trade.price > 0:
            self.last_mantissa = trade.price
            self.last_scale = trade.price_scale

    def take_quote(self, quote: QuoteChanged) -> None:
        """A side that the quote does not show keeps its last price."""
        if quote.bid > 0:
            self.bid_mantissa = quote.bid
            self.bid_scale = quote.price_scale
        if quote.ask > 0:
            self.ask_mantissa = quote.ask
            self.ask_scale = quote.price_scale
