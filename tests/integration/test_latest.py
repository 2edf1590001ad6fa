"""Hot state in Redis: the newest of each key, with a life, and no loss while Redis is away."""

from __future__ import annotations

import json
import shutil
import tempfile
import threading
import time
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

from connectors.kafka.connection import configuration, patiently
from connectors.kafka.log import KafkaLog
from connectors.local import valkey
from connectors.local.stack import Endpoints
from connectors.redis import latest
from connectors.redis.documents import Book, Position, Price
from connectors.redis.hot import Hot
from connectors.redis.intake import Intake
from connectors.redis.past import Past
from connectors.redis.rebuilding import rebuild
from hadron import metrics
from hadron.__main__ import run
from hadron.cli.exits import Exit
from hadron.errors import SettingsError
from hadron.settings import Settings, settings_from
from hadron.topics import key_of
from tests.alarms import Heard
from tests.integration.archiving import Counts, wait_until
from tests.integration.every_fact import a_position
from tests.integration.making_topics import make_topics
from tests.support import T0_NS, a_quote, a_trade, codec


class Flow:
    """The topics of one test, and the process that writes them to a Redis."""

    def __init__(self, kafka: str, prefix: str) -> None:
        self.kafka, self.prefix = kafka, prefix
        self.counts, self.alarms = Counts(), Heard()
        self.log = KafkaLog(configuration(Settings(kafka=kafka)))

    def append(self, topic: str, *facts: Any) -> None:
        records = [
            ("gone", None) if fact is None else (key_of(fact), codec().encode(fact))
            for fact in facts
        ]
        self.log.append(self.prefix + topic, 0, records)
        self.log.flush()

    def settings(self, url: str) -> Settings:
        return settings_from(
            {
                "HADRON_KAFKA": self.kafka,
                "HADRON_REDIS": url,
                "HADRON_PREFIX": self.prefix,
                "HADRON_NUM_SHARDS": "1",
            }
        )

    @contextmanager
    def running(self, url: str) -> Iterator[redis.Redis]:
        stop = Event()
        settings = self.settings(url)
        options = {
            "codec": codec(),
            "telemetry": self.counts,
            "alarms": self.alarms,
            "stop": stop,
        }
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
    make_topics(admin, *(NewTopic(name, 1, 1) for name in names))
    yield flow
    flow.log.close()
    for future in admin.delete_topics(names).values():
        future.result(30)


def price(client: redis.Redis, instrument: str = "eq:AAPL") -> str | None:
    document: Any = client.get(f"price:{instrument}")
    return str(msgspec.json.decode(document, type=Price).last) if document else None


def everything(client: redis.Redis) -> dict[str, tuple[Any, Any]]:
    """All keys with what they hold and when they expire."""
    keys: Any = client.keys()
    return {key: (client.get(key), client.pexpiretime(key)) for key in sorted(keys)}


def test_prices_books_and_positions_are_there_with_a_life(flow: Flow, redis_url: str) -> None:
    flow.append("ticks.fast", a_trade("1.50", size=7), a_quote(149, 151))
    flow.append("positions", a_position(), a_position(quantity=Decimal(3)), None)

    with flow.running(redis_url) as client:
        keys = ["price:eq:AAPL", "book:eq:AAPL", "position:main/sma/eq:AAPL"]
        wait_until(lambda: client.exists(*keys) == 3)
        documents: list[Any] = [client.get(key) for key in keys]
        lives: list[Any] = [client.ttl(key) for key in keys]

    prices = msgspec.json.decode(documents[0], type=Price)
    assert (str(prices.last), prices.size, prices.log_offset) == ("1.50", Decimal(7), 0)
    book = msgspec.json.decode(documents[1], type=Book)
    assert (str(book.bid), str(book.ask), book.log_offset) == ("1.49", "1.51", 1)
    position = msgspec.json.decode(documents[2], type=Position)
    assert (position.quantity, position.log_topic) == (Decimal(3), f"{flow.prefix}positions")
    assert all(0 < life <= 900 for life in lives)


