"""A fact that lies twice on the log counts once."""

from __future__ import annotations

from hadron.orders.watermarks import Watermarks
from tests.support import a_fill


def test_only_the_first_fact_of_a_name_advances() -> None:
    seen = Watermarks()

    advanced = [seen.advance(a_fill(offset=offset)) for offset in (0, 1, 1, 0, 2)]

    assert advanced == [True, True, False, False, True]


def test_index_counts_within_an_offset_and_partitions_apart() -> None:
    seen = Watermarks()
    facts = [
        a_fill(offset=5, index=0),
        a_fill(offset=5, index=1),
        a_fill(offset=5, index=1),
        a_fill(offset=0, partition=1),
        a_fill(offset=0, source="other"),
    ]

    assert [seen.advance(fact) for fact in facts] == [True, True, False, True, True]


def test_a_snapshot_holds_what_moved_since_the_last_one() -> None:
    seen, restored = Watermarks(), Watermarks()
    seen.advance(a_fill(offset=5))
    first = dict(seen.snapshot())
    assert list(seen.snapshot()) == []

    for part in first.values():
        restored.restore(part)

    assert not restored.advance(a_fill(offset=5))
    assert restored.advance(a_fill(offset=6))
    assert list(dict(restored.snapshot())) == ["seen/intents/0"]
