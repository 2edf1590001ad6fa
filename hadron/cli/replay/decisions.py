"""Reads the decisions of a run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hadron.ports import Codec, FactLog
from hadron.strategy.facts import DecisionMade
from hadron.topics import DECISIONS, Names

if TYPE_CHECKING:
    from confluent_kafka.admin import AdminClient

# A decision is stamped after its raw event, but by another machine's clock.
CLOCKS_APART_MS = 60_000


class Decisions:
    """The decisions on the log, of the live run or of a replay."""

    def __init__(self, admin: AdminClient, log: FactLog, codec: Codec, *, partitions: int) -> None:
        self._admin = admin
        self._log = log
        self._codec = codec
        self._partitions = range(partitions)

    def since(self, names: Names, received_ms: int) -> Iterator[DecisionMade]:
        """All that follow from raw events received at this time or later, and some before them."""
        from connectors.kafka.inspection import stamped_after

        topic = names.write(DECISIONS.name)
        places = [(topic, partition) for partition in self._partitions]
        ends = self._log.ends(places)
        first = stamped_after(self._admin, places, max(0, received_ms - CLOCKS_APART_MS))
        for place, start in first.items():
            for record in self._log.read(*place, start=start, end=ends[place]):
                if record.value is not None:
                    yield self._codec.decode(record.value)
