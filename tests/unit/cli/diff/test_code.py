"""The code of two versions, compared."""

from __future__ import annotations

from hadron.cli.diff.code import code_changes
from hadron.strategy.facts import StrategyDeployed


def test_code_differs_in_its_lines_models_and_distributions() -> None:
    left = StrategyDeployed(
        "1", "K", "m:K", {}, {"m": "a\nb\n", "same": "x"}, {"f": "0"}, {"numpy": "1"}, 0
    )
    right = StrategyDeployed(
        "2", "K", "m:K", {}, {"m": "a\nc\n", "same": "x", "n": "y"}, {"f": "1"}, {"numpy": "1"}, 0
    )

    found = [(one.what, one.left, one.right) for one in code_changes(left, right)]

    assert found == [
        ("K modules m", "b", "c"),
        ("K modules n", None, "y"),
        ("K models f", "0", "1"),
    ]
    assert code_changes(left, left) == []
