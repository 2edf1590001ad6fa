"""The command line as people and scripts meet it, without any server."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hadron.__main__ import run
from hadron.cli.app import command
from hadron.cli.exits import MEANING, Exit
from hadron.cli.run import Process
from hadron.wiring.processes import PROCESSES

DOCS = Path(__file__).parents[3] / "docs/cli.md"
# What takes long to import, and is for those who need it.
HEAVY = {
    *("alembic", "confluent_kafka", "faust", "google.protobuf", "numpy", "opentelemetry"),
    *("plotly", "polars", "prometheus_client", "psycopg", "pyarrow", "redis", "sqlalchemy"),
    "structlog",
}


def _commands(node: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, node
    for name, child in getattr(node, "commands", {}).items():
        yield from _commands(child, (*path, name))


COMMANDS = dict(_commands(command(), ("hadron",)))


def _parameters(node: Any) -> list[Any]:
    hidden = ("help", "install_completion", "show_completion")
    return [one for one in node.params if one.name not in hidden]


def _section(path: tuple[str, ...]) -> str:
    heading = f"## {' '.join(path)}\n"
    text = DOCS.read_text("utf-8")
    assert heading in text, f"docs/cli.md lacks {heading!r}"
    return text.partition(heading)[2].partition("\n## ")[0]


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_and_option_says_what_it_is_for(path: tuple[str, ...]) -> None:
    node = COMMANDS[path]

    assert node.help.strip()
    for one in _parameters(node):
        assert one.help, f"{' '.join(path)} {one.name} has no help"


@pytest.mark.parametrize("path", COMMANDS)
def test_the_documentation_has_every_command_with_its_options_and_no_others(
    path: tuple[str, ...],
) -> None:
    section = _section(path)
    rows = [line for line in section.splitlines() if line.startswith("| `")]

    documented = {name for row in rows for name in row.split(" | ")[0].split("`")[1::2]}
    actual = {
        name
        for one in _parameters(COMMANDS[path])
        for name in (
            [*one.opts, *one.secondary_opts] if one.param_type_name == "option" else [one.name]
        )
    }
    assert documented == actual
    assert " ".join(COMMANDS[path].help.split()) in section
    assert all(one.help in section for one in _parameters(COMMANDS[path]))


def test_the_documentation_has_no_command_that_does_not_exist() -> None:
    headings = [
        line for line in DOCS.read_text("utf-8").splitlines() if line.startswith("## hadron")
    ]

    assert {tuple(heading[3:].split()) for heading in headings} == set(COMMANDS)


def test_every_exit_code_is_documented_and_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    run(["--help"], {})
    shown = capsys.readouterr().out

    assert "Exit codes" in shown
    for code in Exit:
        assert f"| {code.value} | {MEANING[code]} |" in DOCS.read_text("utf-8")


def test_what_can_be_run_is_what_is_wired() -> None:
    assert {process.value for process in Process} == set(PROCESSES)


@pytest.mark.parametrize(
    ("words", "code", "needed"),
    [
        ("version", Exit.OK, set[str]()),
        ("--help", Exit.OK, set[str]()),
        ("explain --help", Exit.OK, set[str]()),
        ("topics --help", Exit.OK, set[str]()),
        ("explain decisions/0/0 --json", Exit.UNREACHABLE, {"psycopg"}),
        ("query orders", Exit.UNREACHABLE, {"psycopg"}),
    ],
)
def test_a_command_imports_nothing_heavy_that_it_does_not_need(
    words: str, code: Exit, needed: set[str]
) -> None:
    environ = {"HADRON_KAFKA": "127.0.0.1:1", "HADRON_DATABASE": "postgresql://x@127.0.0.1:1/x"}

    ended, imported = _imported(words, environ)

    assert ended == code
    assert imported & HEAVY == needed


def test_a_command_imports_no_other_command() -> None:
    _, imported = _imported("version", {})

    ours = {name for name in imported if name.startswith("hadron.cli.")}
    assert ours - {f"hadron.cli.{name}" for name in ("app", "commands", "exits", "options")} == {
        "hadron.cli.output",
        "hadron.cli.version",
    }


def _imported(words: str, environ: dict[str, str]) -> tuple[int, set[str]]:
    """How a command ended in a process of its own, and all modules that it has then."""
    script = (
        "import sys; from hadron.__main__ import run;"
        f" code = run({words.split()}, {environ});"
        " print('\\n', *sys.modules, sep='\\n', file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    return done.returncode, set(done.stderr.split())


def test_version_prints_one_json_document(capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["version", "--json"], {})

    assert code == Exit.OK
    assert json.loads(capsys.readouterr().out)["contracts"]["order_filled"] >= 1


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["query", "candles"], ["run", "nothing"], ["control", "halt"], ["up", "--fast"]],
)
def test_a_wrong_command_line_ends_with_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments, {}) == Exit.USAGE
    assert capsys.readouterr().out == ""


def test_wrong_settings_end_with_4_and_every_problem_on_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environ = {"HADRON_NUM_SHARDS": "0", "HADRON_LOG_LEVEL": "loud"}

    code = run(["topics", "show", "--dir", str(tmp_path)], environ)

    lines = capsys.readouterr().err.splitlines()
    assert code == Exit.SETTINGS
    assert [line.split()[1] for line in lines] == [
        "HADRON_KAFKA:",
        "HADRON_NUM_SHARDS:",
        "HADRON_LOG_LEVEL:",
    ]


def test_a_server_that_is_not_reached_ends_with_5_and_no_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environ = {"HADRON_DATABASE": "postgresql://x:secret@127.0.0.1:1/x", "HADRON_KAFKA": "x:1"}

    code = run(["query", "positions", "--dir", str(tmp_path)], environ)

    told = capsys.readouterr().err
    assert code == Exit.UNREACHABLE
    assert "Traceback" not in told
    assert "secret" not in told
