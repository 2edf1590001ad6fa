"""What may explain a difference, in sentences."""

from __future__ import annotations

from hadron.cli.replay.notes import notes
from hadron.cli.replay.span import Span
from tests.support import T0_NS, a_strategy, some_rules
from tests.unit.cli.replay.logs import MASSIVE_0, MASSIVE_1

T0_MS = T0_NS // 1_000_000


def a_span(first: int = 0, start: int = 0) -> Span:
    return Span(
        {MASSIVE_0: first, MASSIVE_1: 5},
        {MASSIVE_0: start, MASSIVE_1: 5},
        {MASSIVE_0: 10, MASSIVE_1: 5},
        T0_MS,
    )


def test_nothing_is_said_of_a_whole_replay_by_the_same_rules() -> None:
    before = some_rules(at_ns=T0_NS - 1)

    assert notes(a_span(), [before], behind=0) == []


def test_a_replay_from_the_middle_says_that_strategies_began_cold() -> None:
    [note] = notes(a_span(first=2, start=6), [], behind=0)

    assert "warmed up on 4 earlier records" in note


def test_a_live_run_that_lags_is_told() -> None:
    [note] = notes(a_span(), [], behind=1234)

    assert "have not taken 1,234 records" in note


def test_what_was_changed_after_the_first_event_is_told() -> None:
    changed = a_strategy(name="sma", version=3, at_ns=T0_NS)

    [note] = notes(a_span(), [some_rules(at_ns=T0_NS - 1), changed], behind=0)

    assert note.startswith("strategy/sma became version 3 at 2023-11-14T22:13:20Z")
