"""The image is built from what the wheel needs, holds no secrets and runs without root."""

from __future__ import annotations

import re
import tomllib

from tests.infra import tools

DOCKERFILE = tools.ROOT / "infra" / "Dockerfile"
IGNORED = tools.ROOT / ".dockerignore"


def test_hadolint_finds_nothing_to_mend() -> None:
    done = tools.run("hadolint", "--no-color", DOCKERFILE)

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_last_stage_runs_hadron_without_root() -> None:
    last = DOCKERFILE.read_text().split("\nFROM ")[-1].splitlines()

    assert "USER 10001:10001" in last
    assert 'ENTRYPOINT ["hadron"]' in last
    assert not [line for line in last if line.startswith(("ARG", "ADD"))]


def test_every_stage_starts_from_one_exact_python() -> None:
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE.read_text(), re.MULTILINE)

    assert len(set(bases)) == 1
    assert re.fullmatch(r"python:3\.11\.\d+-slim-\w+", bases[0])


def test_all_that_the_wheel_is_made_of_enters_the_build_and_nothing_else() -> None:
    project = tomllib.loads((tools.ROOT / "pyproject.toml").read_text())
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    needed = {*packages, "pyproject.toml", "constraints.txt", "README.md", "LICENSE"}

    lines = IGNORED.read_text().splitlines()
    copied = re.findall(r"^COPY (?!--)(.+) \S+$", DOCKERFILE.read_text(), re.MULTILINE)

    assert lines[1] == "*"
    assert {line[1:] for line in lines if line.startswith("!")} == needed
    assert {name for names in copied for name in names.split()} == needed


def test_what_a_cluster_needs_is_installed_and_the_local_stack_is_not() -> None:
    [extras] = re.findall(r"\[([\w,]+)\]\"", DOCKERFILE.read_text())

    assert set(extras.split(",")) == {"registry", "arrow"}
