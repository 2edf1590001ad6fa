"""The newest of many facts, by the keys that Redis is to have."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from connectors.redis.documents import Place, document_of, key_of
from hadron.portfolio.facts import PositionChanged

Order = tuple[Any, ...]


class Entry(msgspec.Struct, frozen=True):
    """What one key is to hold, and until when."""

    order: Order
    partition: int
    expires_ms: int
    document: bytes


class Hot:
    """A fold of the log: whatever comes in whatever slices and order, the same keys come out.

    Of ticks the latest by the venue's time counts, of positions the last on the log. A key lives
    `ttl_ms` from the time at which its fact was appended, so that one made anew dies as the old.
    """

    def __init__(self, ttl_ms: int) -> None:
        self.entries: dict[str, Entry] = {}
        self.changed: set[str] = set()  # keys that are not in Redis yet, or must go
        self._ttl_ms = ttl_ms

    def take(self, fact: Any, place: Place, stamped_ms: int) -> None:
        """Add a fact with the time of its append; those of other kinds are passed over."""
        key = key_of(fact)
        if key is None:
            return
        order, known = _order(fact, place), self.entries.get(key)
        if known is None or known.order < order:
            document = msgspec.json.encode(document_of(fact, place))
            self.entries[key] = Entry(order, place[1], stamped_ms + self._ttl_ms, document)
            self.changed.add(key)

    def forget(self, partitions: Iterable[int]) -> None:
        """Forget keys of partitions that others look after now."""
        gone = set(partitions)
        self._drop(lambda entry: entry.partition in gone)

    def forget_expired(self, now_ms: int) -> None:
        """Forget keys that Redis has forgotten."""
        self._drop(lambda entry: entry.expires_ms <= now_ms)

    def _drop(self, condition: Callable[[Entry], bool]) -> None:
        for key in [key for key, entry in self.entries.items() if condition(entry)]:
            del self.entries[key]
            self.changed.discard(key)


def is_newest(fact: Any) -> bool:
    """Whether facts of its key before it on the log say nothing about now."""
    return getattr(fact, "quality", "live") not in ("suspect", "late")


def _order(fact: Any, place: Place) -> Order:
    topic, _, offset = place
    if isinstance(fact, PositionChanged):
        return (offset,)
    # Lanes of one instrument come in any order; at one time, the venue's own order decides.
    return (fact.at_ns, fact.raw_offset, topic, offset)
