"""Control facts on the log: what holds now, and a change written to every partition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from hadron.control.facts import ControlFact
from hadron.ports import Codec, FactLog
from hadron.topics import key_of

Newest = Mapping[str, ControlFact]
C = TypeVar("C", bound=ControlFact)


class Control:
    """The control topic, by its name on the log and its number of partitions."""

    def __init__(self, log: FactLog, codec: Codec, *, topic: str, partitions: int) -> None:
        self._log = log
        self._codec = codec
        self._topic = topic
        self._partitions = range(partitions)

    def newest(self) -> Newest:
        """The fact that holds for each subject: the one of the highest version anywhere."""
        found: dict[str, ControlFact] = {}
        for here in self.by_partition():
            for subject, fact in here.items():
                if subject not in found or fact.version > found[subject].version:
                    found[subject] = fact
        return found

    def by_partition(self) -> list[Newest]:
        """What each partition says last of each subject."""
        places = [(self._topic, partition) for partition in self._partitions]
        starts, ends = self._log.starts(places), self._log.ends(places)
        found: list[Newest] = []
        for place in places:
            here: dict[str, ControlFact] = {}
            for record in self._log.read(*place, start=starts[place], end=ends[place]):
                if record.value is not None:
                    fact: ControlFact = self._codec.decode(record.value)
                    here[key_of(fact)] = fact
            found.append(here)
        return found

    def append(self, fact: C) -> C:
        """Write a change to every partition, with the version after its subject's newest.

        Return it as written, once all of Kafka has it.
        """
        before = self.newest().get(key_of(fact))
        version = before.version + 1 if before else 1
        numbered = msgspec.structs.replace(fact, version=version)
        self.write(numbered)
        return numbered

    def write(self, *facts: Any) -> None:
        """Write facts as they are to every partition."""
        for fact in facts:
            pair = (key_of(fact), self._codec.encode(fact))
            for partition in self._partitions:
                self._log.append(
                    self._topic, partition, [pair], timestamp_ms=fact.at_ns // 1_000_000
                )
        self._log.flush()
