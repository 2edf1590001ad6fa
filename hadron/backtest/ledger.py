"""What each portfolio is worth, fill by fill and mark by mark."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import msgspec

from hadron.backtest.fees import Fees, Traded
from hadron.backtest.results import EquityPoint, Fill
from hadron.backtest.working import Said
from hadron.orders.facts import OrderRejected
from hadron.portfolio.facts import PositionChanged
from hadron.portfolio.money import exactly

ZERO = Decimal(0)
DAY_NS = 86_400_000_000_000
_EPOCH = date(1970, 1, 1)


class _Worth(msgspec.Struct, frozen=True):
    """What one position adds to its portfolio."""

    realised: Decimal = ZERO
    unrealised: Decimal = ZERO
    value: Decimal = ZERO  # below zero is short


NOTHING = _Worth()


class _Account(msgspec.Struct):
    """One portfolio: sums over its positions, and what it paid."""

    worth: dict[tuple[str, str], _Worth]
    realised: Decimal = ZERO
    unrealised: Decimal = ZERO
    gross: Decimal = ZERO
    net: Decimal = ZERO
    fees: Decimal = ZERO
    month: tuple[int, int] = (0, 0)
    traded: Decimal = ZERO  # in that month

    def put(self, key: tuple[str, str], new: _Worth) -> None:
        """Replace what a position adds. To be called `exactly`."""
        old = self.worth.get(key, NOTHING)
        self.worth[key] = new
        self.realised += new.realised - old.realised
        self.unrealised += new.unrealised - old.unrealised
        self.net += new.value - old.value
        self.gross += abs(new.value) - abs(old.value)


class Ledger:
    """Charges fees and draws the curve of equity; see EquityPoint."""

    def __init__(self, fees: Fees, *, capital: Decimal, every_ns: int) -> None:
        self.fills: list[Fill] = []
        self.equity: list[EquityPoint] = []
        self._fees = fees
        self._capital = capital
        self._every_ns = every_ns
        self._accounts: dict[str, _Account] = {}
        self._newest: dict[str, int] = {}  # place of the last point, by portfolio

    def trade(self, said: Said) -> None:
        """Take a fill, before the position that follows from it. A rejection changes nothing."""
        fact = said.fact
        if isinstance(fact, OrderRejected) or said.liquidity is None:
            return
        account = self._account(fact.portfolio)
        at = _EPOCH + timedelta(days=fact.at_ns // DAY_NS)
        if account.month != (at.year, at.month):
            account.month, account.traded = (at.year, at.month), ZERO
        fee = self._fees(Traded(fact.quantity, fact.price, said.liquidity, account.traded))
        with exactly():
            account.fees += fee
            account.traded += fact.quantity * fact.price
        self.fills.append(
            Fill(
                order=fact.order,
                portfolio=fact.portfolio,
                strategy=fact.strategy,
                instrument=fact.instrument,
                venue=fact.venue,
                at_ns=fact.at_ns,
                side=fact.side,
                quantity=fact.quantity,
                price=fact.price,
                price_from=fact.price_from,
                liquidity=said.liquidity,
                fee=fee,
            )
        )

    def state(self, position: PositionChanged) -> None:
        """Take a position that was stated, and draw a point."""
        account = self._account(position.portfolio)
        price = position.mark if position.mark is not None else position.average_price
        with exactly():
            value = position.quantity * (price or ZERO)
            worth = _Worth(position.realised, position.unrealised or ZERO, value)
            account.put((position.strategy, position.instrument), worth)
            self._draw(position.portfolio, account, position.at_ns)

    def _account(self, portfolio: str) -> _Account:
        account = self._accounts.get(portfolio)
        if account is None:
            account = self._accounts[portfolio] = _Account({})
        return account

    def _draw(self, portfolio: str, account: _Account, at_ns: int) -> None:
        equity = self._capital + account.realised + account.unrealised - account.fees
        point = EquityPoint(
            at_ns=at_ns,
            portfolio=portfolio,
            equity=equity,
            realised=account.realised,
            unrealised=account.unrealised,
            fees=account.fees,
            gross=account.gross,
            net=account.net,
        )
        place = self._newest.get(portfolio)
        if place is not None and self._same_span(self.equity[place].at_ns, at_ns):
            self.equity[place] = point
        else:
            self._newest[portfolio] = len(self.equity)
            self.equity.append(point)

    def _same_span(self, one_ns: int, other_ns: int) -> bool:
        return one_ns // self._every_ns == other_ns // self._every_ns
