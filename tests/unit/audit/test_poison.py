"""Too much poison stops the process; a little does not."""

from __future__ import annotations

import pytest

from hadron.audit.poison import PoisonLimit
from hadron.errors import PoisonLimitReached


def test_a_hundred_in_a_row_stop_the_process() -> None:
    limit = PoisonLimit()
    limit.good(10_000)
    limit.bad(range(10_000, 10_060), set(range(10_000, 10_060)))

    with pytest.raises(PoisonLimitReached, match="100 records in a row"):
        limit.bad(range(10_060, 10_100), set(range(10_060, 10_100)))


def test_a_good_record_breaks_the_row() -> None:
    limit = PoisonLimit()
    for first in range(0, 20_000, 1000):
        bad = set(range(first, first + 40))
        limit.bad(range(first, first + 1000), bad)


def test_more_than_five_percent_stop_the_process() -> None:
    limit = PoisonLimit()

    for first in range(0, 300, 100):
        limit.bad(range(first, first + 100), set(range(first, first + 6)))

    with pytest.raises(PoisonLimitReached, match="5%"):
        limit.bad(range(300, 400), set(range(300, 306)))


def test_poison_long_past_does_not_count() -> None:
    limit = PoisonLimit()
    for first in range(0, 400_000, 1000):
        limit.bad(
            range(first, first + 1000), set(range(first, first + 50)) if first == 0 else set()
        )


def test_one_bad_record_of_a_few_is_no_reason_to_stop() -> None:
    PoisonLimit().bad(range(3), {1})
