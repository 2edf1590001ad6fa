"""What may explain a difference between live and replayed decisions, found on the log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from hadron.cli.replay.span import Span
from hadron.control.facts import ControlFact, RulesChanged, StrategyConfigured
from hadron.topics import key_of


def notes(span: Span, in_force: Iterable[ControlFact], *, behind: int) -> list[str]:
    """Sentences for people; empty where both runs had the same to go by."""
    return [*_cold(span), *_behind(behind), *_changed(span, in_force)]


def _cold(span: Span) -> Iterator[str]:
    if any(span.first[place] for place, end in span.end.items() if span.start[place] < end):
        yield (
            "strategies began without the state that they had live, and were warmed up on"
            f" {span.read - span.compared:,} earlier records: the first decisions, and those by"
            " averages that never forget, may differ"
        )


def _behind(behind: int) -> Iterator[str]:
    if behind:
        yield (
            f"the live processes have not taken {behind:,} records yet: what follows from them is"
            " in the replay only"
        )


def _changed(span: Span, in_force: Iterable[ControlFact]) -> Iterator[str]:
    for fact in in_force:
        if isinstance(fact, RulesChanged | StrategyConfigured) and (
            fact.at_ns >= span.since_ms * 1_000_000
        ):
            at = datetime.fromtimestamp(fact.at_ns // 1_000_000_000, UTC)
            yield (
                f"{key_of(fact)} became version {fact.version} at {at:%Y-%m-%dT%H:%M:%SZ}, after"
                " the first event was received: the replay had it from the beginning"
            )
