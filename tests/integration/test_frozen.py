"""A desk is frozen while another takes over; awake again it stops, and nothing is ordered twice."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.group import LeaveGroupRequest

from connectors.gateways.answers import REPEATED
from hadron.audit.names import Name, name_of
from hadron.control.facts import LimitsChanged
from hadron.partitions import partition_of
from hadron.topics import LIVE, key_of
from streams.fold import TURN
from streams.ranks import OTHER
from streams.sequencing import AHEAD
from tests.integration.platform import PATIENCE_S, SHARDS, Platform, platform, until
from tests.integration.replaying import control_of, replayed
from tests.support import a_decision, codec

ROUNDS, DECISIONS = 3, 4_000
GROUP = LIVE.group("desk")
LONG_S = "60"  # a session that outlives the freeze, so that no clock tells the frozen one
# What was sequenced and not stepped at the freeze: two batches, of one turn of each shard at least.
SEQUENCED = AHEAD * TURN[OTHER] * SHARDS
# What was stepped, and not with the broker yet: less than one turn.
ON_ITS_WAY = TURN[OTHER]
FENCED = "another process steps this shard, too"
STOOD_STILL = "longer than its session"


@pytest.fixture
def alone() -> Iterator[Platform]:
    with platform(HADRON_SESSION_S="3") as made:
        many = Decimal(10**12)
        control_of(made).append(
            LimitsChanged("test", "room", time.time_ns(), 2, "main", many, many, many)
        )
        made.start("gateway")
        try:
            yield made
        finally:
            made.wake_all()


def decide(alone: Platform, first: int) -> None:
    """Append decisions of several instruments."""
    batches: dict[int, list[tuple[str, bytes]]] = {}
    for n in range(first, first + DECISIONS):
        one = a_decision(instrument=f"eq:S{n % 16}", offset=n, raw_offset=n)
        key = key_of(one)
        batches.setdefault(partition_of(key, SHARDS), []).append((key, codec().encode(one)))
    for partition, batch in batches.items():
        alone.log.append("decisions", partition, batch)
    alone.log.flush()


def intents(alone: Platform) -> int:
    return sum(alone.log.ends([("intents", p) for p in range(SHARDS)]).values())


def frozen_at_work(
    alone: Platform, desk: subprocess.Popen[bytes], chance: random.Random
) -> subprocess.Popen[bytes]:
    """Freeze a desk while it has decisions that it fetched and did not step; return which.

    One that meets an entry of the sleeper before it ends, as it must, and is started again.
    """
    before = intents(alone)
    wanted = before + chance.randrange(500, DECISIONS // 3)
    desk = started_again(
        alone, desk, lambda: max(0, wanted - intents(alone)), look_s=0.01, ends_by=FENCED
    )
    desk.send_signal(signal.SIGSTOP)
    return desk


def all_is_whole(alone: Platform, desk: subprocess.Popen[bytes], decided: int) -> int:
    """Each decision was ordered once, and the journal tells how.

    Return how many intents lie there again: what had been sequenced before the freeze, and was not
    on its way yet. Such a copy is the same, and what it asks for is refused.
    """
    for _ in range(2):  # what one had taken, another may have said more of since
        desk = supervised(alone, desk)
        alone.wait_until_taken("gateway")
    copies: dict[Name, list[bytes | None]] = {}
    for record in alone.records("intents"):
        copies.setdefault(name_of(codec().decode(record.value or b"")), []).append(record.value)
    assert [name for name, values in copies.items() if len(set(values)) > 1] == []
    assert len(copies) == decided
    again = sum(len(values) - 1 for values in copies.values())

    orders = alone.facts("orders")
    first = [one for one in orders if getattr(one, "reason", None) != REPEATED]
    assert len({one.verdict for one in first}) == len(first) == decided
    assert len(orders) == len(first) + again

    report = replayed(alone, "--from", "beginning", "--compare", "--process", "desk")
    assert report["identical"] is True
    return again


def supervised(alone: Platform, desk: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
    """Wait until a desk took everything; one that ends is started again. Return the last."""
    return started_again(alone, desk, lambda: alone.left(["desk"]), look_s=0.2)


def started_again(
    alone: Platform,
    desk: subprocess.Popen[bytes],
    left: Callable[[], int],
    *,
    look_s: float,
    ends_by: str = "",
) -> subprocess.Popen[bytes]:
    """Start a desk again when it ends, which it says was `ends_by`, until nothing is left."""
    deadline = time.monotonic() + PATIENCE_S
    while left():
        assert time.monotonic() < deadline, f"{left()} are left"
        if desk.poll() is not None:
            assert ends_by in alone.said("desk")
            desk = alone.start("desk")
        time.sleep(look_s)
    return desk


def ended(desk: subprocess.Popen[bytes]) -> None:
    """Let a frozen desk go on, and demand that it stops by itself, with an error."""
    desk.send_signal(signal.SIGCONT)
    until(lambda: desk.poll() is not None, "the sleeper stops itself")
    assert desk.returncode == 1


def test_a_desk_that_slept_through_its_session_stops_and_nothing_is_ordered_twice(
    alone: Platform,
) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # noqa: T201
    chance = random.Random(seed)
    desk = alone.start("desk")
    for number in range(ROUNDS):
        decide(alone, number * DECISIONS)
        desk = frozen_at_work(alone, desk, chance)
        other = supervised(alone, alone.start("desk"))
        ended(desk)
        desk = supervised(alone, other)
    again = all_is_whole(alone, desk, ROUNDS * DECISIONS)
    assert again <= ROUNDS * ON_ITS_WAY


def test_where_no_clock_tells_it_the_offset_of_its_entry_stops_it(alone: Platform) -> None:
    # given a desk with a long session that is frozen at work, and whose place another gets
    alone.environment["HADRON_SESSION_S"] = LONG_S
    desk = alone.start("desk")
    decide(alone, 0)
    desk = frozen_at_work(alone, desk, random.Random(1))
    leave_for_it(alone)
    other = supervised(alone, alone.start("desk"))
    before = intents(alone)

    # when it goes on, then its next entries lie behind those of the other, and it stops
    ended(desk)
    assert FENCED in alone.said("desk")
    assert STOOD_STILL not in alone.said("desk")
    assert intents(alone) - before <= SEQUENCED
    # The other meets its entries; a supervisor starts it again, and it goes on.
    decide(alone, DECISIONS)
    all_is_whole(alone, other, 2 * DECISIONS)


def leave_for_it(alone: Platform) -> None:
    """Take every member out of the desk's group, as if each had said so itself."""
    found = alone.admin.describe_consumer_groups([GROUP])[GROUP].result(30)
    members = [member.member_id for member in found.members]
    assert len(members) == 1

    async def leave() -> None:
        client = AIOKafkaClient(bootstrap_servers=alone.settings.kafka)
        await client.bootstrap()
        try:
            node = await client.coordinator_lookup(0, GROUP)
            for member in members:
                answer = await client.send(node, LeaveGroupRequest(GROUP, member))
                assert answer.error_code == 0
        finally:
            await client.close()

    asyncio.run(leave())
