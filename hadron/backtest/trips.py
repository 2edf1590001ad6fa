"""Round trips: the trades that fills make up."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from hadron.backtest.results import Fill, RoundTrip
from hadron.portfolio.money import MONEY_DECIMALS, exactly, share
from hadron.portfolio.positions import Position, filled

ZERO = Decimal(0)
Key = tuple[str, str, str]  # portfolio, strategy, instrument


class _Trip(msgspec.Struct):
    """A position that is open. Notionals are of quantity times price, exact."""

    position: Position
    opened_ns: int
    entered: Decimal = ZERO
    entered_for: Decimal = ZERO
    left_for: Decimal = ZERO
    fees: Decimal = ZERO
    fills: int = 0

    def take(self, fill: Fill, quantity: Decimal, fee: Decimal) -> None:
        """Take a fill, or the part of it that is of this trip."""
        with exactly():
            if fill.side == ("buy" if self._long(fill) else "sell"):
                self.entered += quantity
                self.entered_for += quantity * fill.price
            else:
                self.left_for += quantity * fill.price
            self.fees += fee
        self.position = filled(self.position, side=fill.side, quantity=quantity, price=fill.price)
        self.fills += 1

    def _long(self, fill: Fill) -> bool:
        held = self.position.quantity
        return held > 0 if held else fill.side == "buy"

    def closed(self, fill: Fill) -> RoundTrip:
        """The trip that ended with this fill, which closed it."""
        return RoundTrip(
            portfolio=fill.portfolio,
            strategy=fill.strategy,
            instrument=fill.instrument,
            side="sell" if fill.side == "buy" else "buy",
            quantity=self.entered,
            entry_price=_average(self.entered_for, self.entered),
            exit_price=_average(self.left_for, self.entered),
            opened_ns=self.opened_ns,
            closed_ns=fill.at_ns,
            fills=self.fills,
            profit=self.position.realised,
            fees=self.fees,
        )


def round_trips(fills: Iterable[Fill]) -> list[RoundTrip]:
    """The closed trades of fills that come in their order, by when they were closed."""
    open_: dict[Key, _Trip] = {}
    trips: list[RoundTrip] = []
    for fill in fills:
        key = (fill.portfolio, fill.strategy, fill.instrument)
        trip = open_.get(key) or _Trip(Position(*key), fill.at_ns)
        held = trip.position.quantity
        turns = held * (1 if fill.side == "sell" else -1) > 0 and fill.quantity > abs(held)
        part = abs(held) if turns else fill.quantity
        fee = share(fill.fee, part, fill.quantity) if turns else fill.fee
        trip.take(fill, part, fee)
        open_[key] = trip
        if trip.position.quantity:
            continue
        trips.append(trip.closed(fill))
        del open_[key]
        if turns:
            open_[key] = rest = _Trip(Position(*key), fill.at_ns)
            with exactly():
                rest_quantity, rest_fee = fill.quantity - part, fill.fee - fee
            rest.take(fill, rest_quantity, rest_fee)
    return trips


def _average(total: Decimal, quantity: Decimal) -> Decimal:
    return share(total, Decimal(1), quantity, decimals=MONEY_DECIMALS)