def test_a_late_or_suspect_tick_is_no_price(flow: Flow, redis_url: str) -> None:
    oldest, newest = a_trade("1", at_ns=T0_NS), a_trade("2", at_ns=T0_NS + 5)
    late = a_trade("8", at_ns=T0_NS + 1, quality="late")
    suspect = a_trade("9", at_ns=T0_NS + 9, quality="suspect")
    marker = a_trade("1", instrument="eq:END")

    with flow.running(redis_url) as client:
        flow.append("ticks.fast", oldest, newest, late, suspect)
        wait_until(lambda: price(client) == "2")
        flow.append("ticks.cold", a_trade("3", at_ns=T0_NS + 4), marker)
        wait_until(lambda: client.exists("price:eq:END") == 1)

        assert price(client) == "2"


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
        wait_until(lambda: price(client) == "1")

        valkey.stop(own_valkey)
        for n in range(2, 50):
            flow.append("ticks.fast", a_trade(str(n), at_ns=T0_NS + n))
        wait_until(lambda: flow.counts.gauged[metrics.LATEST_UP] == 0)
        valkey.start(own_valkey)

        wait_until(lambda: flow.counts.gauged[metrics.LATEST_UP] == 1)
        wait_until(lambda: price(client) == "49")
        assert flow.alarms.changes == [("redis", True), ("redis", False)]


def test_a_redis_that_comes_back_empty_is_filled_again(flow: Flow, own_valkey: Path) -> None:
    with flow.running(valkey.start(own_valkey)) as client:
        flow.append("ticks.fast", *(a_trade("1", instrument=f"eq:S{n}") for n in range(100)))
        wait_until(lambda: client.dbsize() == 100)
        before = everything(client)

        valkey.stop(own_valkey)
        for file in own_valkey.glob("appendonlydir/*"):
            file.unlink()
        valkey.start(own_valkey)

        wait_until(lambda: client.dbsize() == 100, timeout_s=10)
        assert everything(client) == before


def test_a_flushed_redis_is_filled_again_while_it_runs(flow: Flow, redis_url: str) -> None:
    with flow.running(redis_url) as client:
        flow.append("ticks.fast", *(a_trade("1", instrument=f"eq:S{n}") for n in range(100)))
        wait_until(lambda: client.dbsize() == 100)
        before = everything(client)

        client.flushdb()

        wait_until(lambda: client.dbsize() == 100, timeout_s=10)
        assert everything(client) == before
    assert flow.counts.counted[metrics.LATEST_REPAIRED] >= 100


def test_a_redis_that_lies_is_put_right(flow: Flow, redis_url: str) -> None:
    with flow.running(redis_url) as client:
        flow.append("ticks.fast", *(a_trade("1", instrument=f"eq:S{n}") for n in range(100)))
        flow.append("positions", a_position())
        client.set("session:of-somebody-else", "1")
        wait_until(lambda: client.dbsize() == 102)
        before = everything(client)

        honest: Any = client.get("price:eq:S7")
        client.set("price:eq:S7", honest.replace('"1"', '"2"'))
        client.delete("price:eq:S8")
        client.set("price:eq:MADE-UP", honest)
        client.set("position:main/sma/eq:MADE-UP", "{}")

        wait_until(lambda: everything(client) == before, timeout_s=10)


def test_a_start_believes_the_log_and_not_what_it_finds(flow: Flow, redis_url: str) -> None:
    flow.append("ticks.fast", a_trade("1"), a_quote())
    with flow.running(redis_url) as client:
        wait_until(lambda: client.dbsize() == 2)
        before = everything(client)
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        client.delete("book:eq:AAPL")
        client.set("price:eq:AAPL", "a lie", ex=60)
        client.set("price:eq:MADE-UP", "a lie", ex=60)

    with flow.running(redis_url) as client:
        wait_until(lambda: everything(client) == before, timeout_s=10)


