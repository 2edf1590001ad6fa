"""What `make lint` says of a core that is not pure any more."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import hadron

ROOT = Path(hadron.__path__[0]).parent
RUFF, LINT_IMPORTS = (Path(sys.executable).with_name(name) for name in ("ruff", "lint-imports"))
DOORS = {"__init__", "__main__", "archive", "cli", "wiring"}

BANNED = """\
import time
import locale
import secrets
from random import random
from os import getenv
import os.path
from asyncio import sleep
import datetime; datetime.datetime.utcnow()
from datetime import date; date.today()
from datetime import datetime as moment; moment.fromtimestamp(0)
import decimal; decimal.getcontext().prec = 6
from decimal import setcontext
import uuid
"""


@pytest.mark.parametrize("name", ["hadron/desk/desk.py", "hadron/venues/massive/parse.py"])
def test_ruff_finds_each_banned_name_in_the_core(name: str) -> None:
    assert _lines_with_banned_names(name) == list(range(1, len(BANNED.splitlines()) + 1))


@pytest.mark.parametrize(
    "name", ["hadron/wiring/stream.py", "hadron/__main__.py", "streams/fold.py"]
)
def test_ruff_leaves_the_doors_and_the_edges_alone(name: str) -> None:
    assert _lines_with_banned_names(name) == []


def test_the_layers_are_broken_by_imports_that_are_planted_in_the_core(tmp_path: Path) -> None:
    # given a copy of the sources with imports that the core may not have
    for package in ("hadron", "streams", "connectors", "schemas"):
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    planted = {"risk/verdict": "socket", "desk/desk": "time", "market/rules": "streams.ranks"}
    for name, module in planted.items():
        with (tmp_path / "hadron" / f"{name}.py").open("a") as source:
            source.write(f"\nimport {module}\n")

    # when its layers are checked
    ended = subprocess.run(
        [LINT_IMPORTS, "--no-cache"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
    )

    # then each is found
    assert ended.returncode == 1, ended.stderr
    assert "The core does no I/O and reads no clock BROKEN" in ended.stdout
    for name, module in planted.items():
        assert f"hadron.{name.replace('/', '.')} -> {module} (l." in ended.stdout


def test_every_module_of_the_core_is_in_the_contract() -> None:
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]
    contracts = tools["importlinter"]["contracts"]
    [core] = [one for one in contracts if one["name"].startswith("The core")]

    there = {path.stem for path in (ROOT / "hadron").glob("[!_.]*") if path.name != "py.typed"}

    assert {f"hadron.{name}" for name in there - DOORS} == set(core["source_modules"])


def _lines_with_banned_names(name: str) -> list[int]:
    ended = subprocess.run(
        [
            RUFF,
            "check",
            "--select=TID251",
            "--output-format=concise",
            "--stdin-filename",
            name,
            "-",
        ],
        input=BANNED,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    found = [line for line in ended.stdout.splitlines() if " TID251 " in line]
    return sorted({int(line.split(":")[1]) for line in found})
