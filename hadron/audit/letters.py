"""Dead letters: what could not be read or followed, made visible."""

from __future__ import annotations

from hadron.audit.facts import RecordPoisoned
from hadron.audit.names import Place


def dead_letter(
    place: Place,
    error: Exception | str,
    *,
    process: str,
    seen_ns: int,
    key: bytes | None,
    value: bytes,
) -> RecordPoisoned:
    """The dead letter of the record at a place of the log, with the bytes that are kept of it."""
    return RecordPoisoned(
        source=place.topic,
        partition=place.partition,
        offset=place.offset,
        index=0,
        process=process,
        error=str(error),
        seen_ns=seen_ns,
        key=key,
        value=value,
    )