def test_a_rebuild_makes_the_same_keys_and_tells_what_was_wrong(flow: Flow, redis_url: str) -> None:
    flow.append("ticks.fast", *(a_trade("1", instrument=f"eq:S{n}") for n in range(100)))
    flow.append("ticks.cold", *(a_quote(instrument=f"eq:S{n}") for n in range(0, 100, 2)))
    flow.append("positions", a_position())
    with flow.running(redis_url) as client:
        wait_until(lambda: client.dbsize() == 151)
        before = everything(client)
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        client.delete("price:eq:S1", "position:main/sma/eq:AAPL")
        client.set("price:eq:S2", "a lie")
        client.set("book:eq:MADE-UP", "a lie")
        client.set("session:of-somebody-else", "1")

        found = rebuild(flow.settings(redis_url), codec=codec(), telemetry=flow.counts)
        again = rebuild(flow.settings(redis_url), codec=codec(), telemetry=flow.counts)

        client.delete("session:of-somebody-else")
        assert everything(client) == before
    assert (found.records, found.keys) == (151, 151)
    assert (found.missing, found.wrong, found.foreign) == (2, 1, 1)
    assert again.differing == 0


def test_what_was_read_already_saves_decoding_and_changes_nothing(flow: Flow) -> None:
    qualities = ("live", "late", "suspect", "live", "gap")
    flow.append(
        "ticks.fast",
        *(
            a_trade(str(n), instrument=f"eq:S{n % 7}", at_ns=T0_NS + n, quality=qualities[n % 5])
            for n in range(1, 100)
        ),
    )
    flow.append("ticks.cold", *(a_quote(n, n + 2, at_ns=T0_NS + 99 - n) for n in range(1, 50)))
    folded: list[Hot] = []
    for near in (1, 10, 1_000):
        past = Past({"bootstrap.servers": flow.kafka}, ttl_ms=900_000, near=near)
        folded.append(Hot(900_000))
        intake = Intake(folded[-1], codec=codec(), telemetry=flow.counts)
        places = [(name, 0) for name in latest.topics_of(flow.prefix)]
        ends = patiently(past.ends)(places)  # a topic just made may not know its leader yet
        assert sum(past.fold(ends, intake)) == 148

    assert len(folded[0].entries) == 8
    assert folded[0].entries == folded[1].entries == folded[2].entries


def test_the_command_shows_what_it_found(
    flow: Flow, redis_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    flow.append("ticks.fast", a_trade("1"))
    environ = {
        "HADRON_KAFKA": flow.kafka,
        "HADRON_REDIS": redis_url,
        "HADRON_PREFIX": flow.prefix,
        "HADRON_NUM_SHARDS": "1",
    }

    code = run(["rebuild", "--redis", "--json"], environ)

    told = json.loads(capsys.readouterr().out)["redis"]
    assert (code, told["keys"], told["missing"]) == (Exit.OK, 1, 1)


def test_what_was_appended_too_long_ago_makes_no_key(flow: Flow, redis_url: str) -> None:
    flow.log.append(
        f"{flow.prefix}ticks.fast",
        0,
        [("eq:AAPL", codec().encode(a_trade("1")))],
        timestamp_ms=int(time.time() * 1000) - 901_000,
    )
    flow.append("ticks.fast", a_trade("1", instrument="eq:END"))

    with flow.running(redis_url) as client:
        wait_until(lambda: client.exists("price:eq:END") == 1)

        assert client.keys() == ["price:eq:END"]


def test_without_a_redis_the_setting_is_named() -> None:
    settings = Settings(kafka="127.0.0.1:1")

    with pytest.raises(SettingsError, match="HADRON_REDIS"):
        latest.run(settings, codec=codec(), telemetry=Counts(), alarms=Heard(), stop=Event())
