"""How Kafka is reached, and its client's errors turned into ours."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_exponential

from hadron.errors import HadronError, TransientError
from hadron.settings import Settings

# librdkafka marks errors as retriable for transactions only; these pass with time.
TRANSIENT = frozenset(
    {
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError._DESTROY,
        KafkaError._MSG_TIMED_OUT,
        KafkaError._NOENT,  # of offsets: no leader known yet, or no such topic yet
        KafkaError._QUEUE_FULL,
        KafkaError._RESOLVE,
        KafkaError._RETRY,
        KafkaError._TIMED_OUT,
        KafkaError._TIMED_OUT_QUEUE,
        KafkaError._TRANSPORT,
        KafkaError._WAIT_CACHE,
        KafkaError._WAIT_COORD,
        KafkaError.BROKER_NOT_AVAILABLE,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.KAFKA_STORAGE_ERROR,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NETWORK_EXCEPTION,
        KafkaError.NOT_CONTROLLER,
        KafkaError.NOT_COORDINATOR,
        KafkaError.NOT_ENOUGH_REPLICAS,
        KafkaError.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.OFFSET_NOT_AVAILABLE,
        KafkaError.REBALANCE_IN_PROGRESS,
        KafkaError.REQUEST_TIMED_OUT,
        KafkaError.THROTTLING_QUOTA_EXCEEDED,
        KafkaError.UNKNOWN_LEADER_EPOCH,
    }
)
# How long a request of the admin client may take.
ADMIN_TIMEOUT_S = 30.0

# A topic just made, a leader just moved, a coordinator just started: for a moment nobody answers.
patiently = retry(
    retry=retry_if_exception_type(TransientError),
    wait=wait_exponential(0.02, max=0.5),
    stop=stop_after_delay(10),
    reraise=True,
)


def configuration(settings: Settings) -> dict[str, Any]:
    """What every client of librdkafka needs to reach the brokers. It may hold a password."""
    found: dict[str, Any] = {
        "bootstrap.servers": settings.kafka,
        "security.protocol": settings.kafka_security,
        # Its own way is stderr, past our logs.
        "logger": logging.getLogger("librdkafka"),
    }
    if settings.kafka_ca is not None:
        found["ssl.ca.location"] = settings.kafka_ca
    if settings.kafka_security.startswith("SASL"):
        found["sasl.mechanism"] = "SCRAM-SHA-512"
        found["sasl.username"] = settings.kafka_username or ""
        password = settings.kafka_password
        found["sasl.password"] = password.get_secret_value() if password else ""
    return found


def on_a_loop(settings: Settings) -> dict[str, Any]:
    """What every client of aiokafka needs to reach the brokers. It may hold a password."""
    found: dict[str, Any] = {
        "bootstrap_servers": settings.kafka,
        "security_protocol": settings.kafka_security,
    }
    if settings.kafka_security.endswith("SSL"):
        found["ssl_context"] = ssl.create_default_context(cafile=settings.kafka_ca)
    if settings.kafka_security.startswith("SASL"):
        password = settings.kafka_password
        found["sasl_mechanism"] = "SCRAM-SHA-512"
        found["sasl_plain_username"] = settings.kafka_username or ""
        found["sasl_plain_password"] = password.get_secret_value() if password else ""
    return found


@contextmanager
def our_errors(doing: str) -> Iterator[None]:
    """Turn confluent-kafka's errors into ours, which begin with what was being done."""
    try:
        yield
    except KafkaException as error:
        [cause, *_] = error.args
        raise ours(cause, doing) from error


def ours(cause: KafkaError | str, doing: str) -> HadronError:
    """TransientError for what passes with time, else HadronError."""
    if not isinstance(cause, KafkaError):
        return HadronError(f"{doing}: {cause}")
    kind = TransientError if cause.code() in TRANSIENT and not cause.fatal() else HadronError
    return kind(f"{doing}: {cause.name()}, {cause.str()}")


def failed_with(future: Future[Any], tolerated: int) -> bool:
    """Wait for an admin request; whether it failed for the one reason that is no error here."""
    try:
        future.result()
    except KafkaException as error:
        if error.args[0].code() != tolerated:
            raise
        return True
    return False
