"""The fold from decisions to verdicts: the one place where orders are born."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hadron.audit.names import Name, name_of
from hadron.control.facts import LimitsChanged, TradingHalted, TradingResumed
from hadron.desk.facts import DecisionDismissed, IntentApproved, IntentRejected
from hadron.desk.intents import (
    Place,
    approved,
    dismissal,
    dismissed,
    judged_price,
    rejected,
)
from hadron.desk.shelf import Shelf
from hadron.fold import Received, Slice
from hadron.market.facts import PriceMarked
from hadron.orders.facts import OrderFilled, OrderRejected
from hadron.orders.parts import OrderPartFilled
from hadron.orders.watermarks import Watermarks
from hadron.risk.book import ended, part_filled, released, reserved
from hadron.risk.limits import Order, RiskState
from hadron.risk.verdict import judge
from hadron.strategy.facts import DecisionMade

Outcome = IntentApproved | IntentRejected | DecisionDismissed
NO_PRICE = "no price known"


class Desk:
    """Says of each decision exactly one of IntentApproved, IntentRejected, DecisionDismissed.

    Reads `decisions`, `orders`, `marks` and `control`. An approved intent has its room reserved
    until its order ends, so that intents in flight cannot breach a limit together. A decision
    that lies twice on the log is dismissed the second time, an order's end is ignored then.

    It may read its own `intents` too. Where decisions, orders and marks met in another order
    before a crash, the verdict on the log may differ from the one that was given again; reading
    it puts the reservations right.
    """

    superseded = 0  # every fact counts

    def __init__(self) -> None:
        self._shelf = Shelf()
        self._seen = Watermarks()
        self.repeated = 0  # order facts that lay on the log before
        self.unreserved = 0  # fills without a reservation, see above

    def step(self, slice: Slice) -> Sequence[Outcome]:
        """Take facts of one partition; only decisions have an outcome."""
        out: list[Outcome] = []
        for received in slice.records:
            if isinstance(received.fact, DecisionMade):
                place = Place(slice.topic, slice.partition, received.offset)
                out.append(self._outcome(received.fact, place))
            else:
                self._learn(received, slice)
        return out

    def snapshot(self) -> Iterable[tuple[str, bytes]]:
        """One part for each holding, price, portfolio's limits and watermark that changed."""
        yield from self._shelf.snapshot()
        yield from self._seen.snapshot()

    def restore(self, parts: Iterable[tuple[str, bytes]]) -> None:
        """Take the parts of a snapshot, in any order."""
        for name, part in parts:
            if name.startswith("seen/"):
                self._seen.restore(part)
            elif part:
                self._shelf.restore(name, part)

    def _outcome(self, decision: DecisionMade, place: Place) -> Outcome:
        if not self._seen.advance(decision):
            return dismissed(decision, place, "repeated: its cause, or a later one, was decided")
        reason = dismissal(decision)
        if reason is not None:
            return dismissed(decision, place, reason)
        price = judged_price(decision, self._shelf.prices.get(decision.instrument))
        if price is None:
            return rejected(decision, place, {}, NO_PRICE)
        book = self._shelf.book(decision.portfolio)
        order = Order(
            decision.strategy, decision.instrument, decision.side, decision.quantity, price
        )
        verdict = judge(order, RiskState(book, self._shelf.halted, self._shelf.prices))
        if verdict.reason is not None:
            return rejected(decision, place, verdict.limits, verdict.reason)
        intent = approved(decision, place, verdict.limits)
        book = reserved(book, intent, price=price)
        self._shelf.put_holding(decision.portfolio, order.key, book)
        return intent

    def _learn(self, received: Received, slice: Slice) -> None:
        match received.fact:
            case PriceMarked() as mark:
                # The dearest, so that it is never too low for the side that is held.
                known = [price for price in (mark.bid, mark.ask, mark.last) if price is not None]
                if known:
                    self._shelf.put_price(mark.instrument, max(known))
            case OrderFilled() | OrderRejected() as order:
                self._end(order)
            case OrderPartFilled() as part:
                self._fill_part(part)
            case LimitsChanged() as limits:
                self._shelf.put_limits(limits)
            case TradingHalted() as halted:
                self._shelf.put_halt(halted)
            case TradingResumed():
                self._shelf.put_halt(None)
            case IntentApproved() as intent:
                self._recall(intent, slice, received.offset)
            case IntentRejected() | DecisionDismissed() as refused:
                self._release(refused)

    def _end(self, order: OrderFilled | OrderRejected) -> None:
        if not self._seen.advance(order):
            self.repeated += 1
            return
        key = (order.strategy, order.instrument)
        book = self._shelf.book(order.portfolio)
        if isinstance(order, OrderFilled):
            holding = book.holdings.get(key)
            self.unreserved += holding is None or order.verdict not in holding.reserved
            self._shelf.put_price(order.instrument, order.price)
        self._shelf.put_holding(order.portfolio, key, ended(book, order))

    def _fill_part(self, part: OrderPartFilled) -> None:
        if not self._seen.advance(part):
            self.repeated += 1
            return
        book = part_filled(self._shelf.book(part.portfolio), part)
        self._shelf.put_price(part.instrument, part.price)
        self._shelf.put_holding(part.portfolio, (part.strategy, part.instrument), book)

    def _recall(self, intent: IntentApproved, slice: Slice, offset: int) -> None:
        key = (intent.strategy, intent.instrument)
        book = self._shelf.book(intent.portfolio)
        holding = book.holdings.get(key)
        if holding is not None and intent.verdict in holding.reserved:
            return
        price = judged_price(intent, self._shelf.prices.get(intent.instrument))
        name = Name(slice.topic, slice.partition, offset, 0)
        # An intent whose order has ended needs no room: the order overtook it on its way here.
        if price is not None and not self._seen.covers(name):
            self._shelf.put_holding(intent.portfolio, key, reserved(book, intent, price=price))

    def _release(self, refused: IntentRejected | DecisionDismissed) -> None:
        verdict = str(name_of(refused))
        key = (refused.strategy, refused.instrument)
        book = self._shelf.book(refused.portfolio)
        if (rest := released(book, key, verdict)) is not book:
            self._shelf.put_holding(refused.portfolio, key, rest)
