"""A control record that cannot be followed, made visible."""

from __future__ import annotations

import msgspec

from hadron.audit.facts import RecordPoisoned
from hadron.audit.letters import dead_letter
from hadron.audit.names import Place
from hadron.errors import ContractError
from hadron.fold import Received, Slice


def refused(
    slice: Slice, record: Received, *, process: str, error: ContractError
) -> RecordPoisoned:
    """The dead letter of a control fact. Its value is the fact as JSON: a fold sees no bytes."""
    return dead_letter(
        Place(slice.topic, slice.partition, record.offset),
        error,
        process=process,
        seen_ns=record.fact.at_ns,
        key=None,
        value=msgspec.json.encode(record.fact),
    )
