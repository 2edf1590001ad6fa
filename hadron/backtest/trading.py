"""From decisions to positions in one process: desk, exchange and portfolio, one after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import count, groupby
from typing import Any

from hadron.backtest.blotter import Blotter
from hadron.backtest.exchange import Exchange
from hadron.backtest.ledger import Ledger
from hadron.backtest.results import Outcome
from hadron.backtest.working import Said
from hadron.desk.desk import Desk
from hadron.desk.facts import IntentApproved
from hadron.fold import Received, Slice
from hadron.market.facts import PriceMarked
from hadron.partitions import partition_of
from hadron.portfolio.facts import PositionChanged
from hadron.portfolio.portfolio import Portfolio
from hadron.strategy.facts import DecisionMade
from hadron.topics import MARKS, partition_key_of, topic_of


class Trading:
    """Gives each fact the place on its topic that it would have had, were nobody else writing.

    What follows from a fact follows at once, before the next tick.
    """

    def __init__(self, exchange: Exchange, ledger: Ledger, *, partitions: int) -> None:
        self.decisions: list[DecisionMade] = []
        self.outcomes: list[Outcome] = []
        self.positions: list[PositionChanged] = []
        self.blotter = Blotter()
        self.exchange = exchange
        self.ledger = ledger
        self._partitions = partitions
        self._desk = Desk()
        self._portfolio = Portfolio()
        self._ends: Counter[tuple[str, int]] = Counter()
        self._marks: list[PriceMarked] = []  # that were not valued yet

    def control(self, fact: Any) -> None:
        """Let the desk know limits, a halt and the like."""
        self.value()
        self._desk.step(Slice("control", 0, [Received(0, fact)]))

    def decide(self, decision: DecisionMade) -> list[PositionChanged]:
        """Judge and send a decision; return the positions that changed with it."""
        self.value()
        self.decisions.append(decision)
        [outcome] = self._desk.step(self._appended(decision))
        self.outcomes.append(outcome)
        intents = self._appended(outcome)
        if not isinstance(outcome, IntentApproved):
            return []
        place = {"partition": intents.partition, "offset": intents.records[0].offset}
        self.blotter.send(outcome, **place)
        return self.settle(self.exchange.send(outcome, **place))

    def settle(self, said: Iterable[Said]) -> list[PositionChanged]:
        """Take what the exchange says; return the positions that changed."""
        self.value()
        changed: list[PositionChanged] = []
        for one in said:
            self.ledger.trade(one)
            self.blotter.take(one)
            orders = self._at("orders", one.fact.portfolio, [one.fact])
            self._desk.step(orders)
            changed += self._stated(orders)
        return changed

    def mark(self, mark: PriceMarked) -> None:
        """Take a mark. It changes nothing that is held, so it may wait for those after it."""
        self._marks.append(mark)

    def value(self) -> None:
        """State what is held at the marks that were taken."""
        marks, self._marks = self._marks, []
        for key, some in groupby(marks, key=partition_key_of):
            slice = self._at(MARKS.name, key, list(some))
            self._desk.step(slice)
            self._stated(slice)

    def _stated(self, slice: Slice) -> list[PositionChanged]:
        changed = list(self._portfolio.step(slice))
        self.positions += changed
        for position in changed:
            self.ledger.state(position)
        return changed

    def _appended(self, fact: Any) -> Slice:
        return self._at(topic_of(fact).name, partition_key_of(fact), [fact])

    def _at(self, topic: str, key: str, facts: Sequence[Any]) -> Slice:
        partition = partition_of(key, self._partitions)
        first = self._ends[topic, partition]
        self._ends[topic, partition] += len(facts)
        return Slice(topic, partition, list(map(Received, count(first), facts)))
