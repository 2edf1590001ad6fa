"""Connections of a command: to Kafka without noise on the terminal, and to the names in use."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import msgspec

from hadron import topics
from hadron.topics import Names, Topic

if TYPE_CHECKING:
    from connectors.kafka.groups import Admin
    from connectors.kafka.log import KafkaLog
    from hadron.settings import Settings


def names(settings: Settings) -> Names:
    """What topics and groups are called. Raise SettingsError for an impossible HADRON_PREFIX."""
    from hadron.wiring import names_of

    return names_of(settings)


def declared(settings: Settings) -> list[Topic]:
    """The catalogue of topics, by their names on the log; shadows are beside the live run only."""
    run = names(settings)
    return [
        msgspec.structs.replace(topic, name=run.write(topic.name))
        for topic in topics.ALL
        if not (run.prefix and isinstance(topic, topics.ShadowTopic))
    ]


def admin(settings: Settings) -> Admin:
    """Kafka's administration, for the functions of connectors.kafka.admin."""
    from connectors.kafka.admin import connect

    return connect(connection(settings))


def fact_log(settings: Settings) -> KafkaLog:
    """The log itself."""
    from connectors.kafka.log import KafkaLog

    return KafkaLog(connection(settings))


def connection(settings: Settings) -> dict[str, Any]:
    """What every client of Kafka needs, without its noise."""
    from connectors.kafka.connection import configuration

    # A command says in one sentence what failed; the client would say it every second.
    silent = logging.getLogger("hadron.cli.librdkafka")
    silent.propagate = False
    silent.addHandler(logging.NullHandler())
    return {**configuration(settings), "logger": silent}
