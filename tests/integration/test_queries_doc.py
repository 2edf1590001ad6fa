"""Everything that docs/queries.md shows runs, and has an answer, with the facts of a small day."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hadron.__main__ import run
from hadron.archive import Archive
from hadron.cli.exits import Exit
from tests.integration import story

PAGE = Path(__file__).parents[2] / "docs" / "queries.md"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)


def blocks(language: str) -> list[str]:
    return [text for found, text in BLOCKS if found == language]


@pytest.fixture
def url(database: str) -> str:
    story.store(database, {**story.facts(), "raw.massive": story.frames()})
    return database


def test_every_statement_has_an_answer(url: str) -> None:
    statements = [one for text in blocks("sql") for one in text.split(";") if one.strip()]
    assert len(statements) >= 9

    with psycopg.connect(url) as connection:
        for statement in statements:
            assert connection.execute(statement.encode()).fetchall(), statement


def test_every_command_has_an_answer(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    environ = {"HADRON_DATABASE": url, "HADRON_KAFKA": "127.0.0.1:1", "HADRON_REDIS": "redis://x"}
    commands = [line for text in blocks("sh") for line in text.splitlines()]
    assert len(commands) >= 12

    for command in commands:
        name, *arguments = shlex.split(command)
        assert name == "hadron"
        capsys.readouterr()
        json_wanted = [] if "--json" in arguments else ["--json"]
        assert run([*arguments, *json_wanted], environ) == Exit.OK, command
        assert json.loads(capsys.readouterr().out), command


def test_every_line_of_python_has_an_answer(url: str) -> None:
    known: dict[str, Any] = {"url": url}
    first, *questions = blocks("python")

    exec(compile(first, str(PAGE), "exec"), known)

    assert isinstance(known["archive"], Archive)
    assert known["frame"].height == 5
    for question in questions:
        for call in re.split(r"\n(?=archive\.)", question.strip()):
            assert eval(compile(call, str(PAGE), "eval"), known).num_rows, call


def test_every_view_and_function_is_on_the_page(url: str) -> None:
    listed = PAGE.read_text("utf-8").partition("## What there is")[2]
    named = {
        name for row in re.findall(r"^\| (`.+?) \|", listed, re.M) for name in row.split("`")[1::2]
    }
    ours = """
        SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'v'
        UNION SELECT proname FROM pg_proc AS p WHERE pronamespace = 'public'::regnamespace
            AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = p.oid AND deptype = 'e')
            AND prorettype <> 'trigger'::regtype
            AND has_function_privilege('public', p.oid, 'EXECUTE')
    """
    with psycopg.connect(url) as connection:
        exist = {name for (name,) in connection.execute(ours).fetchall()}

    assert {name.partition("(")[0] for name in named} == exist
