"""Which raw records a replay reads and compares."""

from __future__ import annotations

import pytest

from connectors.memory import MemoryLog
from hadron.cli.replay.bounds import Bound, Edge, Moment, Offsets
from hadron.cli.replay.span import Asked, Span, resolve
from hadron.errors import SettingsError
from tests.unit.cli.replay.logs import (
    BEGUN_MS,
    MASSIVE_0,
    MASSIVE_1,
    PARTITIONS,
    a_log,
    stamped_on,
)


def resolved(
    log: MemoryLog, start: Bound, end: Bound | None = None, *, warm_up_ms: int = 0
) -> Span:
    asked = Asked(start, end or Edge(), warm_up_ms)
    return resolve(asked, log=log, stamped=stamped_on(log), partitions=PARTITIONS)


def test_from_edge_to_edge_is_everything_that_the_log_still_has() -> None:
    log = a_log(range(10), range(4))
    log.delete_before(*MASSIVE_0, 3)

    span = resolved(log, Edge(), warm_up_ms=1000)

    assert (span.start[MASSIVE_0], span.end[MASSIVE_0]) == (3, 10)
    assert span.first == span.start
    assert (span.read, span.compared, span.since_ms) == (11, 11, BEGUN_MS)
    assert ("raw.coinbase", 1) in span.start


def test_a_time_is_a_time_of_receipt_in_every_partition() -> None:
    log = a_log(range(10), range(4))

    span = resolved(log, Moment(BEGUN_MS + 2500), Moment(BEGUN_MS + 6000))

    assert (span.start[MASSIVE_0], span.end[MASSIVE_0]) == (3, 6)
    assert (span.start[MASSIVE_1], span.end[MASSIVE_1]) == (3, 4)
    assert span.since_ms == BEGUN_MS + 3000


def test_offsets_leave_the_edge_to_partitions_that_are_not_named() -> None:
    log = a_log(range(10), range(4))

    span = resolved(log, Offsets({MASSIVE_0: 2}), Offsets({MASSIVE_0: 5}))

    assert (span.start[MASSIVE_0], span.end[MASSIVE_0]) == (2, 5)
    assert (span.start[MASSIVE_1], span.end[MASSIVE_1]) == (0, 4)


def test_a_warm_up_is_read_and_not_compared() -> None:
    log = a_log(range(10), range(5, 9))

    span = resolved(log, Offsets({MASSIVE_0: 7, MASSIVE_1: 2}), warm_up_ms=3000)

    assert span.first == {**span.start, MASSIVE_0: 4, MASSIVE_1: 0}
    assert (span.read, span.compared) == (10, 5)
    assert not span.covers(*MASSIVE_0, 6)
    assert span.covers(*MASSIVE_0, 7)


def test_a_span_covers_what_lies_before_its_end_in_partitions_that_it_has() -> None:
    span = resolved(a_log(range(10)), Edge(), Offsets({MASSIVE_0: 4}))

    assert span.covers(*MASSIVE_0, 3)
    assert not span.covers(*MASSIVE_0, 4)
    assert not span.covers("raw.other", 0, 0)


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        (
            Offsets({MASSIVE_0: 11}),
            Edge(),
            "--from: raw.massive/0=11; wanted 3 to 10, as the log has",
        ),
        (
            Edge(),
            Offsets({MASSIVE_0: 2}),
            "--to: raw.massive/0=2; wanted 3 to 10, as the log has",
        ),
        (
            Offsets({("raw.nyse", 0): 1}),
            Edge(),
            "--from: raw.nyse/0=1; wanted one of raw.coinbase, raw.massive, partition 0 to 1",
        ),
        (
            Offsets({MASSIVE_0: 8}),
            Offsets({MASSIVE_0: 5}),
            "--to: raw.massive/0=5; wanted 8 or more, where --from lies",
        ),
        (
            Moment(BEGUN_MS + 60_000),
            Edge(),
            "--from, --to: no raw record lies between them; wanted at least one",
        ),
    ],
)
def test_what_the_log_does_not_have_is_refused(start: Bound, end: Bound, message: str) -> None:
    log = a_log(range(10))
    log.delete_before(*MASSIVE_0, 3)

    with pytest.raises(SettingsError) as refused:
        resolved(log, start, end)

    assert refused.value.problems == [message]
