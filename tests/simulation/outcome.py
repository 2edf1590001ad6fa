"""What a run came to, without what may differ between two runs of the same market.

How lanes, topics and partitions interleave is not on the log, so offsets behind the first stage,
what the limits saw and when a held instrument was marked may differ; all else is compared byte
for byte. In these markets an instrument stays in its lane, so no tick is superseded.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from hadron.audit.checkpoints import recover
from hadron.desk.facts import DecisionDismissed
from hadron.flow import FOLDS
from tests.simulation.laws import JOURNALLED, REPEATED, TICK_TOPICS, Facts, Lying
from tests.simulation.market import PARTITIONS
from tests.simulation.world import World
from tests.support import codec

Outcome = dict[str, Any]


def outcome(world: World) -> Outcome:
    """Facts by what caused them in the end, and the state that every shard could be restored to."""
    facts = Facts(world)
    found: Outcome = {"raw": facts.raw}
    for topic in TICK_TOPICS:
        for partition in range(PARTITIONS):
            found[f"{topic}/{partition}"] = [
                lying.value for lying in facts.once(topic) if lying.partition == partition
            ]
    found["dead"] = sorted(lying.value for lying in facts.once("dead"))
    found.update(_decided(facts))
    for process in FOLDS:
        for partition in range(PARTITIONS):
            found[f"state.{process}/{partition}"] = dict(_state(world, process, partition))
    return found


def differences(one: Outcome, other: Outcome) -> list[str]:
    """Where two outcomes differ, and how."""
    return [
        f"{key}: {_first(one.get(key), other.get(key))}"
        for key in sorted(one.keys() | other.keys())
        if one.get(key) != other.get(key)
    ]


def _decided(facts: Facts) -> Iterator[tuple[str, Any]]:
    """Decisions by their raw event and strategy; what followed, by its decision."""
    decisions = {
        (lying.partition, lying.offset): (
            f"{lying.fact.raw_topic}/{lying.fact.raw_partition}/{lying.fact.raw_offset}"
            f" {lying.fact.strategy}"
        )
        for lying in facts.of["decisions"]
    }
    for lying in facts.once("decisions"):
        cause = decisions[lying.partition, lying.offset]
        yield f"decision {cause}", _without(lying, "source", "offset")
    intents = {}
    for lying in facts.once("intents"):
        cause = decisions[lying.fact.partition, lying.fact.offset]
        intents[lying.partition, lying.offset] = cause
        refused = isinstance(lying.fact, DecisionDismissed)
        if not (refused and lying.fact.reason.startswith(REPEATED)):
            yield f"intent {cause}", _without(lying, "offset", "verdict", "limits")
    orders = {}
    for lying in facts.once("orders"):
        cause = intents[lying.fact.partition, lying.fact.offset]
        orders[lying.partition, lying.offset] = cause
        yield f"order {cause}", _without(lying, "offset", "order", "verdict")
    for lying in facts.once("positions"):
        if lying.fact.source == "orders":
            cause = orders[lying.fact.partition, lying.fact.offset]
            yield f"position {cause}", _without(lying, "offset", "unrealised", "mark")


def _without(lying: Lying, *fields: str) -> dict[str, Any]:
    kept = msgspec.structs.asdict(lying.fact)
    for name in fields:
        kept.pop(name, None)
    return {"kind": type(lying.fact).__name__, **kept}


def _state(world: World, process: str, partition: int) -> Iterator[tuple[str, Any]]:
    """The parts of the newest checkpoint."""
    taken = [codec().decode(one.value) for one in world.values(f"state.{process}", partition)]
    for name, part in recover(taken).parts.items():
        if process == "engine" and name.startswith("watch/"):
            watch = msgspec.msgpack.decode(part)
            watch.pop("marked_at_ns")
            yield name, watch
        elif name.startswith('["holding"') and "desk" not in JOURNALLED:
            # An order may overtake its decision when both are stepped again: the room that is
            # reserved then stays so.
            position = msgspec.msgpack.decode(part)["position"]
            if position != "0":
                yield name, position
        elif name.startswith("held/") and "portfolio" not in JOURNALLED:
            continue  # see the law of positions
        elif not name.startswith(('["price"', "mark/", "seen/")):
            yield name, part


def _first(one: Any, other: Any) -> str:
    """The first item that differs."""
    match one, other:
        case dict(), dict():
            keys = [key for key in sorted(one.keys() | other.keys())]
            different = next(key for key in keys if one.get(key) != other.get(key))
            return f"{different}: {one.get(different)!r} and not {other.get(different)!r}"
        case list(), list():
            both = enumerate(zip(one, other, strict=False))
            place = next((at for at, (a, b) in both if a != b), min(len(one), len(other)))
            return f"from {place} on, {len(one)} and {len(other)} items"
    return f"{one!r} and not {other!r}"
