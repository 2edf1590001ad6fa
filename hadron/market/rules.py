"""Which lane a tick takes, and why."""

from __future__ import annotations

from typing import get_args

from hadron.control.facts import RulesChanged
from hadron.errors import ContractError
from hadron.market.facts import Lane

LANES: tuple[Lane, ...] = get_args(Lane)
Route = tuple[Lane, str]

# In force until somebody sets rules: all ticks are WARM, and nothing is watched.
NO_RULES = RulesChanged(
    author="",
    reason="no rules were set",
    at_ns=0,
    version=0,
    fast=[],
    warm=[],
    cold=[],
    open_position_is_fast=False,
    volatile_bps=0,
    volatile_window_ms=0,
    stale_after_ms=0,
    default="warm",
)


class Rules:
    """RulesChanged, made quick to ask."""

    def __init__(self, changed: RulesChanged) -> None:
        """Raise ContractError naming the field, if the rules cannot be followed."""
        _check(changed)
        self._default = LANES[LANES.index(changed.default)]
        self.fact = changed
        self.stale_after_ns = changed.stale_after_ms * 1_000_000
        self.volatile_bps = changed.volatile_bps
        self.volatile_window_ns = changed.volatile_window_ms * 1_000_000
        listed: dict[str, Lane] = {}
        # Of an instrument in several lists the fastest lane holds, so it is written last.
        for lane, instruments in zip(
            LANES[::-1], (changed.cold, changed.warm, changed.fast), strict=True
        ):
            listed.update(dict.fromkeys(instruments, lane))
        self._listed = listed

    def route(self, instrument: str, *, held: bool, volatile: bool) -> Route:
        """The first that applies of: open position, volatile, listed, default."""
        if held and self.fact.open_position_is_fast:
            return "fast", "open_position"
        if volatile and self.volatile_bps:
            return "fast", "volatile"
        lane = self._listed.get(instrument)
        if lane is not None:
            return lane, "listed"
        return self._default, "default"

    def routes(self, instrument: str, *, held: bool) -> tuple[Route, Route]:
        """Its route while its price is calm, and while it is volatile."""
        return (
            self.route(instrument, held=held, volatile=False),
            self.route(instrument, held=held, volatile=True),
        )


def _check(changed: RulesChanged) -> None:
    if changed.default not in LANES:
        raise ContractError(f"rules: default is {changed.default!r}; wanted one of {LANES}")
    for name in ("volatile_bps", "volatile_window_ms", "stale_after_ms"):
        if getattr(changed, name) < 0:
            raise ContractError(f"rules: {name} is {getattr(changed, name)}; wanted 0 or more")
    if changed.volatile_bps and not changed.volatile_window_ms:
        raise ContractError("rules: volatile_window_ms is 0; wanted more, as volatile_bps is set")
