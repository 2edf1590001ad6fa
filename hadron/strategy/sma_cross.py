"""SMACross: follow a fast simple average when it crosses a slow one."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import msgspec

from hadron.errors import ContractError
from hadron.market.facts import TradePrinted
from hadron.strategy.facts import Side
from hadron.strategy.strategy import Book, Signal, Strategy, check_quantity

if TYPE_CHECKING:
    from hadron.market.bars import Bars
    from hadron.market.panel import Panel
    from hadron.strategy.vectorised import Sides

LONG_MAX = 2**63 - 1
# The sum of as many as a window may be long still fits 64 bits.
MOST = 2**49


class SMACrossParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The averages' lengths, in trades or bars."""

    fast: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 20
    slow: Annotated[int, msgspec.Meta(ge=2, le=10_000)] = 100
    quantity: Decimal = Decimal(100)

    def __post_init__(self) -> None:
        check_quantity(self.quantity)
        if self.fast >= self.slow:
            raise ValueError(f"fast is {self.fast}; wanted less than slow, which is {self.slow}")


@dataclass(slots=True)
class SMACrossState:
    """The last prices in a ring, all with one scale; how many came; and the side seen last."""

    prices: list[int] = field(default_factory=list)
    count: int = 0
    fast: int = 0  # sums
    slow: int = 0
    scale: int = 0
    side: Side | None = None


class SMACross(Strategy):
    """Simple averages of trade prices, compared as exact integers: nothing is divided.

    Buys at the market when the fast average rises above the slow one, sells when it falls below.
    Silent until `slow` trades were seen; the side that is seen first is where it begins, not a
    crossing. While the averages are equal, the side before holds.
    """

    version = "1"
    orders: ClassVar[Literal["market", "limit"]] = "market"
    panels: ClassVar[Literal[True]] = True
    Parameters = SMACrossParameters
    State = SMACrossState

    def __init__(self, parameters: SMACrossParameters, state: SMACrossState) -> None:
        self.state = state
        self._parameters = parameters

    def on_trade(self, trade: TradePrinted, book: Book) -> Signal | None:
        """Take a trade. Prices of 0 or less, or beyond 2**49 steps, are passed over."""
        if not 0 < trade.price < MOST:
            return None
        state, fast, slow = self.state, self._parameters.fast, self._parameters.slow
        price = trade.price
        if trade.price_scale != state.scale:
            price = _aligned(state, price, trade.price_scale)
        _take(state, price, fast=fast, slow=slow)
        apart = state.fast * slow - state.slow * fast
        if state.count < slow or not apart:
            return None
        side: Side = "buy" if apart > 0 else "sell"
        before, state.side = state.side, side
        return None if before is None or before == side else self._signal(side)

    def signals(self, bars: Bars | Panel) -> Sides:
        """As of `Scannable`. Raise ContractError if sums this long would not fit 64 bits."""
        import numpy as np

        from hadron.strategy.vectorised import by_distance, rolling_sums

        fast, slow = self._parameters.fast, self._parameters.slow
        if len(bars) < slow:
            return by_distance(bars, bars.close[..., :0], bars.close[..., :0])
        if fast * slow * int(bars.high.max()) > LONG_MAX:
            raise ContractError(
                f"fast is {fast} and slow {slow}; with prices up to {bars.high.max()} steps"
                " their sums do not fit 64 bits"
            )
        apart = rolling_sums(bars.sums, fast)[..., slow - fast :] * slow
        apart -= rolling_sums(bars.sums, slow) * fast
        sides = by_distance(bars, apart, 0)
        first = (sides != 0).argmax(-1)
        np.put_along_axis(sides, first[..., None], 0, -1)
        return sides

    def _signal(self, side: Side) -> Signal:
        state, parameters = self.state, self._parameters
        evidence = {
            "fast": repr(state.fast / parameters.fast / 10**state.scale),
            "slow": repr(state.slow / parameters.slow / 10**state.scale),
        }
        metadata = {"fast": str(parameters.fast), "slow": str(parameters.slow)}
        return Signal(side, parameters.quantity, Decimal("0.5"), None, evidence, metadata)


def _take(state: SMACrossState, price: int, *, fast: int, slow: int) -> None:
    """Put a price in the place of the one that is now too old."""
    prices, count = state.prices, state.count
    if count >= fast:
        state.fast -= prices[(count - fast) % slow]
    if count < slow:
        prices.append(price)
    else:
        state.slow -= prices[count % slow]
        prices[count % slow] = price
    state.fast += price
    state.slow += price
    state.count = count + 1


def _aligned(state: SMACrossState, price: int, scale: int) -> int:
    """The price with the scale of the state, which grows to the finest that it met."""
    more = scale - state.scale
    if more < 0 and _fits(price, -more):
        return price * int(10**-more)
    if more > 0 and _fits(max(state.prices, default=0), more):
        state.prices = [known * 10**more for known in state.prices]
        state.fast *= 10**more
        state.slow *= 10**more
    else:  # prices so different cannot be held together: begin anew
        state.prices, state.count, state.fast, state.slow = [], 0, 0, 0
    state.scale = scale
    return price


def _fits(price: int, digits: int) -> bool:
    return digits <= 18 and price * 10**digits < MOST
