"""Where a replay begins and ends, as people write it."""

from __future__ import annotations

import pytest

from hadron.cli.replay.bounds import Edge, Moment, Offsets, bound

NOON_MS = 1_381_147_200_000  # 2013-10-07T12:00:00Z


def test_the_word_of_its_edge_is_the_edge() -> None:
    assert bound("beginning", edge="beginning") == Edge()
    assert bound("end", edge="end") == Edge()


@pytest.mark.parametrize(
    ("text", "at_ms"),
    [
        ("2013-10-07T12:00:00Z", NOON_MS),
        ("2013-10-07T14:00:00+02:00", NOON_MS),
        ("2013-10-07T12:00:00", NOON_MS),
        ("2013-10-07 12:00", NOON_MS),
        ("2013-10-07T12:00:00.250Z", NOON_MS + 250),
        ("2013-10-07T12:00:00.000001Z", NOON_MS + 1),
        ("1969-01-01", 0),
    ],
)
def test_a_time_is_utc_where_it_has_no_zone_and_never_begins_too_early(
    text: str, at_ms: int
) -> None:
    assert bound(text, edge="beginning") == Moment(at_ms)


def test_offsets_name_their_partitions() -> None:
    found = bound("raw.massive/0=123, raw.massive/11=7", edge="beginning")

    assert found == Offsets({("raw.massive", 0): 123, ("raw.massive", 11): 7})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("noon", "'noon'; wanted beginning, a time of receipt as 2013-10-07T14:30:00Z, or offsets"),
        ("end", "'end'; wanted beginning"),
        ("", "''; wanted beginning"),
        ("raw.massive=3", "'raw.massive=3'; wanted <topic>/<partition>=<offset>"),
        ("raw.massive/0=-1", "'raw.massive/0=-1'; wanted <topic>"),
        ("raw.massive/0=1,", "''; wanted <topic>"),
        ("raw.massive/0=1,raw.massive/0=2", "raw.massive/0 is given twice; wanted one offset each"),
    ],
)
def test_anything_else_is_refused_with_what_was_seen_and_what_is_wanted(
    text: str, message: str
) -> None:
    with pytest.raises(ValueError, match="wanted") as refused:
        bound(text, edge="beginning")

    assert str(refused.value).startswith(message)
