"""The simulated exchange: approved intents in, fills and rejections out, by named models."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from hadron.audit.names import Name
from hadron.backtest.market import Top
from hadron.backtest.models import Models
from hadron.backtest.slippage import Taking
from hadron.backtest.working import Moment, Said, Working
from hadron.desk.facts import IntentApproved
from hadron.market.facts import QuoteChanged, Tick
from hadron.orders.fills import INTENTS, order_id
from hadron.orders.touch import Touch
from hadron.strategy.strategy import IN_ORDER
from hadron.values import number

EXECUTIONS = "executions"
NO_PRICE = "no price known"
NOT_MARKETABLE = "limit not marketable"
EXPIRED = "it worked as long as it was good for"


class Exchange:
    """One exchange for all instruments. Its time is that of the ticks, and never runs backwards.

    What it says at once, as an intent comes in, is named by the intent, as live's gateway does; all
    that comes later is named by its place in the exchange's own row of `executions`. An order that
    is underway arrives before the first tick that is later than it, and meets the book as it was
    then. Orders that are open when the ticks end stay open.
    """

    def __init__(self, models: Models) -> None:
        self.every_tick = models.every_tick  # whether it must see each, even while idle
        self._models = models
        self._tops: dict[str, Top] = {}
        self._underway: list[tuple[int, int, Working]] = []  # by arrival, then as they were sent
        self._working: dict[str, dict[str, Working]] = {}  # by instrument and order
        self._sent = 0
        self._now_ns = 0
        self._executions: Counter[int] = Counter()  # by partition

    @property
    def idle(self) -> bool:
        """Whether no order is open, so that no tick can lead to anything."""
        return not (self._underway or self._working)

    def send(self, intent: IntentApproved, *, partition: int, offset: int) -> list[Said]:
        """Take an intent, and where it lies on `intents`."""
        models, order = self._models, order_id(partition, offset)
        if not models.every_tick:
            self._top(intent.instrument).believe(intent)
        self._now_ns = max(self._now_ns, intent.at_ns)
        due_ns = self._now_ns + models.latency(order)
        until_ns = None if models.good_for_ns is None else due_ns + models.good_for_ns
        working = Working(order, intent, partition, offset, intent.quantity, until_ns)
        if due_ns > self._now_ns:
            self._sent += 1
            heapq.heappush(self._underway, (due_ns, self._sent, working))
            return []
        return list(self._arrive(working, Moment(intent.at_ns, intent.seen_ns, at_once=True)))

    def take(self, tick: Tick) -> list[Said]:
        """Take a tick, before any strategy sees it."""
        if tick.quality not in IN_ORDER:
            return []
        said: list[Said] = []
        while self._underway and self._underway[0][0] < tick.at_ns:
            due_ns, _, working = heapq.heappop(self._underway)
            said += self._arrive(working, Moment(due_ns, tick.seen_ns))
        self._now_ns = max(self._now_ns, tick.at_ns)
        top = self._top(tick.instrument)
        top.take(tick)
        if self._working:
            moment = Moment(self._now_ns, tick.seen_ns)
            said += self._expire(moment)
            for working in list(self._working.get(tick.instrument, {}).values()):
                said += self._match(working, tick, moment)
        return said

    def _top(self, instrument: str) -> Top:
        return self._tops.setdefault(instrument, Top())

    def _arrive(self, working: Working, moment: Moment) -> Iterator[Said]:
        intent = working.intent
        self._working.setdefault(intent.instrument, {})[working.order] = working
        found = self._top(intent.instrument).touch(intent.side)
        if found is None:
            yield self._reject(working, NO_PRICE, moment)
        elif not working.within(found.price):
            yield from self._rest(working, moment)
        else:
            yield from self._take_displayed(working, found, moment)

    def _rest(self, working: Working, moment: Moment) -> Iterator[Said]:
        intent = working.intent
        assert intent.limit_price is not None
        top = self._top(intent.instrument)
        working.resting = self._models.queue(intent.side, intent.limit_price, top)
        if working.resting is None:
            yield self._reject(working, NOT_MARKETABLE, moment)

    def _expire(self, moment: Moment) -> Iterator[Said]:
        open_ = [one for of_one in self._working.values() for one in of_one.values()]
        for working in open_:
            if working.until_ns is not None and working.until_ns < moment.at_ns:
                yield self._reject(working, EXPIRED, moment)

    def _match(self, working: Working, tick: Tick, moment: Moment) -> Iterator[Said]:
        top, sizes = self._top(tick.instrument), self._models.sizes
        if working.resting is not None:
            given = working.resting.given(tick, top)
            if given > 0:
                part = sizes.printed(working.left, given)
                yield self._fill(working, part, Touch(working.resting.limit, "limit"), moment)
        elif isinstance(tick, QuoteChanged):
            found = top.touch(working.intent.side)
            if sizes.on_quotes and found is not None:
                yield from self._take_displayed(working, found, moment)
        elif not sizes.on_quotes and tick.price > 0:
            given = sizes.printed(working.left, number(tick.size, tick.size_scale))
            price = Touch(number(tick.price, tick.price_scale), "last")
            yield from self._take(working, given, price, moment)

    def _take_displayed(self, working: Working, found: Touch, moment: Moment) -> Iterator[Said]:
        intent = working.intent
        top = self._top(intent.instrument)
        given = self._models.sizes.displayed(working.left, top, intent.side)
        if isinstance(given, str):
            yield self._reject(working, given, moment)
            return
        level = top.opposite(intent.side)
        for said in self._take(working, given, found, moment):
            if level is not None and said.liquidity is not None:
                level.taken += said.fact.quantity
            yield said

    def _take(
        self, working: Working, given: Decimal, found: Touch, moment: Moment
    ) -> Iterator[Said]:
        """Trade what is given at a price within the limit; else rest, or end."""
        intent = working.intent
        top = self._top(intent.instrument)
        price = self._models.slippage(Taking(intent.side, given or working.left, found, top))
        if isinstance(price, str):
            yield self._reject(working, price, moment)
        elif not working.within(price.price):
            yield from self._rest(working, moment)
        elif given > 0:
            yield self._fill(working, given, price, moment)

    def _fill(self, working: Working, quantity: Decimal, price: Touch, moment: Moment) -> Said:
        said = working.fill(quantity, price, moment, self._name(working, moment))
        if not working.left:
            self._end(working)
        return said

    def _reject(self, working: Working, reason: str, moment: Moment) -> Said:
        self._end(working)
        return working.reject(reason, moment, self._name(working, moment))

    def _end(self, working: Working) -> None:
        of_instrument = self._working[working.intent.instrument]
        del of_instrument[working.order]
        if not of_instrument:
            del self._working[working.intent.instrument]

    def _name(self, working: Working, moment: Moment) -> Name:
        if moment.at_once:
            working.at_once += 1
            return Name(INTENTS, working.partition, working.offset, working.at_once - 1)
        self._executions[working.partition] += 1
        return Name(EXECUTIONS, working.partition, self._executions[working.partition] - 1, 0)
