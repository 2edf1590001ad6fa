"""The only way out of a shadow: topics of its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hadron.partitions import partition_of
from hadron.ports import Codec, FactLog
from hadron.topics import ShadowTopic, key_of, partition_key_of


class ShadowOutbox:
    """Appends to topics of shadows. For another topic there is no type, and no way at run time."""

    def __init__(self, log: FactLog, codec: Codec, *, partitions: int) -> None:
        self._log = log
        self._codec = codec
        self._partitions = partitions

    def append(self, topic: ShadowTopic, facts: Iterable[Any]) -> None:
        """Append facts in order. Raise TypeError for a topic that live has, or a fact of others."""
        if not isinstance(topic, ShadowTopic):
            raise TypeError(f"{topic!r} is no topic of shadows; wanted a ShadowTopic")
        for fact in facts:
            if type(fact) not in topic.facts:
                kinds = ", ".join(kind.__name__ for kind in topic.facts)
                raise TypeError(f"{topic.name}: {type(fact).__name__}; wanted {kinds}")
            partition = partition_of(partition_key_of(fact), self._partitions)
            self._log.append(topic.name, partition, [(key_of(fact), self._codec.encode(fact))])

    def poll(self) -> None:
        """See FactLog."""
        self._log.poll()

    def flush(self) -> None:
        """See FactLog."""
        self._log.flush()
