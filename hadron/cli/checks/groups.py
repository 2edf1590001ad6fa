"""Consumer groups: left behind by a replay, without a process, or standing still."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from hadron.cli.checks.finding import Finding, listed, sound, warning


class Reader(msgspec.Struct, frozen=True):
    """A process's group, looked at twice. `moved` is False where it committed nothing meanwhile."""

    process: str
    group: str
    members: int
    lag: int
    moved: bool


def orphans(known: Iterable[str], groups: Mapping[str, int]) -> Finding:
    """Groups of Hadron that belong to no process of now; `groups` have so many members."""
    left = [group for group, members in groups.items() if group not in set(known) and not members]
    if left:
        return warning(
            "orphan groups",
            f"without members: {listed(left)}",
            wanted="only groups of processes and of replays that run",
            remedy="delete them with kafka-consumer-groups --delete; until then they only take"
            " room and hide in lag figures",
        )
    return sound("orphan groups", "none")


def unread(readers: Iterable[Reader]) -> Finding:
    """Something waits and no process reads it."""
    alone = [reader for reader in readers if reader.lag and not reader.members]
    if alone:
        return warning(
            "unread",
            listed(f"{reader.group} has no member and lags {reader.lag}" for reader in alone),
            wanted="a process for each group that lags",
            remedy=listed(f"start `hadron run {reader.process}`" for reader in alone),
        )
    return sound("unread", "no group lags without a process")


def stuck(readers: Iterable[Reader]) -> Finding:
    """Something waits, a process owns it, and it committed nothing while we looked."""
    still = [reader for reader in readers if reader.lag and reader.members and not reader.moved]
    if still:
        return warning(
            "stuck",
            listed(f"{reader.group} lags {reader.lag} and does not move" for reader in still),
            wanted="a group that commits what it reads",
            remedy=listed(f"see the log of {reader.process} and restart it" for reader in still),
        )
    return sound("stuck", "no group stands still")
