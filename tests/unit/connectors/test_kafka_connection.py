"""What the clients of Kafka are given, and what becomes of their errors."""

from __future__ import annotations

import ssl

import pytest
from confluent_kafka import KafkaError, KafkaException
from pydantic import SecretStr

from connectors.kafka.connection import configuration, on_a_loop, our_errors
from hadron.errors import HadronError, TransientError
from hadron.settings import Settings


def test_a_plain_broker_needs_its_address_only() -> None:
    found = configuration(Settings(kafka="broker:9092"))

    del found["logger"]
    assert found == {"bootstrap.servers": "broker:9092", "security.protocol": "PLAINTEXT"}


def test_a_guarded_broker_gets_user_password_and_ca() -> None:
    settings = Settings(
        kafka="broker:9093",
        kafka_security="SASL_SSL",
        kafka_username="hadron",
        kafka_password=SecretStr("a password of this test"),
        kafka_ca="ca.pem",
    )

    found = configuration(settings)

    del found["logger"]
    assert found == {
        "bootstrap.servers": "broker:9093",
        "security.protocol": "SASL_SSL",
        "ssl.ca.location": "ca.pem",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "hadron",
        "sasl.password": "a password of this test",
    }


def test_a_client_on_a_loop_of_a_plain_broker_needs_its_address_only() -> None:
    found = on_a_loop(Settings(kafka="broker:9092"))

    assert found == {"bootstrap_servers": "broker:9092", "security_protocol": "PLAINTEXT"}


def test_a_client_on_a_loop_of_a_guarded_broker_gets_user_and_password_and_checks_names() -> None:
    settings = Settings(
        kafka="broker:9093",
        kafka_security="SASL_SSL",
        kafka_username="hadron",
        kafka_password=SecretStr("a password of this test"),
    )

    found = on_a_loop(settings)

    context = found.pop("ssl_context")
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert found == {
        "bootstrap_servers": "broker:9093",
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "hadron",
        "sasl_plain_password": "a password of this test",
    }


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (KafkaError._TRANSPORT, TransientError),
        (KafkaError.NOT_LEADER_FOR_PARTITION, TransientError),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, HadronError),
    ],
)
def test_what_passes_with_time_is_transient(code: int, kind: type[HadronError]) -> None:
    with (
        pytest.raises(HadronError, match="counting sheep: ") as caught,
        our_errors("counting sheep"),
    ):
        raise KafkaException(KafkaError(code))

    assert type(caught.value) is kind
