"""What a feed is given from outside, and how it is paced."""

from __future__ import annotations

import msgspec

from hadron.ports import Alarms, Codec, LoopLog, Pulse, Telemetry, Tracer
from hadron.reference.instruments import InstrumentIds
from hadron.venues.protocol import VenueProtocol


class Outside(msgspec.Struct, frozen=True):
    """The outside world of a feed."""

    log: LoopLog
    codec: Codec
    telemetry: Telemetry
    tracer: Tracer
    pulse: Pulse
    alarms: Alarms


class Source(msgspec.Struct, frozen=True):
    """Which venue, where it is, and how its events are keyed."""

    venue: str
    url: str
    protocol: VenueProtocol
    ids: InstrumentIds
    partitions: int


class Pace(msgspec.Struct, frozen=True):
    """Times in seconds, sizes in records or bytes."""

    first_delay_s: float = 0.5  # the n-th delay in a row is random below first * 2**(n - 1) ...
    most_delay_s: float = 30.0  # ... or below this
    fatal_delay_s: float = 300.0  # after a refusal that only an operator can mend
    tick_s: float = 0.25  # how often the protocol is told the time
    ping_s: float = 5.0
    open_s: float = 10.0
    close_s: float = 5.0  # a closing handshake; all that the venue sent before its end is read
    in_flight: int = 100_000  # records not stored yet, above which the socket is not read
    missed_s: float = 10.0  # without a live connection, until people are told
    frame_bytes: int = 10 * 2**20  # Coinbase's snapshots are of several MB
