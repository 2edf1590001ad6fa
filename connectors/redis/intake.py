"""Folds messages of Kafka into what is hot."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from typing import Any

from confluent_kafka import Message

from connectors.redis.hot import Hot, is_newest
from hadron import metrics
from hadron.errors import ContractError
from hadron.ports import Codec, Telemetry

# Messages of one partition, key and contract.
Alike = tuple[str, int, bytes, bytes]


class Intake:
    """Decodes from the newest of each key on, until none before it counts."""

    def __init__(self, hot: Hot, *, codec: Codec, telemetry: Telemetry) -> None:
        self.hot = hot
        self._codec, self._telemetry = codec, telemetry

    def take(
        self, messages: Iterable[Message], passed_over: Set[Alike] = frozenset()
    ) -> set[Alike]:
        """Take messages in the order of their partitions, but for those passed over.

        Return of which alike ones no older message counts any more.
        """
        alike: dict[Alike, list[Message]] = {}
        for message in messages:
            value = message.value()
            if value is None:
                continue  # a tombstone: its key dies by itself
            name = (message.topic(), message.partition(), message.key(), value[:5])
            if name not in passed_over:
                alike.setdefault(name, []).append(message)
        return {name for name, found in alike.items() if self._take_newest(found)}

    def _take_newest(self, messages: Sequence[Message]) -> bool:
        """Whether older ones do not count."""
        for message in reversed(messages):
            fact = self._decoded(message.value())
            place = (message.topic(), message.partition(), message.offset())
            self.hot.take(fact, place, message.timestamp()[1])
            if fact is not None and is_newest(fact):
                return True
        return False

    def _decoded(self, value: bytes) -> Any:
        try:
            return self._codec.decode(value)
        except ContractError:
            # The archive keeps its bytes; here it only is no price.
            self._telemetry.count(metrics.POISONED, process="latest")
            return None
