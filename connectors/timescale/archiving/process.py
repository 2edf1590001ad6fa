"""The process `archive`, put together from settings."""

from __future__ import annotations

from functools import partial
from threading import Event

import psycopg
from psycopg_pool import ConnectionPool

from connectors.anchors import anchoring
from connectors.kafka import connection, membership
from connectors.timescale.archiving.ailments import Ailments
from connectors.timescale.archiving.archive import Archive
from connectors.timescale.archiving.intake import Intake
from connectors.timescale.archiving.interpreter import for_many_rows
from connectors.timescale.archiving.store import Store
from connectors.timescale.archiving.writer import Writer
from hadron import topics
from hadron.errors import SettingsError
from hadron.ports import Alarms, Codec, Pulse, Telemetry
from hadron.settings import Settings
from hadron.topics import LIVE, Topic
from hadron.variables import variable

GROUP = LIVE.group("archive")


def catalogue(prefix: str = "") -> dict[str, Topic]:
    """The topics that are stored, by the names that they have with a prefix."""
    return {prefix + topic.name: topic for topic in topics.sink_topics()}


def run(
    settings: Settings,
    *,
    codec: Codec,
    telemetry: Telemetry,
    pulse: Pulse,
    alarms: Alarms,
    stop: Event,
    group: str = GROUP,
) -> None:
    """Store the sink topics until `stop` is set, then what was read of them.

    Raise PoisonLimitReached after 100 unreadable records in a row, HadronError where the database
    was not migrated or Kafka deleted records before they were stored.
    """
    stored = catalogue(settings.prefix)
    pool = pool_of(settings)
    pool.open(wait=False)
    kafka = connection.configuration(settings)
    ailments = Ailments(alarms, pool, slow_s=settings.alert_slow_s)
    writer = Writer(Store(pool, codec), pool, telemetry=telemetry, ailments=ailments)
    archive = Archive(
        membership.member(
            kafka,
            settings.prefix + group,
            **membership.unhurried(settings.batch_s),
            **membership.session(settings.session_s),
        ),
        writer,
        Intake(stored, codec=codec, telemetry=telemetry),
        starts=partial(membership.starts, kafka),
        telemetry=telemetry,
        pulse=pulse,
        batch_rows=settings.batch_rows,
        batch_s=settings.batch_s,
    )
    with (
        for_many_rows(),
        anchoring(settings, lambda: dict(writer.heads), codec=codec, telemetry=telemetry),
    ):
        archive.run(stored, stop)


def pool_of(settings: Settings) -> ConnectionPool[psycopg.Connection]:
    """The pool of database connections, not opened yet. Raise SettingsError without a database."""
    if settings.database is None:
        wanted = "postgresql://user:password@host:port/name"
        raise SettingsError([f"{variable('database')}: is not set; wanted {wanted}"])
    return ConnectionPool(
        settings.database.get_secret_value(),
        min_size=1,
        max_size=settings.pool_max,
        timeout=settings.pool_acquire_s,
        max_idle=settings.pool_idle_s,
        max_lifetime=settings.pool_lifetime_s,
        reconnect_timeout=1,  # the writer's own backoff tries again, and sooner
        check=ConnectionPool.check_connection,
        configure=_configured,
        kwargs={"autocommit": True, "application_name": "hadron-archive"},
        open=False,
        name="archive",
    )


def _configured(connection: psycopg.Connection) -> None:
    # Late rows may meet any number of compressed ones; elsewhere the name means nothing.
    connection.execute("SET timescaledb.max_tuples_decompressed_per_dml_transaction = 0")
