"""The verdict that every order needs."""

from __future__ import annotations

import msgspec

from hadron.risk.limits import CHECKS, Order, RiskState

HALTED = "halted"
NO_LIMITS = "no limits"


class Verdict(msgspec.Struct, frozen=True):
    """Approved if `reason` is None. `limits` is what each limit saw, also of the ones that hold."""

    limits: dict[str, str]
    reason: str | None


def judge(order: Order, state: RiskState) -> Verdict:
    """Judge one order; the first limit that is breached is the reason.

    A halt stops all orders, closing ones too. A portfolio without limits may order nothing.
    """
    if state.halted is not None:
        return Verdict({"halt": f"{state.halted.author}: {state.halted.reason}"}, HALTED)
    limits = state.book.limits
    if limits is None:
        return Verdict({}, NO_LIMITS)
    checks = [check(order, limits, state) for check in CHECKS]
    breached = [check.reason for check in checks if check.breached]
    return Verdict(
        {check.name: check.evidence for check in checks}, breached[0] if breached else None
    )
