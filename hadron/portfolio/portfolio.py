"""The fold from fills and marks to positions with their profit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

import msgspec

from hadron.fold import Slice
from hadron.market.facts import PriceMarked
from hadron.orders.facts import OrderFilled, OrderRejected
from hadron.orders.parts import OrderPartFilled
from hadron.orders.touch import touch
from hadron.orders.watermarks import Watermarks
from hadron.portfolio.facts import PositionChanged
from hadron.portfolio.money import stated
from hadron.portfolio.positions import Position, filled
from hadron.strategy.facts import Side

_Key = tuple[str, str, str]  # portfolio, strategy, instrument


class _Cause(msgspec.Struct, frozen=True):
    source: str
    partition: int
    offset: int
    at_ns: int


class _Standing(msgspec.Struct, frozen=True):
    """What is stated of a position at any mark: between fills it stays."""

    quantity: Decimal
    average_price: Decimal | None
    realised: Decimal


class Portfolio:
    """Says PositionChanged on each fill, and on each mark of an instrument that is held.

    Long is valued at the bid and short at the ask, else at the last trade. A fill that lies twice
    on the log counts once; `repeated` is how often that was seen.
    """

    superseded = 0  # every fact counts

    def __init__(self) -> None:
        self._positions: dict[_Key, Position] = {}
        self._standing: dict[_Key, _Standing] = {}
        self._held: dict[str, set[_Key]] = {}  # by instrument
        self._marks: dict[str, PriceMarked] = {}  # of held instruments
        self._answered = Watermarks()
        self._changed: set[_Key] = set()
        self._marked: set[str] = set()
        self.repeated = 0

    def step(self, slice: Slice) -> Sequence[PositionChanged]:
        """Take fills, rejections and marks; anything else changes nothing."""
        out: list[PositionChanged] = []
        for received in slice.records:
            fact = received.fact
            match fact:
                case PriceMarked():
                    cause = _Cause(slice.topic, slice.partition, received.offset, fact.at_ns)
                    out.extend(self._mark(fact, cause))
                case OrderFilled() | OrderPartFilled():
                    cause = _Cause(slice.topic, slice.partition, received.offset, fact.at_ns)
                    out.extend(self._fill(fact, cause))
                case OrderRejected():
                    self._first(fact)
        return out

    def snapshot(self) -> Iterable[tuple[str, bytes]]:
        """One part for each position, each mark and each watermark that changed."""
        changed, self._changed = sorted(self._changed), set()
        for key in changed:
            yield _part(key), msgspec.msgpack.encode(self._positions[key])
        marked, self._marked = sorted(self._marked), set()
        for instrument in marked:
            mark = self._marks.get(instrument)
            yield f"mark/{instrument}", b"" if mark is None else msgspec.msgpack.encode(mark)
        yield from self._answered.snapshot()

    def restore(self, parts: Iterable[tuple[str, bytes]]) -> None:
        """Take the parts of a snapshot, in any order."""
        for name, part in parts:
            match name.partition("/")[0], part:
                case _, b"":
                    pass
                case "position", _:
                    self._keep(msgspec.msgpack.decode(part, type=Position))
                case "mark", _:
                    mark = msgspec.msgpack.decode(part, type=PriceMarked)
                    self._marks[mark.instrument] = mark
                case "seen", _:
                    self._answered.restore(part)

    def _fill(self, fact: OrderFilled | OrderPartFilled, cause: _Cause) -> list[PositionChanged]:
        if not self._first(fact):
            return []
        key = (fact.portfolio, fact.strategy, fact.instrument)
        before = self._positions.get(key) or Position(*key)
        after = filled(before, side=fact.side, quantity=fact.quantity, price=fact.price)
        self._keep(after)
        self._changed.add(key)
        if not after.quantity:
            self._release(after)
        return [self._stated(after, cause, 0)]

    def _mark(self, fact: PriceMarked, cause: _Cause) -> list[PositionChanged]:
        held = self._held.get(fact.instrument)
        if not held:
            return []
        self._marks[fact.instrument] = fact
        self._marked.add(fact.instrument)
        # Sorted, because the order in which positions were opened is lost in a snapshot.
        return [
            self._stated(self._positions[key], cause, index)
            for index, key in enumerate(sorted(held))
        ]

    def _first(self, fact: OrderFilled | OrderPartFilled | OrderRejected) -> bool:
        first = self._answered.advance(fact)
        self.repeated += not first
        return first

    def _keep(self, position: Position) -> None:
        key = (position.portfolio, position.strategy, position.instrument)
        self._positions[key] = position
        self._standing[key] = _standing(position)
        if position.quantity:
            self._held.setdefault(position.instrument, set()).add(key)

    def _release(self, position: Position) -> None:
        """Forget the mark with the last position: it must not value one that is opened later."""
        held = self._held[position.instrument]
        held.discard((position.portfolio, position.strategy, position.instrument))
        if not held:
            del self._held[position.instrument]
            if self._marks.pop(position.instrument, None):
                self._marked.add(position.instrument)

    def _stated(self, position: Position, cause: _Cause, index: int) -> PositionChanged:
        mark = self._mark_of(position)
        unrealised = position.unrealised(mark)
        standing = self._standing[position.portfolio, position.strategy, position.instrument]
        return PositionChanged(
            source=cause.source,
            partition=cause.partition,
            offset=cause.offset,
            index=index,
            portfolio=position.portfolio,
            strategy=position.strategy,
            instrument=position.instrument,
            at_ns=cause.at_ns,
            quantity=standing.quantity,
            average_price=standing.average_price,
            realised=standing.realised,
            unrealised=None if unrealised is None else stated(unrealised),
            mark=mark,
        )

    def _mark_of(self, position: Position) -> Decimal | None:
        fact = self._marks.get(position.instrument)
        if fact is None or not position.quantity:
            return None
        closing: Side = "sell" if position.quantity > 0 else "buy"
        found = touch(closing, bid=fact.bid, ask=fact.ask, last=fact.last)
        return None if found is None else found.price


def _standing(position: Position) -> _Standing:
    average = position.average_price
    return _Standing(
        quantity=stated(position.quantity, decimals=18),
        average_price=None if average is None else stated(average),
        realised=stated(position.realised),
    )


def _part(key: _Key) -> str:
    return "position/" + msgspec.json.encode(key).decode()
