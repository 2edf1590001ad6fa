"""What must hold of the log when a run has ended, whatever went wrong in it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from hadron import topics
from hadron.audit.names import name_of
from hadron.desk.facts import DecisionDismissed, IntentApproved
from hadron.orders.facts import OrderFilled
from hadron.topics import RAW, TICKS
from tests.simulation import market
from tests.simulation.market import PARTITIONS
from tests.simulation.world import World
from tests.support import codec

TICK_TOPICS = tuple(topic.name for topic in TICKS.values())
DERIVED = (*TICK_TOPICS, "decisions", "intents", "orders", "positions", "dead", "alerts")
# Folds of which the log says in which order they stepped what: nothing may differ after a crash.
JOURNALLED = frozenset(vars(topics).get("JOURNAL", ()))
# What is known to go wrong until there is a journal, by the fold that lacks it.
KNOWN = {"desk": "was given twice"}
REPEATED = "repeated: "  # how the desk's dismissal of a second copy begins


class Lying(NamedTuple):
    """A fact where it lies."""

    partition: int
    offset: int
    fact: Any
    value: bytes


def broken(world: World) -> list[str]:
    """One sentence for each law that does not hold; those of the run itself come first."""
    if world.broken:
        return world.broken
    return [*_laws(Facts(world))]


def is_known(problem: str) -> bool:
    """Whether it can only be mended by a journal that is not there yet."""
    return any(
        problem.startswith(process) and what in problem and process not in JOURNALLED
        for process, what in KNOWN.items()
    )


class Facts:
    """What is on the log."""

    def __init__(self, world: World) -> None:
        self.halted = world.schedule.market == market.HALTED
        self.repeated = world.cluster.repeated
        self.raw = [
            (partition, record.offset)
            for partition in range(PARTITIONS)
            for record in world.values(RAW["massive"].name, partition)
        ]
        self.of = {
            topic: [
                Lying(partition, record.offset, codec().decode(record.value), record.value)
                for partition in range(PARTITIONS)
                for record in world.values(topic, partition)
            ]
            for topic in (*DERIVED, "marks")
        }

    def once(self, topic: str) -> list[Lying]:
        """The facts of a topic, each only where it came first."""
        seen = set()
        kept = []
        for lying in self.of[topic]:
            key = (
                (lying.partition, name_of(lying.fact)) if topic == "marks" else name_of(lying.fact)
            )
            if key not in seen:
                seen.add(key)
                kept.append(lying)
        return kept


def _laws(facts: Facts) -> Iterator[str]:
    yield from _names(facts)
    yield from _raw_has_ticks(facts)
    yield from _order(facts)
    yield from _ends(facts)
    yield from _orders(facts)
    yield from _positions(facts)


def _names(facts: Facts) -> Iterator[str]:
    """What is on the log lies there once, unless the producer itself repeated it.

    A mark lies once on every partition. One that a crash left on some only is written to the others
    if the engine comes to it again: without a journal it may learn later that nothing is held.
    """
    for topic in DERIVED:
        counts = Counter(name_of(lying.fact) for lying in facts.of[topic])
        twice = sorted(str(name) for name, count in counts.items() if count > 1)
        if twice and topic not in facts.repeated:
            yield f"{topic} holds {twice} more than once"
    copies = Counter((lying.partition, name_of(lying.fact)) for lying in facts.of["marks"])
    twice = sorted(f"{name} on {where}" for (where, name), count in copies.items() if count > 1)
    if twice and "marks" not in facts.repeated:
        yield f"marks holds {twice} more than once"
    names = {name for _, name in copies}
    everywhere = all(copies[partition, name] for name in names for partition in range(PARTITIONS))
    if not everywhere and "engine" in JOURNALLED:
        yield "a mark is not on every partition"


def _raw_has_ticks(facts: Facts) -> Iterator[str]:
    found = Counter(
        (name.partition, name.offset)
        for topic in (*TICK_TOPICS, "dead")
        for name in (name_of(lying.fact) for lying in facts.once(topic))
    )
    lost = [place for place in facts.raw if not found[place]]
    if lost:
        yield f"raw events {lost} have no tick"
    if sum(found.values()) > len(facts.raw) - len(lost):
        yield "a raw event has two ticks"


def _order(facts: Facts) -> Iterator[str]:
    for topic in TICK_TOPICS:
        newest: dict[str, int] = defaultdict(lambda: -1)
        for lying in facts.once(topic):
            tick = lying.fact
            if tick.raw_offset <= newest[tick.instrument]:
                yield f"{topic}: a tick of {tick.instrument} is out of order"
            newest[tick.instrument] = tick.raw_offset


def _ends(facts: Facts) -> Iterator[str]:
    """Each decision has one end; a second copy of a decision is dismissed."""
    ends: dict[tuple[int, int], list[Any]] = defaultdict(list)
    for lying in facts.once("intents"):
        ends[lying.fact.partition, lying.fact.offset].append(lying.fact)
    seen = set()
    for lying in facts.of["decisions"]:
        found = ends.pop((lying.partition, lying.offset), [])
        if len(found) != 1:
            yield f"the decision {lying.partition}/{lying.offset} has {len(found)} ends"
            continue
        again = isinstance(found[0], DecisionDismissed) and found[0].reason.startswith(REPEATED)
        if again != (name_of(lying.fact) in seen):
            yield f"the decision {lying.partition}/{lying.offset} ended with {found[0]}"
        seen.add(name_of(lying.fact))
        if facts.halted and isinstance(found[0], IntentApproved):
            yield f"the decision {lying.partition}/{lying.offset} was approved while halted"
    if ends:
        yield f"decisions {sorted(ends)} ended and were never made"


def _orders(facts: Facts) -> Iterator[str]:
    """Each approved intent has one order, and no other has any."""
    approved = {
        (lying.partition, lying.offset)
        for lying in facts.of["intents"]
        if isinstance(lying.fact, IntentApproved)
    }
    orders = [(one.fact.partition, one.fact.offset) for one in facts.once("orders")]
    if sorted(orders) != sorted(approved):
        lacking, wrong = sorted(approved - set(orders)), sorted(set(orders) - approved)
        yield f"intents {lacking} have no order, orders {wrong} no approved intent"


def _positions(facts: Facts) -> Iterator[str]:
    """The newest position of each key is the sum of its fills.

    Without a journal a mark may overtake a fill when both are stepped again after a crash; then
    only what fills said is looked at.
    """
    sums: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for lying in facts.once("orders"):
        fill = lying.fact
        if isinstance(fill, OrderFilled):
            change = fill.quantity if fill.side == "buy" else -fill.quantity
            sums[fill.portfolio, fill.strategy, fill.instrument] += change
    newest = {
        (at.portfolio, at.strategy, at.instrument): at.quantity
        for at in (lying.fact for lying in facts.once("positions"))
        if at.source == "orders" or "portfolio" in JOURNALLED
    }
    wrong = sorted(key for key in sums.keys() | newest.keys() if sums[key] != newest.get(key))
    if wrong:
        yield f"positions {wrong} are not the sum of their fills"
