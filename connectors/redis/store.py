"""A Redis, with its errors turned into ours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from hadron.errors import SettingsError, TransientError
from hadron.settings import Settings
from hadron.variables import variable

_AT_ONCE = 1_000
# An empty document stands for no key: no document of ours is empty.
_REPLACE = """
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
if ARGV[2] == '' then return redis.call('DEL', KEYS[1]) end
return redis.call('SET', KEYS[1], ARGV[2], 'PXAT', ARGV[3])
"""


class Store:
    """Documents by key. All methods raise TransientError if Redis does not answer in 2 s."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(
            url,
            socket_timeout=2,
            socket_connect_timeout=2,
            retry=Retry(NoBackoff(), 0),  # whoever asks tries again, and knows better when
        )

    def put(self, documents: Mapping[str, tuple[bytes, int]]) -> None:
        """Write each document with the time, in ms since the epoch, at which it expires."""
        for keys in _cut(list(documents)):
            with _our_errors():
                pipeline: Any = self._client.pipeline(transaction=False)
                for key in keys:
                    document, expires_ms = documents[key]
                    pipeline.set(key, document, pxat=expires_ms)
                pipeline.execute()

    def get(self, keys: Sequence[str]) -> dict[str, bytes]:
        """The documents of those keys that are there."""
        found: dict[str, bytes] = {}
        for some in _cut(keys):
            with _our_errors():
                values: Any = self._client.mget(some)
            found |= {k: v for k, v in zip(some, values, strict=True) if v is not None}
        return found

    def replace(
        self,
        known: Mapping[str, bytes],
        wanted: Mapping[str, tuple[bytes, int]],
        *,
        gone: Iterable[str],
    ) -> None:
        """As `put`, and delete keys, but only where a key still holds what was `known` of it."""
        replace = self._client.register_script(_REPLACE)
        changes = [*wanted.items(), *((key, (b"", 0)) for key in gone)]
        for first in range(0, len(changes), _AT_ONCE):
            with _our_errors():
                pipeline: Any = self._client.pipeline(transaction=False)
                for key, (document, expires_ms) in changes[first : first + _AT_ONCE]:
                    old = known.get(key, b"")
                    replace(keys=[key], args=[old, document, expires_ms], client=pipeline)
                pipeline.execute()

    def delete(self, keys: Iterable[str]) -> None:
        """Delete keys, if they are there."""
        for some in _cut(list(keys)):
            with _our_errors():
                self._client.delete(*some)

    def scan(self, cursor: int, *, most: int) -> tuple[int, list[str]]:
        """Some keys of any kind, and the cursor for the next ones; 0 once all were seen."""
        with _our_errors():
            told: Any = self._client.scan(cursor, count=most)
        return int(told[0]), [key.decode(errors="replace") for key in told[1]]

    def close(self) -> None:
        """Disconnect."""
        self._client.close()


def store_of(settings: Settings) -> Store:
    """The Redis of the settings, not asked yet. Raise SettingsError if none is set."""
    if settings.redis is None:
        raise SettingsError([f"{variable('redis')}: is not set; wanted redis://host:port/0"])
    return Store(settings.redis.get_secret_value())


def _cut(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    for first in range(0, len(keys), _AT_ONCE):
        yield keys[first : first + _AT_ONCE]


@contextmanager
def _our_errors() -> Iterator[None]:
    try:
        yield
    except redis.RedisError as error:
        raise TransientError(f"redis: {error}") from error
