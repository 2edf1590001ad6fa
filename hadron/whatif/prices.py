"""The newest price of each instrument that the facts of one shard tell."""

from __future__ import annotations

from typing import Any

from hadron.market.facts import PriceMarked
from hadron.orders.facts import OrderFilled
from hadron.strategy.facts import DecisionMade


class Prices:
    """By instrument: the newest mark, or what a later decision saw; a fill where neither is."""

    def __init__(self) -> None:
        self.newest: dict[str, PriceMarked] = {}

    def take(self, fact: Any) -> None:
        """Take any fact; most tell no price."""
        match fact:
            case PriceMarked():
                self._put(fact)
            case DecisionMade(bid=bid, ask=ask, last=last):
                self._put(_mark(fact, bid=bid, ask=ask, last=last))
            case OrderFilled(price=price):
                mark = _mark(fact, bid=None, ask=None, last=price)
                self.newest.setdefault(fact.instrument, mark)

    def _put(self, mark: PriceMarked) -> None:
        if mark.bid is mark.ask is mark.last is None:
            return
        known = self.newest.get(mark.instrument)
        if known is None or known.at_ns <= mark.at_ns:
            self.newest[mark.instrument] = mark


def _mark(fact: Any, **prices: Any) -> PriceMarked:
    return PriceMarked(
        fact.source,
        fact.partition,
        fact.offset,
        fact.index,
        instrument=fact.instrument,
        at_ns=fact.at_ns,
        **prices,
    )
