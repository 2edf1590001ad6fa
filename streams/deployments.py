"""Puts on the log what the strategies of an engine are made of, once they are configured."""

from __future__ import annotations

from hadron.partitions import partition_of
from hadron.ports import Appending, Codec
from hadron.strategy.engine import Engine
from hadron.topics import STRATEGIES, Names, key_of


class Deployments:
    """Says each version once: what the log has already is not said again.

    Its topic is compacted by version, so two processes that say the same at once do no harm.
    """

    def __init__(self, log: Appending, codec: Codec, *, names: Names, partitions: int) -> None:
        """Blocks while it reads what the log has."""
        self._log = log
        self._codec = codec
        self._topic = names.write(STRATEGIES.name)
        self._partitions = partitions
        self._said = self._on_log()

    def say_of(self, engine: Engine) -> None:
        """Append what is not on the log. If that fails, the next process says it."""
        for fact in engine.deployed():
            if fact.version not in self._said:
                self._said.add(fact.version)
                key = key_of(fact)
                partition = partition_of(key, self._partitions)
                self._log.append(self._topic, partition, [(key, self._codec.encode(fact))])

    def _on_log(self) -> set[str]:
        places = [(self._topic, partition) for partition in range(self._partitions)]
        starts, ends = self._log.starts(places), self._log.ends(places)
        return {
            (record.key or b"").decode()
            for place in places
            if starts[place] < ends[place]
            for record in self._log.read(*place, start=starts[place], end=ends[place])
        }
