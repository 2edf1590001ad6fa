"""What differs in the code of two versions."""

from __future__ import annotations

import difflib

from hadron.audit.divergence import Change
from hadron.strategy.facts import StrategyDeployed


def code_changes(left: StrategyDeployed, right: StrategyDeployed) -> list[Change]:
    """What differs in what two versions were made of, but for their parameters."""
    changes = []
    for field in ("modules", "models", "distributions"):
        ours, theirs = getattr(left, field), getattr(right, field)
        for name in sorted(ours.keys() | theirs.keys()):
            before, after = ours.get(name), theirs.get(name)
            if before == after:
                continue
            if field == "modules" and before is not None and after is not None:
                before, after = _lines(before, after)
            changes.append(Change(f"{left.kind} {field} {name}", before, after))
    return changes


def _lines(left: str, right: str) -> tuple[str, str]:
    """Those that only one of two sources has."""
    lines = list(difflib.unified_diff(left.splitlines(), right.splitlines(), n=0))[2:]
    removed, added = ([one[1:] for one in lines if one[0] == sign] for sign in "-+")
    return "\n".join(removed), "\n".join(added)
