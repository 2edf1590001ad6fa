"""Hot state in Redis: the newest of each key, with a life, and no loss while Redis is away."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from threading import Event
from typing import Any

import msgspec
import pytest
import redis
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from connectors.kafka.connection import configuration
from connectors.kafka.log import KafkaLog
from connectors.local import valkey
from connectors.local.stack import Endpoints
from connectors.redis import latest
from hadron import metrics
from hadron.errors import SettingsError
from hadron.portfolio.facts import PositionChanged
from hadron.settings import Settings, settings_from
from hadron.topics import key_of
from tests.integration.archiving import Counts, wait_until
from tests.integration.every_fact import a_position
from tests.support import T0_NS, a_quote, a_trade, codec


class Flow:
    """The topics of one test, and the process that writes them to a Redis."""

    def __init__(self, kafka: str, prefix: str) -> None:
        self.kafka, self.prefix, self.counts = kafka, prefix, Counts()
        self.log = KafkaLog(configuration(Settings(kafka=kafka)))

    def append(self, topic: str, *facts: Any) -> None:
        records = [
            ("gone", None) if fact is None else (key_of(fact), codec().encode(fact))
            for fact in facts
        ]
        self.log.append(self.prefix + topic, 0, records)
        self.log.flush()

    @contextmanager
    def running(self, url: str) -> Iterator[redis.Redis]:
        stop = Event()
        settings = settings_from(
            {"HADRON_KAFKA": self.kafka, "HADRON_REDIS": url, "HADRON_PREFIX": self.prefix}
        )
        options = {"codec": codec(), "telemetry": self.counts, "stop": stop}
        thread = threading.Thread(target=latest.run, args=(settings,), kwargs=options)
        thread.start()
        try:
            with redis.Redis.from_url(url, decode_responses=True) as client:
                yield client
        finally:
            stop.set()
            thread.join(30)
            assert not thread.is_alive()


@pytest.fixture
def flow(stack: Endpoints, unique: str) -> Iterator[Flow]:
    admin = AdminClient({"bootstrap.servers": stack.kafka})
    flow = Flow(stack.kafka, f"{unique}.")
    names = [flow.prefix + name for name in ("ticks.fast", "ticks.warm", "ticks.cold", "positions")]
    for future in admin.create_topics([NewTopic(name, 1, 1) for name in names]).values():
        future.result(30)
    yield flow
    flow.log.close()
    for future in admin.delete_topics(names).values():
        future.result(30)


def test_prices_and_positions_are_there_with_a_life(flow: Flow, redis_url: str) -> None:
    flow.append("ticks.fast", a_trade("1.50", size=7), a_quote(149, 151))
    flow.append("positions", a_position(), a_position(quantity=Decimal(3)), None)

    with flow.running(redis_url) as client:
        wait_until(lambda: client.exists("price:eq:AAPL", "position:main/sma/eq:AAPL") == 2)
        wait_until(lambda: client.hexists("price:eq:AAPL", "bid") is True)

        price = client.hgetall("price:eq:AAPL")
        document = client.get("position:main/sma/eq:AAPL")
        lives = [client.ttl(key) for key in ("price:eq:AAPL", "position:main/sma/eq:AAPL")]

    assert price | {"last": "1.50", "last_size": "7", "bid": "1.49", "ask": "1.51"} == price
    assert msgspec.json.decode(str(document), type=PositionChanged).quantity == 3
    assert all(0 < life <= 900 for life in lives)


def test_a_late_or_suspect_tick_is_no_price(flow: Flow, redis_url: str) -> None:
    oldest, newest = a_trade("1", at_ns=T0_NS), a_trade("2", at_ns=T0_NS + 5)
    late = a_trade("8", at_ns=T0_NS + 1, quality="late")
    suspect = a_trade("9", at_ns=T0_NS + 9, quality="suspect")
    marker = a_trade("1", instrument="eq:END")

    with flow.running(redis_url) as client:
        flow.append("ticks.fast", oldest, newest, late, suspect)
        wait_until(lambda: client.hget("price:eq:AAPL", "last") == "2")
        flow.append("ticks.cold", a_trade("3", at_ns=T0_NS + 4), marker)
        wait_until(lambda: client.exists("price:eq:END") == 1)

        assert client.hget("price:eq:AAPL", "last") == "2"


def test_what_cannot_be_read_is_counted_and_passed_over(flow: Flow, redis_url: str) -> None:
    flow.log.append(f"{flow.prefix}ticks.warm", 0, [("key", b"junk")])
    flow.append("ticks.warm", a_trade("1"))

    with flow.running(redis_url) as client:
        wait_until(lambda: client.exists("price:eq:AAPL") == 1)

    assert flow.counts.counted[metrics.POISONED] == 1


@pytest.fixture
def own_valkey() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="hadron-valkey-"))
    try:
        yield directory / "valkey"
    finally:
        valkey.stop(directory / "valkey")
        shutil.rmtree(directory)


def test_a_redis_that_goes_away_gets_the_newest_when_it_is_back(
    flow: Flow, own_valkey: Path
) -> None:
    with flow.running(valkey.start(own_valkey)) as client:
        flow.append("ticks.fast", a_trade("1"))
        wait_until(lambda: client.hget("price:eq:AAPL", "last") == "1")

        valkey.stop(own_valkey)
        for n in range(2, 50):
            flow.append("ticks.fast", a_trade(str(n), at_ns=T0_NS + n))
        wait_until(lambda: flow.counts.gauged[metrics.LATEST_UP] == 0)
        valkey.start(own_valkey)

        wait_until(lambda: flow.counts.gauged[metrics.LATEST_UP] == 1)
        wait_until(lambda: client.hget("price:eq:AAPL", "last") == "49")


def test_an_emptied_redis_is_filled_again_from_the_log(flow: Flow, redis_url: str) -> None:
    flow.append("ticks.fast", a_trade("1"))
    with flow.running(redis_url) as client:
        wait_until(lambda: client.exists("price:eq:AAPL") == 1)
        before = client.hgetall("price:eq:AAPL")
        client.flushdb()
        admin = AdminClient({"bootstrap.servers": flow.kafka})
    group = flow.prefix + latest.GROUP
    wait_until(lambda: _deleted(admin, group))

    with flow.running(redis_url) as client:
        wait_until(lambda: client.exists("price:eq:AAPL") == 1)

        assert client.hgetall("price:eq:AAPL") == before


def _deleted(admin: AdminClient, group: str) -> bool:
    return admin.delete_consumer_groups([group])[group].exception() is None


def test_without_a_redis_the_setting_is_named() -> None:
    settings = Settings(kafka="127.0.0.1:1")

    with pytest.raises(SettingsError, match="HADRON_REDIS"):
        latest.run(settings, codec=codec(), telemetry=Counts(), stop=Event())
