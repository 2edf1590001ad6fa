"""What a stream is given from outside, and how it is paced."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from hadron.ports import Codec, LoopLog, Pulse, Telemetry, Tracer
from hadron.strategy.versions import Code


class Tools(msgspec.Struct, frozen=True):
    """The outside world of a stream."""

    log: LoopLog
    codec: Codec
    telemetry: Telemetry
    tracer: Tracer
    pulse: Pulse
    codes: Mapping[str, Code] = {}  # of the kinds of strategy


class Pace(msgspec.Struct, frozen=True):
    """How much waits, and how often state is stored."""

    checkpoint_s: float = 1.0
    queue_records: int = 4000  # waiting of one partition before it is not fetched any more
    fetch_s: float = 0.003  # between fetches, at least: one for each record would cost all time
    hash_entries: int = 0  # of the journal, between hashes of the state; 0: none
    session_s: float = 10.0  # after standing still so long, our partitions may be another's
