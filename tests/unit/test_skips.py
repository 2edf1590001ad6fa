"""Tests are skipped for agreed reasons only."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.skips import allowed, is_allowed

TESTS = Path(__file__).parents[1]
SKIPS = {"skip", "skipif", "importorskip", "skipTest", "SkipTest"}


def _reasons() -> Iterator[tuple[str, str]]:
    """Where each skip is, and the literal beginning of its words."""
    for path in sorted(TESTS.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and _called(node.func) in SKIPS:
                yield f"{path.relative_to(TESTS)}:{node.lineno}", _words(node)


def _called(function: ast.expr) -> str:
    # `pytest.skip`, `pytest.mark.skipif`; not `play.skip`, which is ours.
    match function:
        case ast.Attribute(value=ast.Name(id="pytest" | "unittest"), attr=name):
            return name
        case ast.Attribute(value=ast.Attribute(attr="mark"), attr=name):
            return name
        case ast.Name(id=name) | ast.Attribute(value=ast.Name(id="self"), attr=name):
            return name
    return ""


def _words(call: ast.Call) -> str:
    given = [word.value for word in call.keywords if word.arg == "reason"] or call.args[:1]
    match given:
        case [ast.Constant(value=str(text))]:
            return text
        case [ast.JoinedStr(values=[ast.Constant(value=str(text)), *_])]:
            return text
    return ""


def test_every_skip_in_the_code_has_a_listed_reason() -> None:
    unlisted = [f"{where}: {words!r}" for where, words in _reasons() if not is_allowed(words)]

    assert unlisted == []


def test_no_listed_reason_is_unused() -> None:
    used = [words for _, words in _reasons()]

    assert [one for one in allowed() if not any(words.startswith(one) for words in used)] == []


def test_a_run_fails_on_a_skip_that_is_not_listed(tmp_path: Path) -> None:
    # given our conftest, one test that may be skipped and two that may not
    (tmp_path / "conftest.py").write_text((TESTS / "conftest.py").read_text("utf-8"))
    (tmp_path / "test_three.py").write_text(
        "import pytest\n\n"
        f"def test_a(): pytest.skip({allowed()[0]!r} + ', really')\n\n"
        "def test_b(): pytest.skip('no time')\n\n"
        "@pytest.mark.skip(reason='no wish')\ndef test_c(): ...\n"
    )

    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "--rootdir",
            tmp_path,
            tmp_path,
        ],
        cwd=TESTS.parent,
        text=True,
        capture_output=True,
        check=False,
    )

    assert "1 failed, 1 skipped, 1 error" in done.stdout, done.stdout + done.stderr
    assert "does not list: 'Skipped: no time'" in done.stdout
    assert done.returncode == 1
