"""Redis: what happens when it is full, and keys that nobody ever removes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hadron.cli.checks.finding import Finding, error, sound, warning
from hadron.variables import variable

if TYPE_CHECKING:
    from connectors.redis.inspection import Store

# They make room for what is new; with any other, writes fail once the memory is full.
EVICTING = frozenset(
    f"{which}-{how}" for which in ("allkeys", "volatile") for how in ("lru", "lfu", "random")
) | {"volatile-ttl"}


def unset() -> Finding:
    """No Redis is known."""
    return error(
        "redis",
        f"{variable('redis')} is not set, and no local stack runs",
        wanted="a Redis for the latest values",
        remedy=f"set {variable('redis')}, or start the local stack with `hadron up`",
    )


def unreachable(problem: Exception) -> Finding:
    """It does not answer."""
    return error(
        "redis",
        f"{problem}; its memory is not checked",
        wanted="a Redis that answers",
        remedy=f"start the local stack with `hadron up`, or correct {variable('redis')}",
    )


def memory(seen: Store) -> Finding:
    """It has a limit, and evicts by age or use when that is reached."""
    if seen.limit_bytes == 0:
        return warning(
            "redis memory",
            "maxmemory is 0, no limit",
            wanted="a limit, so that it cannot take the memory of others",
            remedy="CONFIG SET maxmemory 256mb, and the same in its configuration",
        )
    if seen.policy and seen.policy not in EVICTING:
        return warning(
            "redis memory",
            f"maxmemory-policy is {seen.policy}: writes fail when it is full",
            wanted="volatile-ttl or another that evicts",
            remedy="CONFIG SET maxmemory-policy volatile-ttl, and the same in its configuration",
        )
    return sound("redis memory", f"Redis {seen.version}, {seen.policy or 'policy not told'}")


def lasting(seen: Store) -> Finding:
    """All our keys expire, so others are not ours or were left by a fault."""
    if seen.lasting:
        return warning(
            "redis keys",
            f"{seen.lasting} of {seen.keys} keys never expire",
            wanted="only keys that expire, as all of ours do",
            remedy=f"give Hadron a database number of its own in {variable('redis')}",
        )
    return sound("redis keys", f"{seen.keys}, all expire")
