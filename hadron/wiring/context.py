"""What every process is built from."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Event

import msgspec

from hadron.envelope import AvroCodec, Version
from hadron.errors import SettingsError
from hadron.ports import Alarms, Codec, Pulse, Telemetry, Tracer
from hadron.settings import Settings
from hadron.topics import LIVE, Names, paced_names, replay_names
from hadron.variables import variable


class Context(msgspec.Struct, frozen=True):
    """What every process is built from."""

    process: str
    settings: Settings
    options: Mapping[str, str]  # of the command line: venue, tape, seed, ...
    codec: Codec
    telemetry: Telemetry
    tracer: Tracer
    pulse: Pulse
    alarms: Alarms
    stop: Event

    @property
    def names(self) -> Names:
        return names_of(self.settings)


def names_of(settings: Settings) -> Names:
    """What topics are called: live, or in the replay that HADRON_PREFIX names."""
    if not settings.prefix:
        return LIVE
    kind, _, rest = settings.prefix.partition(".")
    if kind != "replay" or not rest.endswith(".") or len(rest) < 2:
        wanted = "nothing, or replay.<run>."
        raise SettingsError([f"{variable('prefix')}: {settings.prefix!r}; wanted {wanted}"])
    return paced_names(rest[:-1]) if settings.replay_raw == "copied" else replay_names(rest[:-1])


def codec_of(settings: Settings) -> AvroCodec:
    """The codec with the registry's ids where one is set, else with the catalogue's."""
    import schemas

    if settings.registry:
        from connectors.registry import registered

        contracts = [(c.name, c.schema) for c in schemas.catalogue()]
        return AvroCodec(*registered(settings.registry, contracts))
    return AvroCodec([Version(c.id, c.name, c.schema) for c in schemas.catalogue()])
