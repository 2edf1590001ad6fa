"""Whether a strategy knows more than the ticks that it was shown.

As Freqtrade's lookahead-analysis and recursive-analysis: what is decided up to a moment must not
change when the data ends there, when the process was restarted there, or when all is run again. A
strategy that is begun later may decide otherwise at first; how long it does is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Any, Literal

import msgspec

from hadron.audit.names import name_of
from hadron.backtest.batches import Batch, Controls, Raws, Ticks
from hadron.backtest.intake import Intake
from hadron.fold import Received, Slice
from hadron.market.facts import Tick
from hadron.strategy.engine import Engine
from hadron.strategy.facts import DecisionMade
from hadron.strategy.outcomes import Cause
from hadron.strategy.registry import KINDS
from hadron.strategy.strategy import Strategy
from hadron.topics import TICKS
from hadron.venues.parsed import Parser

Trial = Literal["repeated", "truncated", "restarted"]


class Difference(msgspec.Struct, frozen=True):
    """The first decision that is not the same; None where there is none at its place."""

    trial: Trial
    ticks: int  # after which the data ended, or the process was restarted
    name: str  # of the decision
    whole: DecisionMade | None  # with all data
    found: DecisionMade | None


class WarmUp(msgspec.Struct, frozen=True):
    """A strategy begun after so many ticks, against one that saw them all."""

    began: int  # after so many ticks
    settled: int | None  # ticks until it decided the same for good; None: it had not at the end
    decisions: int  # of the whole run after that beginning


class Checked(msgspec.Struct, frozen=True):
    """What a check found. Only differences are faults."""

    ticks: int
    decisions: int
    trials: int
    differences: Sequence[Difference]
    warm_ups: Sequence[WarmUp]


class Data(msgspec.Struct, frozen=True):
    """Control and ticks, which can be gone through again and again."""

    controls: Sequence[Any]
    ticks: Sequence[Tick]
    offsets: Sequence[int]


def collected(batches: Iterable[Batch], parsers: Mapping[str, Parser]) -> Data:
    """All ticks of batches, raw events normalized; control counts from the beginning."""
    intake = Intake(parsers)
    controls: list[Any] = []
    ticks: list[Tick] = []
    offsets: list[int] = []
    for batch in batches:
        if isinstance(batch, Controls):
            controls += batch.facts
            for fact in batch.facts:
                intake.step(Slice("control", 0, [Received(0, fact)]))
            continue
        found = intake.normalized(batch)[0] if isinstance(batch, Raws) else batch
        assert isinstance(found, Ticks)
        ticks += found.ticks
        offsets += found.offsets
    return Data(controls, ticks, offsets)


def check(data: Data, kinds: Mapping[str, type[Strategy]] = KINDS, *, cuts: int = 8) -> Checked:
    """Run all data, and again with each trial at so many moments, evenly spread."""
    whole = _run(data, kinds)
    places = sorted({len(data.ticks) * n // (cuts + 1) for n in range(1, cuts + 1)})
    differences = [_compared("repeated", len(data.ticks), whole, _run(data, kinds))]
    for cut in places:
        before = [one for one in whole if one[0] < cut]
        differences.append(_compared("truncated", cut, before, _run(data, kinds, end=cut)))
        differences.append(_compared("restarted", cut, whole, _run(data, kinds, restart=cut)))
    return Checked(
        ticks=len(data.ticks),
        decisions=len(whole),
        trials=len(differences),
        differences=[one for one in differences if one is not None],
        warm_ups=[_warm_up(cut, whole, _run(data, kinds, begin=cut)) for cut in places[:-1]],
    )


Decided = list[tuple[int, DecisionMade]]  # with the place of the tick


def _run(
    data: Data,
    kinds: Mapping[str, type[Strategy]],
    *,
    begin: int = 0,
    end: int | None = None,
    restart: int | None = None,
) -> Decided:
    """The decisions on a part of the ticks, by an engine that may be restored in between."""
    end = len(data.ticks) if end is None else end
    decided: Decided = []
    engine = _engine(data, kinds)
    for first, past in [(begin, end)] if restart is None else [(begin, restart), (restart, end)]:
        if first and first == restart:
            parts, engine = engine.snapshot(), Engine(kinds)
            engine.restore(parts)

        def cause_of(place: int, tick: Tick, first: int = first) -> Cause:
            offset = data.offsets[first + place]
            return Cause(TICKS[tick.lane].name, tick.raw_partition, offset)

        for place, facts in engine.follow(data.ticks[first:past], cause_of):
            decided += [(first + place, one) for one in facts if isinstance(one, DecisionMade)]
    return decided


def _engine(data: Data, kinds: Mapping[str, type[Strategy]]) -> Engine:
    engine = Engine(kinds)
    for fact in data.controls:
        engine.step(Slice("control", 0, [Received(0, fact)]))
    return engine


def _compared(trial: Trial, cut: int, whole: Decided, found: Decided) -> Difference | None:
    for one, other in zip_longest(whole, found):
        if one != other:
            # The earlier of two is the one that the other run lacks.
            alone = one is None or other is None or one[0] != other[0]
            if alone and one is not None and (other is None or one[0] < other[0]):
                other = None
            elif alone:
                one = None
            seen = one or other
            assert seen is not None
            return Difference(trial, cut, str(name_of(seen[1])), one and one[1], other and other[1])
    return None


def _warm_up(began: int, whole: Decided, found: Decided) -> WarmUp:
    """By what is wanted, not by the evidence: averages of floats never are quite the same."""
    expected = {_wish(place, decision) for place, decision in whole if place >= began}
    wishes = {_wish(place, decision) for place, decision in found}
    differing = sorted(expected ^ wishes, key=_place)
    same_from = differing[-1][0] + 1 if differing else began
    later = any(wish[0] >= same_from for wish in expected)
    settled = same_from - began if later or not expected else None
    return WarmUp(began, settled, len(expected))


def _place(wish: tuple[Any, ...]) -> int:
    return int(wish[0])


def _wish(place: int, decision: DecisionMade) -> tuple[Any, ...]:
    return (place, decision.strategy, decision.side, decision.quantity, decision.limit_price)
