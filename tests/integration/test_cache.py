"""Queries read Redis first and the database else; a Redis that errs costs time, never truth."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from connectors.local.stack import Endpoints
from connectors.redis.cache import Cache
from connectors.redis.documents import Price
from connectors.redis.rebuilding import rebuild
from connectors.redis.store import Store
from hadron import metrics
from hadron.__main__ import run
from hadron.cli.exits import Exit
from tests.integration.archiving import PARTITIONS, Bench, a_bench, wait_until
from tests.support import T0_NS, a_position, a_quote, a_trade, codec

encode = codec().encode
Asked = Callable[..., Any]
PRICES = ("query", "prices", "--instrument", "eq:AAPL")
POSITION = ("query", "position", "--portfolio", "main", "--strategy", "sma")


@pytest.fixture
def bench(stack: Endpoints, database: str, redis_url: str, unique: str) -> Iterator[Bench]:
    """An archive that holds two trades, one suspect, two quotes and two positions."""
    more = {"redis": redis_url, "num_shards": str(PARTITIONS)}
    with a_bench(stack.kafka, database, unique, **more) as bench:
        newest = a_trade("1.50", size=7, at_ns=T0_NS + 5, raw_offset=1)
        suspect = a_trade("9", at_ns=T0_NS + 9, raw_offset=2, quality="suspect")
        quote = a_quote(0, 151, bid_size=0, at_ns=T0_NS + 5, raw_offset=4)
        older = [a_trade("1.40"), a_quote(raw_offset=3)]
        bench.append("ticks.fast", [encode(fact) for fact in (*older, newest, suspect, quote)])
        bench.append("positions", [encode(a_position()), encode(a_position("-3", offset=1))])
        with bench.archive():
            wait_until(lambda: bench.rows() + bench.rows("positions") == 7)
        yield bench


@pytest.fixture
def asked(bench: Bench, capsys: pytest.CaptureFixture[str]) -> Asked:
    """The one document of a command."""

    def ask(*arguments: str, **changed: str) -> Any:
        capsys.readouterr()
        assert run([*arguments, "--json"], {**bench.environment, **changed}) == Exit.OK
        [found] = json.loads(capsys.readouterr().out)
        return found

    return ask


def test_the_database_answers_first_then_what_is_kept_of_it(
    asked: Asked, redis_url: str, bench: Bench
) -> None:
    first, second = asked(*PRICES), asked(*PRICES)

    assert (first["price"]["found"], second["price"]["found"]) == ("database", "kept")
    assert first["price"]["document"] == second["price"]["document"]
    assert first["book"]["document"]["bid"] is None
    place = {"log_topic": f"{bench.prefix}ticks.fast", "log_partition": 0, "log_offset": 2}
    document = first["price"]["document"]
    assert document == {**document, "last": "1.50", "size": "7", **place}
    with redis.Redis.from_url(redis_url) as client:
        kept: Any = client.keys("cache:*")
        lives: list[Any] = [client.ttl(key) for key in kept]
    assert len(lives) == 2
    assert all(0 < life <= 60 for life in lives)


def test_what_is_hot_comes_before_what_is_kept_and_says_the_same(
    asked: Asked, bench: Bench
) -> None:
    from_the_database = asked(*PRICES)

    rebuild(bench.settings(), codec=codec(), telemetry=bench.counts)

    hot = asked(*PRICES)
    assert (hot["price"]["found"], hot["book"]["found"]) == ("hot", "hot")
    for part in ("price", "book"):
        assert hot[part]["document"] == from_the_database[part]["document"]


def test_a_position_is_found_hot_or_in_the_database(asked: Asked, bench: Bench) -> None:
    cold = asked(*POSITION, "--instrument", "eq:AAPL")
    rebuild(bench.settings(), codec=codec(), telemetry=bench.counts)
    hot = asked(*POSITION, "--instrument", "eq:AAPL")

    assert (cold["found"], hot["found"]) == ("database", "hot")
    assert float(cold["document"]["quantity"]) == float(hot["document"]["quantity"]) == -3
    assert cold["document"]["log_offset"] == hot["document"]["log_offset"] == 1


def test_who_wants_the_source_gets_it(asked: Asked, redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.set("price:eq:AAPL", "a lie", ex=60)

        assert asked(*PRICES)["price"]["found"] == "database"  # nobody can read it
        found = asked(*PRICES, "--no-cache")

    assert (found["price"]["found"], found["book"]["found"]) == ("database", "database")


def test_without_redis_the_database_answers(asked: Asked) -> None:
    gone = asked(*PRICES, HADRON_REDIS="redis://127.0.0.1:1/0")

    assert gone["price"]["found"] == "database"


def test_hits_and_misses_are_counted(redis_url: str) -> None:
    class Results(Counter[str]):
        def count(self, name: str, amount: float = 1, **labels: str) -> None:
            assert name == metrics.CACHE_READS
            self[labels["result"]] += int(amount)

        def gauge(self, name: str, value: float, **labels: str) -> None: ...

        def observe(self, name: str, value: float, **labels: str) -> None: ...

    def ask(url: str, results: Any) -> None:
        store = Store(url)
        keys = ["price:eq:A", "price:eq:B"]
        known = {key: Price(key, 1, 1, 0, "live", "t", 0, 0) for key in keys}  # type: ignore[arg-type]
        cache = Cache(store, results, ttl_s=60)
        cache.answers(keys[:1], Price, lambda missing: {key: known[key] for key in missing})
        cache.answers(keys, Price, lambda missing: {key: known[key] for key in missing})
        store.close()

    here, away = Results(), Results()

    ask(redis_url, here)
    ask("redis://127.0.0.1:1/0", away)

    assert here == {"miss": 2, "hit": 1}
    assert away == {"away": 3}
