"""How a process is watched: its health, and what it says people should see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hadron.ports import Alarms, Codec, Telemetry
from hadron.settings import Settings
from hadron.wiring.context import names_of

if TYPE_CHECKING:
    from connectors.alarms import KafkaAlarms
    from connectors.http.health import Health


def alarms_of(
    process: str, settings: Settings, *, codec: Codec, telemetry: Telemetry
) -> KafkaAlarms:
    """Onto the topic `alerts`; nothing is connected before the first is raised."""
    from connectors.alarms import KafkaAlarms
    from connectors.kafka.connection import configuration
    from connectors.kafka.log import KafkaLog
    from connectors.telling import Teller

    teller = Teller(
        process,
        open_log=lambda: KafkaLog(configuration(settings)),
        codec=codec,
        telemetry=telemetry,
        names=names_of(settings),
        partitions=settings.num_shards,
    )
    return KafkaAlarms(process, teller)


def health_of(
    process: str, settings: Settings, *, version: str, alarms: Alarms, expected: Sequence[str]
) -> Health:
    """What /health and /ready say; a lag beyond HADRON_ALERT_LAG is an alert."""
    from connectors.http.health import Health

    def lagging(records: int) -> None:
        text = f"{process} is {records} records behind"
        alarms.measured("lag", records, limit=settings.alert_lag, text=text)

    return Health(process, version, expected=expected, lagging=lagging)
