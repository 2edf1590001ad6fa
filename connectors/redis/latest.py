"""The process `latest`: newest prices, top of the books and positions in Redis.

The log of the last `HADRON_HOT_TTL_S` is all that it believes: it is folded anew at each start, and
Redis is compared with it all the time. While Redis is down the newest values wait here.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from threading import Event

import structlog
from confluent_kafka import Consumer, TopicPartition

from connectors.kafka import connection, membership
from connectors.redis.hot import Hot
from connectors.redis.intake import Intake
from connectors.redis.past import Past
from connectors.redis.projection import Projection
from connectors.redis.store import store_of
from hadron import metrics
from hadron.errors import TransientError
from hadron.partitions import partition_of
from hadron.ports import Alarms, Codec, Telemetry
from hadron.settings import Settings
from hadron.topics import LIVE, POSITIONS, TICKS

GROUP = LIVE.group("latest")
_SLICE = 1_000
_IDLE_S = 0.1
_COMMIT_S = _CHECK_S = 1.0
_RETRY_S = 0.5

log = structlog.get_logger()


class Latest:
    """One consumer and one Redis.

    Reads on from the ends of its partitions at once, and what lies before them beside that, the
    newest first: no key goes back in time. The group only shares out the partitions; what is
    committed is for people who look at the lag.
    """

    def __init__(
        self,
        consumer: Consumer,
        past: Past,
        intake: Intake,
        projection: Projection,
        *,
        telemetry: Telemetry,
        alarms: Alarms,
        shards: int,
    ) -> None:
        self._consumer, self._past, self._intake = consumer, past, intake
        self._projection, self._shards = projection, shards
        self._telemetry, self._alarms = telemetry, alarms
        self._assigned: list[membership.Partition] = []
        self._read: dict[membership.Partition, int] = {}  # empty until the ends are known
        self._written: dict[membership.Partition, int] = {}
        self._folding: Iterator[int] | None = None
        self._began_s = self._committed_s = self._checked_s = 0.0
        self._look_s = self._retry_s = 0.0  # when Kafka and Redis are asked again

    def run(self, topics: Iterable[str], stop: Event) -> None:
        """Keep Redis up to date until `stop` is set."""
        self._consumer.subscribe(
            list(topics),
            on_assign=self._on_assign,
            on_revoke=self._on_revoke,
            on_lost=self._on_lost,
        )
        try:
            while not stop.is_set():
                self._turn()
            membership.commit_and_wait(self._consumer, self._written)
        finally:
            self._consumer.close()

    def _turn(self) -> None:
        patience_s = _IDLE_S if self._folding is None else 0
        messages = membership.taken(self._consumer, most=_SLICE, patience_s=patience_s)
        for message in messages:
            self._read[message.topic(), message.partition()] = message.offset() + 1
        self._intake.take(messages)
        now_s = time.monotonic()
        if now_s >= self._look_s:
            self._look_back()
        if now_s >= self._retry_s:
            self._update(now_s)
        if now_s - self._committed_s >= _COMMIT_S:
            self._committed_s = now_s
            membership.commit(self._consumer, self._written)

    def _look_back(self) -> None:
        """Begin to read the past of new partitions, or fold one more slice of it."""
        try:
            if self._assigned and not self._read:
                self._begin()
            elif self._folding is not None and next(self._folding, None) is None:
                self._folding = None
                seconds = time.monotonic() - self._began_s
                self._telemetry.observe(metrics.LATEST_REBUILD_SECONDS, seconds)
                log.info("latest.folded", keys=len(self._intake.hot.entries), seconds=seconds)
        except TransientError as error:
            log.warning("latest.kafka_down", reason=str(error))
            self._forget()
            self._look_s = time.monotonic() + _RETRY_S

    def _begin(self) -> None:
        self._began_s = time.monotonic()
        ends = self._past.ends(self._assigned)
        self._folding = self._past.fold(ends, self._intake)
        self._read = dict(ends)
        self._consumer.assign([TopicPartition(*place, end) for place, end in ends.items()])

    def _update(self, now_s: float) -> None:
        try:
            self._projection.write()
            whole = self._folding is None and bool(self._read)
            if whole and now_s - self._checked_s >= _CHECK_S:
                self._checked_s = now_s
                self._projection.check()
                self._projection.check_foreign(self._is_ours)
        except TransientError as error:
            self._retry_s = time.monotonic() + _RETRY_S
            self._telemetry.gauge(metrics.LATEST_UP, 0)
            self._alarms.raised("redis", str(error), severity="warning")
            log.warning("latest.redis_down", reason=str(error))
            return
        self._telemetry.gauge(metrics.LATEST_UP, 1)
        self._alarms.well("redis")
        if whole:
            self._written = dict(self._read)

    def _is_ours(self, instrument: str) -> bool:
        partition = partition_of(instrument, self._shards)
        return any(partition == ours for _, ours in self._assigned)

    def _forget(self) -> None:
        self._intake.hot.forget({partition for _, partition in self._read})
        self._read, self._written, self._folding = {}, {}, None

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._forget()
        self._assigned = [(partition.topic, partition.partition) for partition in partitions]
        consumer.assign([])  # nothing flows until the ends are known

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        membership.commit_and_wait(consumer, self._written)
        self._on_lost(consumer, partitions)

    def _on_lost(self, consumer: Consumer, _: list[TopicPartition]) -> None:
        self._assigned = []
        self._forget()
        consumer.unassign()


def run(
    settings: Settings, *, codec: Codec, telemetry: Telemetry, alarms: Alarms, stop: Event
) -> None:
    """Write `price:<instrument>`, `book:<instrument>` and `position:<...>` until `stop` is set.

    What the keys hold is in `documents`. Raise SettingsError where no Redis is set.
    """
    store, kafka = store_of(settings), connection.configuration(settings)
    consumer = membership.member(
        kafka,
        settings.prefix + GROUP,
        **membership.unhurried(1.0),
        **membership.session(settings.session_s),
        **{"auto.offset.reset": "earliest"},
    )
    ttl_ms = settings.hot_ttl_s * 1000
    hot = Hot(ttl_ms)
    latest = Latest(
        consumer,
        Past(kafka, ttl_ms=ttl_ms),
        Intake(hot, codec=codec, telemetry=telemetry),
        Projection(store, hot, telemetry),
        telemetry=telemetry,
        alarms=alarms,
        shards=settings.num_shards,
    )
    try:
        latest.run(topics_of(settings.prefix), stop)
    finally:
        store.close()


def topics_of(prefix: str) -> list[str]:
    """What hot keys are made of."""
    return [prefix + topic.name for topic in (*TICKS.values(), POSITIONS)]
