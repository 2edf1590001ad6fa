"""What the processes of a replay are told, and what not."""

from __future__ import annotations

from hadron.cli.replay.isolation import environment
from hadron.settings import settings_from
from hadron.topics import replay_names
from hadron.wiring import names_of

SECRETS = {
    "HADRON_DATABASE": "postgresql://u:database-secret@db/h",
    "HADRON_REDIS": "redis://:redis-secret@cache/0",
    "HADRON_MASSIVE_KEY": "massive-secret",
    "HADRON_MASSIVE_URL": "wss://venue.example",
    "KALSHI_API_KEY": "kalshi-secret",
    "AWS_SECRET_ACCESS_KEY": "aws-secret",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector.example",
    "HTTPS_PROXY": "http://proxy.example",
}
NEEDED = {
    "HADRON_KAFKA": "broker:9092",
    "HADRON_KAFKA_SECURITY": "SASL_SSL",
    "HADRON_KAFKA_USERNAME": "replay",
    "HADRON_KAFKA_PASSWORD": "kafka-secret",
    "HADRON_NUM_SHARDS": "8",
    "PATH": "/usr/bin",
}


def told() -> dict[str, str]:
    environ = {**SECRETS, **NEEDED}
    settings = settings_from(environ)
    return environment(settings, environ, names=replay_names("r"), raw="copied")


def test_nothing_that_leads_to_a_venue_or_a_store_is_passed_on() -> None:
    passed = told()

    assert not SECRETS.keys() & passed.keys()
    assert not set(SECRETS.values()) & set(passed.values())


def test_the_way_to_kafka_is_passed_on() -> None:
    assert NEEDED.items() <= told().items()


def test_they_know_that_they_are_a_replay_and_disturb_nobody_else() -> None:
    settings = settings_from(told())

    assert names_of(settings).prefix == "replay.r."
    assert names_of(settings).read("raw.massive") == "replay.r.raw.massive"
    assert (settings.http_host, settings.http_port) == ("127.0.0.1", 0)
