"""Whether a shadow decides what live decides, tick by tick."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from hadron.control.facts import LimitsChanged, TradingHalted, TradingResumed
from hadron.fold import Slice
from hadron.market.facts import PriceMarked
from hadron.strategy.facts import DecisionMade
from hadron.topics import key_of
from hadron.whatif.trader import Trader

# Which strategies decided before it on the same tick, and what code it is: not what it decided.
NOT_COMPARED = frozenset({"index", "version"})
_COMPARED = tuple(name for name in DecisionMade.__struct_fields__ if name not in NOT_COMPARED)
KEPT = 1000  # differences that are kept to be shown; all are counted

Place = tuple[str, int, int]  # topic, partition and offset of a tick


class Differing(msgspec.Struct, frozen=True):
    """A tick on which they do not decide the same; None for who said nothing."""

    tick: str  # topic/partition/offset
    instrument: str
    fields: list[str]  # that differ; empty where one said nothing
    live: DecisionMade | None
    shadow: DecisionMade | None


class Counts(msgspec.Struct):
    """Decisions of ticks that both have stepped."""

    live: int = 0
    shadow: int = 0
    equal: int = 0
    differing: int = 0
    only_live: int = 0
    only_shadow: int = 0

    @property
    def agree(self) -> bool:
        """Whether they decided the same wherever either did."""
        return not (self.differing or self.only_live or self.only_shadow)


class _Stepped(msgspec.Struct, frozen=True):
    """A slice that the shadow was stepped by, in one entry of a shard's journal."""

    entry: int
    topic: str
    first: int
    end: int
    facts: Sequence[Any]


class Agreement:
    """Takes what both say, in any order, and compares once live has stepped an entry for certain.

    What both sides' orders are judged by comes from what the shadow was stepped by, so that equal
    decisions make equal profit.
    """

    def __init__(self, strategy: str) -> None:
        self.counts = Counts()
        self.differing: list[Differing] = []
        self.fields: Counter[str] = Counter()  # how often each differs
        self.versions: Counter[str] = Counter()  # of live's decisions that were compared
        self.live = Trader()
        self.shadow = Trader()
        self._strategy = strategy
        self._stepped: dict[int, deque[_Stepped]] = {}
        self._said: dict[tuple[str, int], dict[int, DecisionMade]] = {}  # by live, and not compared
        self._begun: set[tuple[str, int]] = set()
        self._newest: dict[str, int] = {}  # version of what both are judged by, by subject

    def heard(
        self, partition: int, entry: int, slices: Iterable[tuple[Slice, Sequence[Any]]]
    ) -> None:
        """Take what a shadow's shard was stepped by in an entry, and the facts that followed."""
        waiting = self._stepped.setdefault(partition, deque())
        for slice, facts in slices:
            first, last = slice.records[0], slice.records[-1]
            told = [record.fact for record in slice.records] if slice.topic == "control" else facts
            waiting.append(_Stepped(entry, slice.topic, first.offset, last.offset + 1, told))

    def said(self, decision: DecisionMade) -> None:
        """Take a decision of live's."""
        if decision.strategy == self._strategy:
            place = decision.source, decision.partition
            self._said.setdefault(place, {})[decision.offset] = decision

    def settle(self, partition: int, before: int) -> None:
        """Compare what follows from entries of a shard before this one: live has said all of it."""
        waiting = self._stepped.get(partition, deque())
        while waiting and waiting[0].entry < before:
            self._compare(partition, waiting.popleft())

    @property
    def waiting(self) -> int:
        """The shadow's decisions that are not compared yet."""
        return sum(
            isinstance(fact, DecisionMade)
            for stepped in self._stepped.values()
            for one in stepped
            for fact in one.facts
        )

    def _compare(self, partition: int, stepped: _Stepped) -> None:
        if stepped.topic == "control":
            for fact in stepped.facts:
                self.learn(fact)
            return
        here = self._said.get((stepped.topic, partition), {})
        if (stepped.topic, partition) not in self._begun:
            # Of what was before the first tick that it was shown, the shadow has no say.
            self._begun.add((stepped.topic, partition))
            for offset in [offset for offset in here if offset < stepped.first]:
                del here[offset]
        live = {offset: here.pop(offset) for offset in sorted(here) if offset < stepped.end}
        shadow = {one.offset: one for one in stepped.facts if isinstance(one, DecisionMade)}
        marks = {one.offset: one for one in stepped.facts if isinstance(one, PriceMarked)}
        for offset in sorted(live.keys() | shadow.keys() | marks.keys()):
            place = stepped.topic, partition, offset
            self._hold_against(place, live.get(offset), shadow.get(offset))
            if offset in marks:
                self.live.learn(marks[offset])
                self.shadow.learn(marks[offset])

    def learn(self, fact: Any) -> None:
        """Let both be judged by it, unless something newer of its subject is known."""
        if not isinstance(fact, LimitsChanged | TradingHalted | TradingResumed):
            return
        subject = key_of(fact)
        if fact.version > self._newest.get(subject, -1):
            self._newest[subject] = fact.version
            self.live.learn(fact)
            self.shadow.learn(fact)

    def _hold_against(
        self, place: Place, live: DecisionMade | None, shadow: DecisionMade | None
    ) -> None:
        counts = self.counts
        if live is not None:
            counts.live += 1
            self.versions[live.version] += 1
            self.live.decide(live)
        if shadow is not None:
            counts.shadow += 1
            self.shadow.decide(shadow)
        said = live or shadow
        if said is None:
            return
        fields = differing_fields(live, shadow) if live and shadow else []
        counts.only_live += shadow is None
        counts.only_shadow += live is None
        counts.differing += bool(fields)
        if live and shadow and not fields:
            counts.equal += 1
            return
        self.fields.update(fields)
        if len(self.differing) < KEPT:
            tick = f"{place[0]}/{place[1]}/{place[2]}"
            self.differing.append(Differing(tick, said.instrument, fields, live, shadow))


def differing_fields(live: DecisionMade, shadow: DecisionMade) -> list[str]:
    """The fields in which two decisions on one tick are not the same."""
    return [name for name in _COMPARED if getattr(live, name) != getattr(shadow, name)]


def marks_of(prices: Mapping[str, Any]) -> dict[str, PriceMarked]:
    """Prices of instruments (see Book), as marks."""
    return {
        name: PriceMarked("shadow", 0, 0, 0, name, 0, book.bid, book.ask, book.last)
        for name, book in prices.items()
    }
