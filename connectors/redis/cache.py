"""Cache-aside: what Redis has is answered at once, all else by who knows, and kept for a while."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, Literal, TypeVar

import msgspec

from connectors.redis.store import Store
from hadron import metrics
from hadron.errors import TransientError
from hadron.ports import Telemetry

T = TypeVar("T")
# Apart from the projection: `latest` answers for the one, nobody for the other.
PREFIX = "cache:"


class Answer(msgspec.Struct, Generic[T], frozen=True):
    """A document, and where it was found: hot, kept of an earlier question, or at the source."""

    document: T
    found: Literal["hot", "kept", "database"]


class Cache:
    """A Redis that may be away or hold what cannot be read: then it has nothing.

    It is no source. Documents name their place on the log, by which each can be checked.
    """

    def __init__(self, store: Store, telemetry: Telemetry, *, ttl_s: int) -> None:
        self._store, self._telemetry, self._ttl_s = store, telemetry, ttl_s
        self._away = False

    def answers(
        self, keys: Sequence[str], kind: type[T], ask: Callable[[Sequence[str]], Mapping[str, T]]
    ) -> dict[str, Answer[T]]:
        """What the keys hold, hot ones first; `ask` is asked for those that Redis lacks."""
        found = {key: Answer(one, "hot") for key, one in self._read(keys, kind, "").items()}
        cold = [key for key in keys if key not in found]
        found |= {key: Answer(one, "kept") for key, one in self._read(cold, kind, PREFIX).items()}
        missing = [key for key in cold if key not in found]
        self._count(len(keys) - len(missing), "hit")
        self._count(len(missing), "away" if self._away else "miss")
        if missing:
            asked = ask(missing)
            self._keep(asked)
            found |= {key: Answer(one, "database") for key, one in asked.items()}
        return found

    def _read(self, keys: Sequence[str], kind: type[T], prefix: str) -> dict[str, T]:
        if not keys or self._away:
            return {}
        try:
            values = self._store.get([prefix + key for key in keys])
        except TransientError:
            self._away = True
            return {}
        found: dict[str, T] = {}
        for key in keys:
            try:
                found[key] = msgspec.json.decode(values[prefix + key], type=kind)
            except (KeyError, msgspec.DecodeError):
                continue
        return found

    def _keep(self, asked: Mapping[str, T]) -> None:
        if self._away or not asked:
            return
        expires_ms = time.time_ns() // 1_000_000 + self._ttl_s * 1000
        documents = {PREFIX + k: (msgspec.json.encode(one), expires_ms) for k, one in asked.items()}
        try:
            self._store.put(documents)
        except TransientError:
            self._away = True

    def _count(self, keys: int, result: str) -> None:
        if keys:
            self._telemetry.count(metrics.CACHE_READS, keys, result=result)
