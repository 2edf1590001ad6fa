"""Control as a replay has it: the same, but that no tick may overtake another."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from hadron.control.facts import ControlFact, RulesChanged


def single_file(control: Iterable[ControlFact]) -> list[ControlFact]:
    """The facts with rules that put every tick into one lane.

    Between lanes ticks overtake each other as chance has it, and the overtaken ones are not shown
    to strategies. In one lane they stay in the order of the log, so a replay is always the same.
    """
    return [_one_lane(fact) if isinstance(fact, RulesChanged) else fact for fact in control]


def _one_lane(rules: RulesChanged) -> RulesChanged:
    return msgspec.structs.replace(
        rules,
        fast=[],
        warm=[],
        cold=[],
        open_position_is_fast=False,
        volatile_bps=0,
        default="warm",
    )
