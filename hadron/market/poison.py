"""A raw event that cannot be read, made visible."""

from __future__ import annotations

from hadron.audit.facts import RecordPoisoned
from hadron.audit.letters import dead_letter
from hadron.audit.names import Place
from hadron.errors import ContractError
from hadron.fold import Received, Slice


def unreadable(
    slice: Slice, record: Received, *, process: str, error: ContractError
) -> RecordPoisoned:
    """The dead letter of a RawReceived: its value is the venue's bytes, its key the instrument."""
    raw = record.fact
    return dead_letter(
        Place(slice.topic, slice.partition, record.offset),
        error,
        process=process,
        seen_ns=raw.seen_ns,
        key=raw.instrument.encode(),
        value=raw.payload,
    )
