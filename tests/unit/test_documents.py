"""What the documents link to exists, and the commands that they show can be typed."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from hadron.cli.app import command

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def _links(page: Path) -> Iterator[str]:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if "://" not in target and not target.startswith("#"):
            yield target.partition("#")[0]


def _commands(page: Path) -> Iterator[list[str]]:
    """The words after `hadron` of each command in a block of code."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    for lines in (text.splitlines() for language, text in blocks if language in ("", "sh")):
        for line in lines:
            words = shlex.split(re.split(r"\s{3,}|[>|]", line)[0], comments=True)
            while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):
                words = words[1:]
            if words and words[0] in ("hadron", ".venv/bin/hadron"):
                yield words[1:]


@each_page
def test_every_link_leads_to_a_file(page: Path) -> None:
    assert [link for link in _links(page) if not (page.parent / link).exists()] == []


@each_page
def test_every_command_shown_can_be_typed(page: Path) -> None:
    for words in _commands(page):
        node, rest = command(), words
        while rest and rest[0] in getattr(node, "commands", {}):
            node, rest = node.commands[rest[0]], rest[1:]
        try:
            node.make_context("hadron", list(rest))
        except typer.Exit:
            continue  # --help and the like
        except Exception as error:
            pytest.fail(f"hadron {' '.join(words)}: {error}")


def test_every_decision_has_a_number_of_its_own() -> None:
    files = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    numbers = [path.name[:4] for path in files]

    assert numbers == [f"{number:04}" for number in range(1, len(files) + 1)]
    for path in files:
        assert path.read_text("utf-8").startswith(f"# {path.name[:4]} ")


@each_page
def test_a_link_to_a_decision_says_its_number(page: Path) -> None:
    links = re.findall(r"\[([^\]]*\d{4})\]\(\S*?(\d{4})-[^)\s]*\)", page.read_text("utf-8"))

    assert [link for link in links if not link[0].endswith(link[1])] == []


def test_the_documents_show_commands() -> None:
    assert sum(len(list(_commands(page))) for page in PAGES) > 20
