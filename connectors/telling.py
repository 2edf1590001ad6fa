"""Brings what is said of a subject onto the topic `alerts`, if it does not say so already."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import structlog

from connectors.kafka.log import KafkaLog
from hadron import metrics
from hadron.audit.alerts import Alert, Alerts, Said
from hadron.audit.facts import Severity
from hadron.errors import ContractError, HadronError, TransientError
from hadron.partitions import partition_of
from hadron.ports import Codec, FactLog, Telemetry
from hadron.topics import ALERTS, Names, key_of

# Of the bus itself: every process sees that it is gone, and the first that can tells of it.
BUS = "kafka"
_FLUSH_S = 10.0

log = structlog.get_logger()


def facts(
    on: FactLog, place: tuple[str, int], *, end: int, codec: Codec, start: int = 0
) -> Iterator[Alert]:
    """What one partition of the topic still has before `end`, from `start` on."""
    start = max(start, on.starts([place])[place])
    for record in on.read(*place, start=start, end=end) if start < end else ():
        with suppress(ContractError):  # the archive keeps it as a dead letter
            yield codec.decode(record.value or b"")


class Teller:
    """Reads the topic before it appends, and says when Kafka was gone once it is back."""

    def __init__(
        self,
        process: str,
        *,
        open_log: Callable[[], KafkaLog],
        codec: Codec,
        telemetry: Telemetry,
        names: Names,
        partitions: int,
    ) -> None:
        self._process, self._open_log, self._codec = process, open_log, codec
        self._telemetry, self._partitions = telemetry, partitions
        self._topic = names.write(ALERTS.name)
        self._alerts = Alerts()
        self._read: dict[int, int] = {}
        self._log: KafkaLog | None = None
        self._gone: Said | None = None  # the bus, while it is

    def show(self, said: Said) -> None:
        """Where people look without Kafka: the log lines and metrics of the process."""
        wrong = said.severity is not None
        self._telemetry.gauge(metrics.ALERT_RAISED, float(wrong), subject=said.subject)
        if wrong:
            log.error("alert", subject=said.subject, severity=said.severity, text=said.text)

    def look(self) -> None:
        """Notice that Kafka is gone, or back."""
        self.told(self._bus("it is there", None))

    def told(self, said: Said) -> bool:
        """Whether Kafka took it, had it before, or never will; False: try again."""
        try:
            self._log = self._log or self._open_log()
            self._append(said, self._log)
            if self._gone is not None:
                self._append(self._gone, self._log)
                self._gone, back = None, self._bus("it is back", None)
                self._append(back, self._log)
                self.show(back)
        except TransientError as error:
            self._miss(error)
            return False
        except HadronError as error:  # no such topic, or not ours to write to
            log.error("alert.refused", error=str(error), subject=said.subject, text=said.text)
        return True

    def close(self) -> None:
        """Disconnect."""
        if self._log is not None:
            self._log.close()
            self._log = None

    def _append(self, said: Said, on: KafkaLog) -> None:
        partition = partition_of(said.subject, self._partitions)
        place = (self._topic, partition)
        self._catch_up(on, place)
        fact = self._alerts.follows(said, partition)
        if fact is None:
            return
        record = (key_of(fact), self._codec.encode(fact))
        on.append(*place, [record], timestamp_ms=said.at_ns // 1_000_000)
        on.flush(_FLUSH_S)
        if said.severity is not None:
            self._telemetry.count(metrics.ALERTS, subject=said.subject, severity=said.severity)

    def _catch_up(self, on: KafkaLog, place: tuple[str, int]) -> None:
        start, end = self._read.get(place[1], 0), on.ends([place])[place]
        if start < end:
            for fact in facts(on, place, end=end, codec=self._codec, start=start):
                self._alerts.take(fact)
            self._read[place[1]] = end

    def _miss(self, error: TransientError) -> None:
        self.close()  # what it did not bring there, it must not bring there later
        if self._gone is None:
            self._gone = self._bus(f"it is gone: {error}", "critical")
            self.show(self._gone)

    def _bus(self, text: str, severity: Severity | None) -> Said:
        return Said(self._process, BUS, text, time.time_ns(), severity)
