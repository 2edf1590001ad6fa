"""Decisions of a replay against the live ones: which are equal, which differ and in what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from hadron.audit.names import Name, name_of
from hadron.strategy.facts import DecisionMade

# Where the tick lay, and how many facts it caused before: chance decides both, not the strategy.
COORDINATES = frozenset({"source", "partition", "offset", "index"})
_COMPARED = tuple(field for field in DecisionMade.__struct_fields__ if field not in COORDINATES)


class Identity(msgspec.Struct, frozen=True, order=True):
    """Which decision it is, in any run: the raw event that led to it, and whose it is."""

    raw_topic: str
    raw_partition: int
    raw_offset: int
    instrument: str
    strategy: str
    ordinal: int  # among the decisions of this strategy from this event


class Change(msgspec.Struct, frozen=True):
    """One field that is not the same."""

    field: str
    live: Any
    replayed: Any


class Different(msgspec.Struct, frozen=True):
    """A decision that both runs made, and not the same."""

    decision: Identity
    changes: list[Change]


class Comparison(msgspec.Struct, frozen=True):
    """Every decision of two runs, sorted by the event that led to it."""

    live: int
    replayed: int
    equal: int
    different: list[Different]
    only_live: list[Identity]
    only_replayed: list[Identity]

    @property
    def holds(self) -> bool:
        """Whether both runs made the same decisions."""
        return not (self.different or self.only_live or self.only_replayed)


def compare(live: Iterable[DecisionMade], replayed: Iterable[DecisionMade]) -> Comparison:
    """Compare all fields but the coordinates. A decision delivered twice counts once."""
    ours, theirs = _identified(live), _identified(replayed)
    both = sorted(ours.keys() & theirs.keys())
    changed = [Different(one, _changes(ours[one], theirs[one])) for one in both]
    different = [one for one in changed if one.changes]
    return Comparison(
        live=len(ours),
        replayed=len(theirs),
        equal=len(both) - len(different),
        different=different,
        only_live=sorted(ours.keys() - theirs.keys()),
        only_replayed=sorted(theirs.keys() - ours.keys()),
    )


def _identified(decisions: Iterable[DecisionMade]) -> Mapping[Identity, DecisionMade]:
    found: dict[Identity, DecisionMade] = {}
    named: set[Name] = set()
    for made in decisions:
        name = name_of(made)
        if name in named:
            continue
        named.add(name)
        identity = Identity(
            made.raw_topic,
            made.raw_partition,
            made.raw_offset,
            made.instrument,
            made.strategy,
            0,
        )
        while identity in found:
            identity = msgspec.structs.replace(identity, ordinal=identity.ordinal + 1)
        found[identity] = made
    return found


def _changes(live: DecisionMade, replayed: DecisionMade) -> list[Change]:
    pairs = ((field, getattr(live, field), getattr(replayed, field)) for field in _COMPARED)
    return [Change(field, before, after) for field, before, after in pairs if before != after]
