"""Everything that the operator's pages tell to type is typed, as it stands there, on a local stack.

A block of code is typed line by line by a shell, pages and blocks in their order; then what the
text names. A command that is added to a page is run because it is there.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from connectors.local import places
from connectors.local.stack import Endpoints
from hadron.cli.app import command
from hadron.orders.facts import OrderFilled
from tests.integration import test_disaster, test_offsets_reset, test_replay_control
from tests.integration.platform import Platform, until
from tests.integration.replaying import live_run
from tests.integration.test_backups import programs
from tests.support import some_rules

DOCS = Path(__file__).parents[2] / "docs"
PAGES = [DOCS / f"operations{more}.md" for more in ("", "-restore", "-replay")]
PAGES += sorted(set(DOCS.glob("operations*.md")) - set(PAGES))
PARTS = re.compile(r"^```(\w*)\n(.*?)^```|^#+ (.*?)$", re.DOTALL | re.MULTILINE)
# Blocks with these programs are not run; what they work on is tested in tests/infra.
OUTSIDE = {
    "docker": "needs a Docker daemon",
    "kubectl": "needs a cluster",
}
# Sections that need servers of their own, which another test types.
ELSEWHERE = {test_disaster.DISASTER, test_replay_control.SECTION, test_offsets_reset.SECTION}
# Commands of the text that are not typed here, and the file that has them.
NAMED_ONLY = {("demo",): "test_demo.py"}
# What a page says as an example, and what `Operator.stands_for` puts there.
EXAMPLES = (
    *("/var/lib/hadron/export", "/backup/base", "--host=db", "h-0-17", "eq:SPY"),
    *("2013-10-07T14:30:00Z", "2013-10-07T15:00:00Z"),
    *("journal.engine/0=1200", "raw.massive/0=1200", "raw.massive/0=9000"),
)
# Five replays of half a minute are one block.
pytestmark = pytest.mark.timeout(900)
RULES = some_rules(open_position_is_fast=False)  # one lane, so that a replay may decide the same


class Block(NamedTuple):
    """Lines of a page that belong together."""

    page: str
    heading: str
    number: int  # among the blocks of its section
    lines: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.page}, {self.heading}, {self.number}"


def blocks_of(page: Path) -> Iterator[Block]:
    """The blocks whose language is sh. All else is what a program says."""
    heading, number = "", 0
    for language, text, title in PARTS.findall(page.read_text("utf-8")):
        if title:
            heading, number = title, 0
        elif language == "sh":
            lines = tuple(line for line in text.splitlines() if words_of(line))
            yield Block(page.stem, heading, number, lines)
            number += 1


def words_of(line: str) -> list[str]:
    """The words of a line, without variables that are set before them."""
    words = shlex.split(line, comments=True)
    while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):
        words = words[1:]
    return words


BLOCKS = [block for page in PAGES for block in blocks_of(page)]
TYPED = [
    block
    for block in BLOCKS
    if block.heading not in ELSEWHERE
    and not any(words_of(line)[0] in OUTSIDE for line in block.lines)
]


def named_in_text() -> list[str]:
    """What the text tells to run and no block begins with; a group of commands is only a name."""
    shown = [words_of(line) for block in BLOCKS for line in block.lines]
    texts = [
        re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.M | re.S) for page in PAGES
    ]
    found = [line for text in texts for line in re.findall(r"`(hadron [^`]+)`", text)]
    return [
        line
        for line in dict.fromkeys(" ".join(line.split()) for line in found)
        if not any(words[: len(words_of(line))] == words_of(line) for words in shown)
        and not is_group(words_of(line)[1:])
        and tuple(words_of(line)[1:]) not in NAMED_ONLY
    ]


def is_group(words: Sequence[str]) -> bool:
    node = command()
    for word in words:
        if word not in getattr(node, "commands", {}):
            return False
        node = node.commands[word]
    return bool(getattr(node, "commands", {}))


class Operator:
    """Somebody at a shell, in an empty folder, with a local stack of their own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.done: list[Block] = []
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HADRON_")}
        ours = Path(sys.executable).parent
        self.environment = {
            **kept,
            "XDG_DATA_HOME": str(home / "data"),
            "PATH": os.pathsep.join([str(ours), str(programs()), kept.get("PATH", os.defpath)]),
            "HADRON_ANCHOR_KEY_FILE": str(home / "anchor-key.pem"),
            "HADRON_ANCHOR_FILE": str(home / "anchors.jsonl"),
            "HADRON_SUBJECT_KEYS": str(home / "subjects"),
        }
        self.stands_for: dict[str, str] = {}
        self.running: list[subprocess.Popen[bytes]] = []

    @property
    def stack(self) -> Path:
        return self.home / "data" / "hadron"

    def run(self, block: Block) -> None:
        """Type a block's lines, unless that was done; `hadron run` is left running."""
        if block not in self.done:
            self.done.append(block)
            for line in block.lines:
                self.type(line)

    def type(self, line: str) -> None:
        """Type a line. Fail the test if it does not end with 0."""
        for example, real in self.stands_for.items():
            line = line.replace(example, real)
        if words_of(line)[:2] == ["hadron", "run"]:
            shell = ["sh", "-c", f"exec env {line}"]
            self.running.append(subprocess.Popen(shell, env=self.environment, cwd=self.home))
            return
        done = subprocess.run(
            ["sh", "-c", line],
            env=self.environment,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, (
            f"{line}\nended with {done.returncode}\n{done.stdout}{done.stderr}"
        )

    def stop(self) -> None:
        """Ask what was left running to end, which it does with 0."""
        for child in self.running:
            child.send_signal(signal.SIGTERM)
        assert [child.wait(60) for child in self.running] == [0] * len(self.running)
        self.running.clear()


def block_with(line: str) -> Block:
    [block] = [block for block in BLOCKS if any(one.startswith(line) for one in block.lines)]
    return block


@pytest.fixture(scope="module")
def operator() -> Iterator[Operator]:
    """One who has started everything as the page says, made a key, and has seen a small day."""
    home = Path(tempfile.mkdtemp(prefix="hadron-operator-"))
    home.chmod(0o711)  # the server's user must walk through it
    someone = Operator(home)
    try:
        someone.run(block_with("hadron up"))
        someone.run(block_with("hadron keys create"))
        servers = places.endpoints(someone.stack)
        with closing(Platform(home, servers, someone.environment)) as alone:
            a_small_day(alone)
            someone.stop()
            someone.stands_for = standing_for(alone, home, servers)
        someone.type("hadron control halt --reason drill --author ann")
        someone.type("hadron control resume --reason drill --author ann")
        yield someone
    finally:
        for child in someone.running:
            child.kill()
        someone.running.clear()
        someone.type("hadron down")
        shutil.rmtree(home)


def a_small_day(alone: Platform) -> None:
    """A market from events to positions, all of it in the archive."""
    live_run(alone, "desk", "gateway", "portfolio", control=(RULES,))
    alone.start("archive")
    until(alone.archived, "the archive has everything")
    alone.stop_all()


def standing_for(alone: Platform, home: Path, servers: Endpoints) -> dict[str, str]:
    """What there is, for what the pages have as examples."""
    raw = [record.timestamp_ms for record in alone.records("raw.massive")]
    times = [datetime.fromtimestamp(ms / 1000, UTC).isoformat() for ms in (min(raw), max(raw))]
    order = next(fact for fact in alone.facts("orders") if isinstance(fact, OrderFilled))
    port = servers.database.rpartition(":")[2].partition("/")[0]
    ours = (
        *(str(home / "export"), str(home / "base"), f"--host=127.0.0.1 --port={port}"),
        *(order.order, order.instrument, *times),
        *("journal.engine/0=2", "raw.massive/0=10", "raw.massive/0=90"),
    )
    return dict(zip(EXAMPLES, ours, strict=True))


@pytest.mark.parametrize("block", TYPED, ids=str)
def test_a_block_can_be_typed(operator: Operator, block: Block) -> None:
    operator.run(block)


@pytest.mark.parametrize("line", named_in_text())
def test_what_the_text_names_can_be_typed(operator: Operator, line: str) -> None:
    operator.type(line)


def test_nothing_that_looks_like_a_command_is_passed_over() -> None:
    for page in PAGES:
        text = re.sub(r"^```sh\n.*?^```", "", page.read_text("utf-8"), flags=re.M | re.S)
        assert not re.search(r"^[ \t]*(\w+=\S* )*(hadron|pg_\w+) ", text, re.M), page
    assert len([line for block in TYPED for line in block.lines]) >= 30


def test_what_is_not_typed_here_is_still_on_the_pages() -> None:
    text = "".join(page.read_text("utf-8") for page in PAGES)
    programs_shown = {words_of(line)[0] for block in BLOCKS for line in block.lines}

    assert [example for example in EXAMPLES if example not in text] == []
    assert OUTSIDE.keys() <= programs_shown
    assert {block.heading for block in BLOCKS} >= ELSEWHERE
    for words, where in NAMED_ONLY.items():
        assert f"`hadron {' '.join(words)}`" in text
        assert Path(__file__).with_name(where).exists()
