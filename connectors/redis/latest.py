"""The process `latest`: the newest prices and positions in Redis, with a time to live.

While Redis is down the newest values wait here, nothing is committed, and the flow goes on.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from threading import Event
from typing import Any

import redis
import structlog
from confluent_kafka import Consumer, TopicPartition
from redis.backoff import NoBackoff
from redis.retry import Retry

from connectors.kafka import connection, membership
from connectors.redis.hot import Hot, is_newest
from hadron import metrics
from hadron.errors import ContractError, SettingsError, TransientError
from hadron.ports import Codec, Telemetry
from hadron.settings import Settings, variable
from hadron.topics import LIVE, POSITIONS, TICKS

GROUP = LIVE.group("latest")
_SLICE = 1_000
_IDLE_S = 0.1
_COMMIT_S = 1.0
_RETRY_S = 0.5

log = structlog.get_logger()


class Latest:
    """One consumer and one Redis."""

    def __init__(
        self,
        consumer: Consumer,
        store: redis.Redis,
        *,
        codec: Codec,
        telemetry: Telemetry,
        ttl_s: int,
    ) -> None:
        self._consumer, self._store, self._codec = consumer, store, codec
        self._telemetry, self._ttl_s = telemetry, ttl_s
        self._hot = Hot()
        self._read: dict[membership.Partition, int] = {}
        self._written: dict[membership.Partition, int] = {}
        self._retry_s = self._committed_s = 0.0

    def run(self, topics: Iterable[str], stop: Event) -> None:
        """Keep Redis up to date until `stop` is set."""
        self._consumer.subscribe(list(topics), on_revoke=self._on_revoke, on_lost=self._on_lost)
        try:
            while not stop.is_set():
                self._turn()
            membership.commit_and_wait(self._consumer, self._written)
        finally:
            self._consumer.close()
            self._store.close()

    def _turn(self) -> None:
        alike: dict[Any, list[bytes]] = {}
        for message in membership.taken(self._consumer, most=_SLICE, patience_s=_IDLE_S):
            topic, partition, value = message.topic(), message.partition(), message.value() or b""
            self._read[topic, partition] = message.offset() + 1
            alike.setdefault((topic, partition, message.key(), value[:5]), []).append(value)
        for values in alike.values():
            self._take_newest(values)
        if self._read != self._written and time.monotonic() >= self._retry_s:
            self._write()
        if time.monotonic() - self._committed_s >= _COMMIT_S:
            self._committed_s = time.monotonic()
            membership.commit(self._consumer, self._written)

    def _take_newest(self, values: Sequence[bytes]) -> None:
        """Decode those of one key and contract from the last on, until none before it counts."""
        for value in reversed(values):
            try:
                fact = self._codec.decode(value)
            except ContractError:
                # The archive keeps its bytes; here it only is no price.
                self._telemetry.count(metrics.POISONED, process="latest")
                continue
            self._hot.take(fact)
            if is_newest(fact):
                return

    def _write(self) -> None:
        hashes, documents = self._hot.waiting()
        try:
            with _our_errors():
                self._pipeline(hashes, documents)
        except TransientError as error:
            self._retry_s = time.monotonic() + _RETRY_S
            self._telemetry.gauge(metrics.LATEST_UP, 0)
            log.warning("latest.redis_down", reason=str(error))
            return
        self._hot.written()
        self._written = dict(self._read)
        self._telemetry.gauge(metrics.LATEST_UP, 1)
        for kind, count in (("price", len(hashes)), ("position", len(documents))):
            self._telemetry.count(metrics.LATEST_WRITES, count, kind=kind)

    def _pipeline(self, hashes: dict[str, dict[str, str]], documents: dict[str, bytes]) -> None:
        pipeline: Any = self._store.pipeline(transaction=False)
        for key, fields in hashes.items():
            pipeline.hset(key, mapping=fields)
            pipeline.expire(key, self._ttl_s)
        for key, document in documents.items():
            pipeline.set(key, document, ex=self._ttl_s)
        pipeline.execute()

    def _on_revoke(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        membership.commit_and_wait(self._consumer, self._written)
        self._on_lost(self._consumer, partitions)

    def _on_lost(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        for partition in partitions:
            self._read.pop((partition.topic, partition.partition), None)
            self._written.pop((partition.topic, partition.partition), None)


def run(settings: Settings, *, codec: Codec, telemetry: Telemetry, stop: Event) -> None:
    """Write `price:<instrument>` and `position:<portfolio>/<strategy>/<instrument>` until `stop`.

    Begins with the oldest records that Kafka has, so that nothing has to be kept elsewhere.
    """
    if settings.redis is None:
        raise SettingsError([f"{variable('redis')}: is not set; wanted redis://host:port/0"])
    store = redis.Redis.from_url(
        settings.redis.get_secret_value(),
        socket_timeout=2,
        socket_connect_timeout=2,
        retry=Retry(NoBackoff(), 0),  # the newest values come again with our own next try
    )
    prefix = settings.prefix
    consumer = membership.member(
        connection.configuration(settings),
        prefix + GROUP,
        **membership.UNHURRIED,
        **membership.session(settings.session_s),
        **{"auto.offset.reset": "earliest"},
    )
    latest = Latest(consumer, store, codec=codec, telemetry=telemetry, ttl_s=settings.hot_ttl_s)
    latest.run([prefix + topic.name for topic in (*TICKS.values(), POSITIONS)], stop)


@contextmanager
def _our_errors() -> Iterator[None]:
    try:
        yield
    except redis.RedisError as error:
        raise TransientError(f"redis: {error}") from error
