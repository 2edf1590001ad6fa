"""SimpleSMA: buy when the price rises above its moving average, sell when it falls below."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import msgspec

from hadron.market.alignment import FITS, TENS, fits
from hadron.market.facts import TradePrinted
from hadron.strategy.facts import Side
from hadron.strategy.strategy import Book, Signal, Strategy, check_quantity
from hadron.values import number

if TYPE_CHECKING:
    from hadron.market.bars import Bars
    from hadron.market.panel import Panel
    from hadron.strategy.vectorised import Sides

WINDOW = 5


class SMAParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One basis point is about one decision in 600 to 850 trades of SPY."""

    threshold_bps: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1
    quantity: Decimal = Decimal(100)

    def __post_init__(self) -> None:
        check_quantity(self.quantity)


@dataclass(slots=True)
class SMAState:
    """The last prices, oldest first, all with one scale; their sum; and the side decided last."""

    prices: list[int] = field(default_factory=list)
    total: int = 0
    scale: int = 0
    side: Side | None = None


class SimpleSMA(Strategy):
    """The simple average of the last five trade prices, in exact integers.

    Decides when the price is `threshold_bps` or more away from the average, on the other side than
    at its last decision. Confidence is 0.5 at the threshold and 1 at twice the threshold.
    """

    version = "1"
    orders: ClassVar[Literal["market", "limit"]] = "market"
    panels: ClassVar[Literal[True]] = True
    Parameters = SMAParameters
    State = SMAState

    def __init__(self, parameters: SMAParameters, state: SMAState) -> None:
        self.state = state
        self._threshold_bps = parameters.threshold_bps
        self._quantity = parameters.quantity

    def on_trade(self, trade: TradePrinted, book: Book) -> Signal | None:
        """Take a trade. Prices of 0 or less, or beyond 2**60 steps, are passed over."""
        price = trade.price
        if not 0 < price < FITS:
            return None
        state = self.state
        if trade.price_scale != state.scale:
            more = state.scale - trade.price_scale
            # Most tapes drop zeros at a price's end, so this is met by every other trade.
            finer = price * TENS[more] if 0 < more <= 18 else FITS
            price = finer if finer < FITS else _aligned(state, price, trade.price_scale)
        prices = state.prices
        prices.append(price)
        if len(prices) <= WINDOW:
            state.total += price
            if len(prices) < WINDOW:
                return None
        else:
            state.total += price - prices.pop(0)
        total = state.total
        # All of it times WINDOW and 10,000, so that nothing is divided.
        distance = (WINDOW * price - total) * 10_000
        threshold = self._threshold_bps * total
        if -threshold < distance < threshold:
            return None
        side: Side = "buy" if distance > 0 else "sell"
        if side == state.side:
            return None
        state.side = side
        return self._signal(side, price, distance)

    def signals(self, bars: Bars | Panel) -> Sides:
        """As of `Scannable`."""
        # numpy comes with an extra, which no engine needs.
        from hadron.strategy.vectorised import by_distance, rolling_sums

        if len(bars) < WINDOW:
            return by_distance(bars, bars.close[..., :0], bars.close[..., :0])
        totals = rolling_sums(bars.sums, WINDOW)
        distances = (WINDOW * bars.close[..., WINDOW - 1 :] - totals) * 10_000
        return by_distance(bars, distances, self._threshold_bps * totals)

    def _signal(self, side: Side, price: int, distance: int) -> Signal:
        state = self.state
        confidence = min(5_000 * abs(distance) // (self._threshold_bps * state.total), 10_000)
        average = number(state.total * 2, state.scale + 1)  # a fifth is two tenths
        evidence = {
            "price": str(number(price, state.scale)),
            "sma": str(average),
            "distance_bps": str(number(100 * abs(distance) // state.total, 2)),
        }
        metadata = {"window": str(WINDOW), "threshold_bps": str(self._threshold_bps)}
        return Signal(side, self._quantity, number(confidence, 4), None, evidence, metadata)


def _aligned(state: SMAState, price: int, scale: int) -> int:
    """The price with the scale of the state, which grows to the finest that it met."""
    more = scale - state.scale
    if more < 0 and fits(price, -more):
        return price * int(10**-more)
    if more > 0 and fits(state.total, more):
        state.prices = [known * 10**more for known in state.prices]
        state.total *= 10**more
    else:  # prices so different cannot be held together: begin anew
        state.prices, state.total = [], 0
    state.scale = scale
    return price
