"""The gateway on real Kafka: each approved intent has one order, also after kill -9."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import msgspec
import pytest
from confluent_kafka.admin import AdminClient

from connectors.gateways.gateway import Gateway, assembled
from connectors.http.health import Health
from connectors.kafka.connection import configuration
from connectors.kafka.log import KafkaLog
from connectors.local.stack import Endpoints
from connectors.telemetry.metrics import PrometheusTelemetry
from connectors.telemetry.tracing import NoTracer
from hadron.desk.facts import IntentApproved, IntentRejected
from hadron.errors import ImpossibleTransition
from hadron.settings import Settings
from hadron.topics import Names
from tests.alarms import Heard
from tests.support import a_fill, an_approved_intent, codec

PARTITIONS = 3
ROOT = Path(__file__).parents[2]
SEED = 20_260_701


class Flow:
    """The gateway's topics of one test."""

    def __init__(self, kafka: str, prefix: str) -> None:
        self.settings = Settings(kafka=kafka, num_shards=PARTITIONS)
        self.names = Names(prefix)
        self.log = KafkaLog(configuration(self.settings))
        self.approved: list[list[int]] = [[] for _ in range(PARTITIONS)]
        self._next = [0] * PARTITIONS

    def decide(self, count: int) -> None:
        """Append intents to every partition; every tenth is not approved."""
        for partition in range(PARTITIONS):
            first = self._next[partition]
            offsets = range(first, first + count)
            values = [codec().encode(intent(partition, offset)) for offset in offsets]
            self.log.append(
                self.names.write("intents"), partition, [("main", value) for value in values]
            )
            self.approved[partition] += [offset for offset in offsets if offset % 10 != 9]
            self._next[partition] += count
        self.log.flush()

    def orders(self) -> int:
        """How many records lie on `orders`."""
        topic = self.names.write("orders")
        return sum(self.log.ends([(topic, each) for each in range(PARTITIONS)]).values())

    def wait_for(self, orders: int) -> None:
        deadline = time.monotonic() + 90
        while self.orders() < orders:
            assert time.monotonic() < deadline, f"{self.orders()} of {orders} orders"

    def members(self) -> int:
        """How many gateways hold partitions."""
        admin = AdminClient(configuration(self.settings))
        group = self.names.group("gateway")
        found = admin.describe_consumer_groups([group])[group].result(30)
        return sum(bool(member.assignment.topic_partitions) for member in found.members)

    def answered(self) -> list[list[int]]:
        """The offsets of intents that orders answer, as they lie on the log."""
        topic = self.names.write("orders")
        ends = self.log.ends([(topic, each) for each in range(PARTITIONS)])
        found: list[list[int]] = []
        for (_, partition), end in ends.items():
            records = self.log.read(topic, partition, start=0, end=end)
            orders = [codec().decode(record.value or b"") for record in records]
            assert {order.partition for order in orders} <= {partition}
            found.append([order.offset for order in orders])
        return found

    def gateway(self) -> Gateway:
        return assembled(
            self.settings,
            self.log,
            codec=codec(),
            telemetry=PrometheusTelemetry(),
            tracer=NoTracer(),
            pulse=Health("gateway", "test"),
            alarms=Heard(),
            names=self.names,
        )


@pytest.fixture
def flow(stack: Endpoints, unique: str, make_topic: Callable[..., str]) -> Iterator[Flow]:
    for name in ("intents", "orders", "dead"):
        make_topic(name, partitions=PARTITIONS)
    flow = Flow(stack.kafka, f"{unique}.")
    yield flow
    flow.log.flush()
    flow.log.close()


def intent(partition: int, offset: int) -> IntentApproved | IntentRejected:
    """What the desk said of the decision at that place; every tenth is not approved."""
    verdict = f"decisions/{partition}/{offset}/0"
    approved = an_approved_intent(partition=partition, offset=offset, verdict=verdict)
    if offset % 10 != 9:
        return approved
    return IntentRejected(**msgspec.structs.asdict(approved), reason="halted")


@contextmanager
def started(flow: Flow) -> Iterator[subprocess.Popen[bytes]]:
    """A gateway in a process of its own, which does not outlive the block."""
    arguments = [flow.settings.kafka, flow.names.prefix, str(PARTITIONS)]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.gateway_process", *arguments], cwd=ROOT
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def stopped(process: subprocess.Popen[bytes]) -> bool:
    """Whether it stopped cleanly when it was asked to."""
    process.send_signal(signal.SIGTERM)
    return process.wait(60) == 0


def test_each_approved_intent_has_one_order_though_gateways_are_killed(flow: Flow) -> None:
    moments = random.Random(SEED)

    for _ in range(5):
        flow.decide(2_000)
        before = flow.orders()
        unanswered = sum(map(len, flow.approved)) - before
        with started(flow):
            flow.wait_for(before + moments.randrange(1, unanswered))
    with started(flow) as gateway:
        flow.wait_for(sum(map(len, flow.approved)))
        assert stopped(gateway)

    assert flow.answered() == flow.approved, f"seed {SEED}"


def test_partitions_move_between_gateways_without_a_second_order(flow: Flow) -> None:
    flow.decide(3_000)
    with started(flow) as first:
        flow.wait_for(1)
        with started(flow) as second:
            deadline = time.monotonic() + 90
            while flow.members() < 2:
                flow.decide(10)
                assert time.monotonic() < deadline
            flow.decide(1_000)
            flow.wait_for(sum(map(len, flow.approved)))
            assert stopped(second)
        flow.decide(100)
        flow.wait_for(sum(map(len, flow.approved)))
        assert stopped(first)

    assert flow.answered() == flow.approved


def test_an_intent_is_answered_within_milliseconds(flow: Flow) -> None:
    stop = Event()
    gateway = flow.gateway()
    working = Thread(target=gateway.run, args=[stop])
    working.start()
    try:
        flow.decide(1)
        flow.wait_for(PARTITIONS)
        took: list[float] = []
        for round_ in range(2, 9):
            started_s = time.monotonic()
            flow.decide(1)
            flow.wait_for(PARTITIONS * round_)
            took.append(time.monotonic() - started_s)
    finally:
        stop.set()
        working.join(60)

    # The quickest, since a batching delay or an idle wait would slow each; a busy machine some.
    assert min(took) < 0.08, took


def test_orders_that_answer_what_is_not_there_stop_the_gateway(flow: Flow) -> None:
    fill = codec().encode(a_fill(partition=0, offset=5))
    flow.log.append(flow.names.write("orders"), 0, [("main", fill)])
    flow.log.flush()

    with pytest.raises(ImpossibleTransition, match="ends at 0, but intents before 6"):
        flow.gateway().run(Event())
