"""A gateway under names of a test, to be killed: `python -m ... <kafka> <prefix> <partitions>`."""

from __future__ import annotations

import signal
import sys
from threading import Event

from connectors.gateways.gateway import assembled
from connectors.http.health import Health
from connectors.kafka.connection import configuration
from connectors.kafka.log import KafkaLog
from connectors.telemetry.metrics import PrometheusTelemetry
from connectors.telemetry.tracing import NoTracer
from hadron.settings import Settings
from hadron.topics import Names
from tests.alarms import Heard
from tests.support import codec


def main(kafka: str, prefix: str, partitions: int) -> None:
    """Run until SIGTERM."""
    stop = Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    settings = Settings(kafka=kafka, num_shards=partitions)
    gateway = assembled(
        settings,
        KafkaLog(configuration(settings)),
        codec=codec(),
        telemetry=PrometheusTelemetry(),
        tracer=NoTracer(),
        pulse=Health("gateway", "test"),
        alarms=Heard(),
        names=Names(prefix),
    )
    gateway.run(stop)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
