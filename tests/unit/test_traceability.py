"""Each delivered requirement names tests that exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "traceability.md"
# What has been delivered, by number.
DELIVERED = tuple(map(str, (
    *range(1, 8), *range(27, 32), *range(43, 47), *range(49, 58), 59, 63, 65, 67, 78, 81, 84, 89,
    91, *range(104, 130), 140, 144, 146, 153,
    156, 157, 160, 161, 164, 165, 168, *range(174, 178), 178, 179, 181, 183, 184, 185, 186, 189,
    190, 193, 195, 196, 198, "G1", "G2", "G3", "G4", "G5", "G6", "G7", "G18", "G19", "G20", "G21",
)))  # fmt: skip
ROWS = {
    row[0]: re.findall(r"`(tests/[^`:]+)::(\w+)`", row[2])
    for row in re.findall(
        r"^\| (G?\d+) \| (.+?) \| (.+?) \|", PAGE.read_text("utf-8"), re.MULTILINE
    )
}


@cache
def _defined(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text("utf-8"))
    named = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, named))


def test_every_delivered_requirement_has_its_row() -> None:
    assert tuple(ROWS) == DELIVERED


@pytest.mark.parametrize("number", DELIVERED)
def test_its_proofs_exist(number: str) -> None:
    assert ROWS[number]
    for file, name in ROWS[number]:
        assert (ROOT / file).is_file(), f"{file} does not exist"
        assert name in _defined(ROOT / file), f"{file} has no {name}"


def test_the_guide_has_a_list_for_a_new_venue() -> None:
    guide = (ROOT / "CONTRIBUTING.md").read_text("utf-8")

    steps = re.findall(
        r"^- \[ \] \*\*(\w+)\*\*", guide.partition("## A new venue")[2], re.MULTILINE
    )

    assert {"Protocol", "Parser", "Errors", "Fixtures", "Tests", "Docs", "Bench"} <= set(steps)
