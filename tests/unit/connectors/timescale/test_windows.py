"""Refresh, compression and retention fit together, whatever the settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis.strategies import integers, none

from connectors.timescale.storage.windows import (
    DAY,
    FOR_EVER,
    HOUR,
    LEVELS,
    MINUTE,
    TABLES,
    Keep,
    Level,
    Table,
    drop_after,
    keep_of,
    refresh_from,
)
from hadron import topics
from hadron.errors import SettingsError
from hadron.settings import settings_from

FIVE_YEARS = 1827 * DAY  # two of them may be leap years
AHEAD = HOUR  # how far a venue's clock may be ahead of ours


def violations(
    keep: Keep = FOR_EVER,
    *,
    levels: Sequence[Level] = LEVELS,
    tables: Mapping[str, Table] = TABLES,
    start: timedelta | None = None,
) -> Iterator[str]:
    """The rules that these times break. `start` stands for what `refresh_from` would say."""
    for below, above in pairwise(levels):
        if above.width % below.width or above.width <= below.width:
            yield f"{above.interval} is not made of whole {below.interval}"
        if above.settled < below.settled + below.each:
            yield f"{above.interval} may be made before {below.interval} is"
    for level in levels:
        if level.settled < level.width:
            yield f"{level.interval}: a running bucket may be made"
        age = start if start is not None else refresh_from(level, keep)
        # TimescaleDB refuses a window of less than two buckets.
        if age is not None and age < level.settled + 2 * level.width:
            yield f"{level.interval}: the window to make again is too short"
    yield from _of_tables(keep, levels[0], tables, start)


def _of_tables(
    keep: Keep, seconds: Level, tables: Mapping[str, Table], start: timedelta | None
) -> Iterator[str]:
    for name, table in tables.items():
        if table.compress_after < table.chunk:
            yield f"{name}: a chunk is compressed while it is filled"
        dropped = drop_after(table, keep)
        if table.kept_as == "audit" and dropped is not None and dropped - table.chunk < FIVE_YEARS:
            yield f"{name}: dropped before five years"
    ticks = tables["ticks"]
    # What the archive reads late from Kafka comes into chunks that are not compressed yet.
    if ticks.compress_after < timedelta(milliseconds=topics.TICKS["fast"].retention_ms):
        yield "ticks: compressed while Kafka may still give some"
    dropped = drop_after(ticks, keep)
    oldest = start if start is not None else refresh_from(seconds, keep)
    # A chunk was made at its begin, or `AHEAD` before; so old is its end when it is dropped.
    if dropped is not None and (oldest is None or dropped - ticks.chunk - AHEAD < oldest):
        yield "seconds are made again where ticks were dropped"


DAYS = none() | integers(2, 4000)


@given(raw=DAYS, ticks=DAYS, audit=none() | integers(1827, 9999))
def test_the_times_fit_together_whatever_is_kept(
    raw: int | None, ticks: int | None, audit: int | None
) -> None:
    given = {
        "HADRON_KEEP_RAW_DAYS": raw,
        "HADRON_KEEP_TICKS_DAYS": ticks,
        "HADRON_KEEP_AUDIT_DAYS": audit,
    }
    environment = {name: str(days) for name, days in given.items() if days is not None}

    keep = keep_of(settings_from({"HADRON_KAFKA": "x:1", **environment}))

    assert list(violations(keep)) == []


def test_nothing_is_dropped_until_somebody_says_so() -> None:
    keep = keep_of(settings_from({"HADRON_KAFKA": "x:1"}))

    assert keep == FOR_EVER
    assert {drop_after(table, keep) for table in TABLES.values()} == {None}
    assert {refresh_from(level, keep) for level in LEVELS} == {None}


def test_ticks_are_kept_for_as_long_as_was_asked_to_the_last_of_a_chunk() -> None:
    assert drop_after(TABLES["ticks"], Keep(ticks=30 * DAY)) == 31 * DAY


@pytest.mark.parametrize(
    ("name", "days"),
    [
        ("HADRON_KEEP_RAW_DAYS", "1"),
        ("HADRON_KEEP_TICKS_DAYS", "1"),
        ("HADRON_KEEP_AUDIT_DAYS", "1826"),
    ],
)
def test_what_would_break_a_rule_is_refused(name: str, days: str) -> None:
    with pytest.raises(SettingsError, match=f"{name}: '{days}'"):
        settings_from({"HADRON_KAFKA": "x:1", name: days})


def changed(place: int, **times: Any) -> list[Level]:
    return [level._replace(**times) if n == place else level for n, level in enumerate(LEVELS)]


@pytest.mark.parametrize(
    ("levels", "rule"),
    [
        (changed(1, width=MINUTE + timedelta(milliseconds=1)), "1m is not made of whole 1s"),
        (changed(2, width=MINUTE), "1h is not made of whole 1m"),
        (changed(1, settled=MINUTE), "1m may be made before 1s is"),
        (changed(1, each=2 * HOUR), "1h may be made before 1m is"),
        (changed(3, settled=3 * HOUR), "1d: a running bucket may be made"),
    ],
)
def test_a_broken_chain_of_levels_is_seen(levels: list[Level], rule: str) -> None:
    assert rule in list(violations(levels=levels))


@pytest.mark.parametrize(
    ("table", "rule"),
    [
        (TABLES["ticks"]._replace(compress_after=6 * DAY), "compressed while Kafka"),
        (TABLES["ticks"]._replace(compress_after=HOUR), "compressed while it is filled"),
        (TABLES["ticks"]._replace(kept_as="audit"), "before five years"),
    ],
)
def test_a_table_that_does_not_fit_is_seen(table: Table, rule: str) -> None:
    keep = Keep(ticks=30 * DAY, audit=1000 * DAY)

    assert any(rule in one for one in violations(keep, tables={**TABLES, "ticks": table}))


@pytest.mark.parametrize("start", [30 * DAY, 31 * DAY])
def test_a_refresh_that_reaches_dropped_ticks_is_seen(start: timedelta) -> None:
    keep = Keep(ticks=30 * DAY)

    assert "seconds are made again where ticks were dropped" in violations(keep, start=start)
