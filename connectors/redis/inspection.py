"""What a Redis is like right now, for those who check it."""

from __future__ import annotations

from typing import Any

import msgspec
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from hadron.errors import HadronError, TransientError


class Store(msgspec.Struct, frozen=True):
    """The server as far as it tells; `policy` is empty and `limit_bytes` None where it does not."""

    version: str
    limit_bytes: int | None  # 0: none
    policy: str
    keys: int
    lasting: int  # keys that never expire
    clock_ns: int


def inspect(url: str) -> Store:
    """Raise TransientError if it does not answer within 5 seconds, HadronError if it refuses."""
    try:
        with redis.Redis.from_url(
            url, socket_timeout=5, socket_connect_timeout=5, retry=Retry(NoBackoff(), 0)
        ) as client:
            return _seen(client)
    except (redis.ConnectionError, redis.TimeoutError) as error:
        raise TransientError(f"Redis: {error}") from error
    except (redis.RedisError, ValueError) as error:
        raise HadronError(f"Redis: {error}") from error


def _seen(client: redis.Redis) -> Store:
    told: dict[str, Any] = client.info()
    number = client.connection_pool.connection_kwargs.get("db") or 0
    space = told.get(f"db{number}", {"keys": 0, "expires": 0})
    seconds, micros = client.time()
    limit = told.get("maxmemory")
    return Store(
        version=str(told.get("redis_version", "")),
        limit_bytes=None if limit is None else int(limit),
        policy=str(told.get("maxmemory_policy", "")),
        keys=int(space["keys"]),
        lasting=int(space["keys"]) - int(space["expires"]),
        clock_ns=(seconds * 1_000_000 + micros) * 1000,
    )
