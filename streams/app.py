"""A Faust app as Hadron needs it: raw bytes, slices, our own acknowledgements, nothing else."""

from __future__ import annotations

import ssl

import faust

from hadron.settings import Settings

# Of one partition in one fetch. More would hold up the others while it is read.
FETCH_BYTES = 256 * 1024


class _App(faust.App):  # type: ignore[misc]
    """Faust would leave folders behind for tables, of which we have none."""

    def _create_directories(self) -> None:
        pass


def make_app(group: str, settings: Settings, *, client_id: str) -> faust.App:
    """An app that consumes as `group`, where it is shown as `client_id`.

    It has no web server, no leader and creates no topics.
    """
    return _App(
        group,
        broker=[f"kafka://{server.strip()}" for server in settings.kafka.split(",")],
        broker_client_id=client_id,
        broker_credentials=_credentials(settings),
        broker_max_poll_records=settings.fetch_records,
        consumer_max_fetch_size=FETCH_BYTES,
        broker_session_timeout=settings.session_s,
        broker_heartbeat_interval=settings.session_s / 3,
        broker_request_timeout=max(30.0, settings.session_s),
        broker_commit_interval=1.0,
        consumer_auto_offset_reset="earliest",
        stream_buffer_maxsize=settings.queue_slices,
        stream_wait_empty=True,
        producer_request_timeout=30.0,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        autodiscover=False,
    )


def _credentials(settings: Settings) -> faust.SSLCredentials | faust.SASLCredentials | None:
    context = (
        ssl.create_default_context(cafile=settings.kafka_ca)
        if settings.kafka_security.endswith("SSL")
        else None
    )
    if settings.kafka_security.startswith("SASL"):
        password = settings.kafka_password
        return faust.SASLCredentials(
            mechanism="SCRAM-SHA-512",
            username=settings.kafka_username,
            password=password.get_secret_value() if password else None,
            ssl_context=context,
        )
    return faust.SSLCredentials(context=context) if context else None
