"""The process `gateway`: approved intents become simulated orders, each exactly once in effect.

Live order entry does not exist. There is no connection to a venue in here, nor a setting that
would make one: an order is filled or rejected by `hadron.orders.fills` alone.
"""

from __future__ import annotations

import time
from threading import Event

import structlog
from confluent_kafka import Consumer, TopicPartition

from connectors.gateways.answers import PROCESS, Answers
from connectors.gateways.refusals import Refusals
from connectors.kafka import connection, membership
from connectors.kafka.log import KafkaLog
from connectors.kafka.reading import record_of
from hadron import metrics
from hadron.errors import SettingsError
from hadron.ports import Alarms, Codec, FactLog, Pulse, Telemetry, Tracer
from hadron.sessions import Session
from hadron.settings import Settings
from hadron.topics import INTENTS, LIVE, Names
from hadron.variables import variable

_IDLE_S = 0.1  # how long a stop may go unseen
_COMMIT_S = 1.0

events = structlog.get_logger()


class Gateway:
    """One member of the group. What Kafka has committed only says where to begin without orders."""

    def __init__(
        self,
        consumer: Consumer,
        answers: Answers,
        *,
        log: FactLog,
        telemetry: Telemetry,
        pulse: Pulse,
        names: Names,
        session_s: float,
    ) -> None:
        self._consumer, self._answers, self._log = consumer, answers, log
        self._telemetry, self._pulse = telemetry, pulse
        self._topic = names.read(INTENTS.name)
        self._session = Session(PROCESS, session_s, now_s=time.monotonic())
        self._committed_s = self._session.alive_s

    def run(self, stop: Event) -> None:
        """Answer until `stop` is set, then wait until all answers are on the log.

        Raise HadronError where going on could answer an intent twice or not at all.
        """
        try:
            self._consumer.subscribe(
                [self._topic],
                on_assign=self._on_assign,
                on_revoke=self._on_revoke,
                on_lost=self._on_lost,
            )
            while not stop.is_set():
                self._turn()
            self._hand_over()
        finally:
            self._answers.release()
            self._consumer.close()

    def _turn(self) -> None:
        # One by one: an order must not wait for the next intent.
        messages = membership.taken(self._consumer, most=1, patience_s=_IDLE_S)
        self._session.check(time.monotonic())
        for message in messages:
            record = record_of(message)
            self._answers.take(record)
            hop_s = time.time() - record.timestamp_ms / 1000
            self._telemetry.observe(metrics.HOP_SECONDS, hop_s, process=PROCESS)
        self._log.poll()
        self._pulse.beat()
        if self._session.alive_s - self._committed_s >= _COMMIT_S:
            self._committed_s = self._session.alive_s
            self._show()

    def _show(self) -> None:
        settled = self._settled()
        membership.commit(self._consumer, settled)
        lag = membership.lag(self._consumer, settled).get(self._topic, 0)
        self._telemetry.gauge(metrics.LAG_RECORDS, lag, process=PROCESS, topic=INTENTS.name)
        self._pulse.lag(lag)

    def _settled(self) -> dict[membership.Partition, int]:
        return {(self._topic, at): offset for at, offset in self._answers.settled().items()}

    def _hand_over(self) -> None:
        self._log.flush()
        membership.commit_and_wait(self._consumer, self._settled())

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        # After a lost session answers may still be under way; `orders` must show them first.
        self._log.flush()
        with connection.our_errors("asking what the gateway's group committed"):
            committed = consumer.committed(partitions, timeout=30)
        known = {place.partition: place.offset for place in committed if place.offset >= 0}
        for place in partitions:
            place.offset = self._answers.hold(place.partition, committed=known.get(place.partition))
            events.info("gateway.assigned", partition=place.partition, offset=place.offset)
        consumer.assign(partitions)
        self._telemetry.gauge(metrics.SHARDS, len(partitions), process=PROCESS)
        self._pulse.ready("assigned", True)
        # Heartbeats went on meanwhile, from another thread.
        self._session.alive_s = time.monotonic()

    def _on_revoke(self, consumer: Consumer, _: list[TopicPartition]) -> None:
        # The next holder reads where `orders` end: all of ours must be there by then.
        if self._answers.settled():
            self._hand_over()
        self._on_lost(consumer, [])

    def _on_lost(self, consumer: Consumer, _: list[TopicPartition]) -> None:
        self._answers.release()
        consumer.unassign()
        self._session.alive_s = time.monotonic()


def run(
    settings: Settings,
    *,
    codec: Codec,
    telemetry: Telemetry,
    tracer: Tracer,
    pulse: Pulse,
    alarms: Alarms,
    stop: Event,
) -> None:
    """Answer the live intents until `stop` is set.

    Raise SettingsError in a replay: what happened once must not be ordered again.
    """
    refuse_replay(settings)
    log = KafkaLog(connection.configuration(settings), linger_ms=settings.linger_ms)
    gateway = assembled(
        settings,
        log,
        codec=codec,
        telemetry=telemetry,
        tracer=tracer,
        pulse=pulse,
        alarms=alarms,
        names=LIVE,
    )
    gateway.run(stop)


def assembled(
    settings: Settings,
    log: FactLog,
    *,
    codec: Codec,
    telemetry: Telemetry,
    tracer: Tracer,
    pulse: Pulse,
    alarms: Alarms,
    names: Names,
) -> Gateway:
    """A gateway that has not joined its group yet."""
    consumer = membership.member(
        connection.configuration(settings),
        names.group(PROCESS),
        **membership.session(settings.session_s),
    )
    answers = Answers(
        log,
        codec=codec,
        telemetry=telemetry,
        tracer=tracer,
        names=names,
        partitions=settings.num_shards,
        refusals=Refusals(alarms, limit=settings.alert_refusals),
    )
    return Gateway(
        consumer,
        answers,
        log=log,
        telemetry=telemetry,
        pulse=pulse,
        names=names,
        session_s=settings.session_s,
    )


def refuse_replay(settings: Settings) -> None:
    """Raise SettingsError if the settings are those of a replay."""
    if settings.prefix:
        wanted = "none, because a replay has no way to the gateway"
        raise SettingsError([f"{variable('prefix')}: {settings.prefix!r}; wanted {wanted}"])
