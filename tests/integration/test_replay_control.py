"""A replay that is played, paused, stepped and sought in, over HTTP and by keys, on real Kafka."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import random
import re
import select
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from hadron.cli.replay.controls import moment
from tests.integration.platform import Platform, platform, until
from tests.integration.replaying import SYMBOLS, commanding, control_of, generated, replayed
from tests.support import some_rules

PAGE = Path(__file__).parents[2] / "docs/operations-replay.md"
SECTION = "Play, pause, step, seek"
COMPARED = ("--from", "beginning", "--compare")


EVENTS, ROUNDS = 1000, 8


@pytest.fixture(scope="module")
def alone() -> Iterator[Platform]:
    """A run of some seconds, so that it has entries and times to seek."""
    with platform() as made:
        control_of(made).append(some_rules())
        made.start("normalize")
        made.start("engine")
        events = generated(SYMBOLS, EVENTS, random.Random(7))
        for first in range(0, EVENTS, EVENTS // ROUNDS):
            for partition, at_ms, key, value in events[first : first + EVENTS // ROUNDS]:
                made.log.append("raw.massive", partition, [(key, value)], timestamp_ms=at_ms)
            made.log.flush()
            made.wait_until_taken("normalize", "engine")
        made.stop_all()
        yield made


class Remote:
    """A replay and its address."""

    def __init__(self, child: subprocess.Popen[str]) -> None:
        assert child.stderr is not None
        line = child.stderr.readline()
        found = re.fullmatch(r"control: (http://127\.0\.0\.1:\d+)/status\n", line)
        assert found, line
        self._url = found[1]
        self._child = child

    def ask(self, method: str, path: str, body: str = "") -> dict[str, Any]:
        """The status that is answered."""
        request = Request(f"{self._url}/{path}", body.encode() or None, method=method)
        with urlopen(request, timeout=60) as answer:
            status: dict[str, Any] = json.load(answer)
            return status

    def post(self, command: str, **body: Any) -> dict[str, Any]:
        return self.ask("POST", command, json.dumps(body))

    def state(self) -> str | None:
        try:
            return str(self.ask("GET", "status")["state"])
        except HTTPError:  # 503: it has not begun
            return None

    def report(self) -> tuple[int, dict[str, Any]]:
        out, told = self._child.communicate(timeout=120)
        assert out, told
        return self._child.returncode, json.loads(out)


@contextmanager
def controlled(alone: Platform, *arguments: str) -> Iterator[Remote]:
    more = ("--paused", "--control", "127.0.0.1:0", "--json")
    with commanding(alone, "replay", *arguments, *more) as child:
        yield Remote(child)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_comparison_that_is_stepped_and_sought_in_says_what_it_says_without(
    alone: Platform, workers: int
) -> None:
    straight = replayed(alone, *COMPARED, "--workers", "1")
    entries = list(alone.records("journal.engine"))
    mine = [one for one in entries if one.partition == entries[0].partition]
    assert len(mine) > 4
    middle, late = mine[len(mine) // 2], mine[-2]
    place = f"journal.engine/{middle.partition}"

    with controlled(alone, *COMPARED, "--workers", str(workers), "--speed", "1x") as remote:
        until(lambda: remote.state() == "paused", "it has begun")
        assert remote.ask("GET", "status")["done"] == 0
        assert remote.post("step", count=3)["done"] == 3
        for method, path, body in _on_the_page():
            body = body.replace("journal.engine/0=1200", f"{place}={middle.offset}")
            assert remote.ask(method, path, body)["state"] == "paused"
        there = remote.post("seek", to=f"{place}={late.offset}")
        assert there["next"][place] == late.offset
        back = remote.post("seek", to=f"{place}={middle.offset}")
        assert (back["next"][place], back["state"]) == (middle.offset, "paused")
        assert back["done"] < there["done"]
        assert remote.post("speed", speed="max")["speed"] == "max"
        remote.post("play")
        code, report = remote.report()

    assert (code, report["identical"], report["workers"]) == (0, True, workers)
    for field in ("hash", "live_hash", "replayed", "live", "entries", "records"):
        assert report[field] == straight[field], field


def test_raw_events_that_are_stepped_and_sought_in_lead_to_the_same_decisions(
    alone: Platform,
) -> None:
    received = sorted(record.timestamp_ms for record in alone.records("raw.massive"))
    half_ms = received[len(received) // 2]

    with controlled(alone, "--from", "beginning", "--speed", "10x") as remote:
        until(lambda: remote.state() == "paused", "it has begun")
        assert remote.post("step", count=2)["done"] == 2
        there = remote.post("seek", to=moment(half_ms))
        assert there["done"] == sum(at_ms < half_ms for at_ms in received)
        assert remote.post("play")["state"] == "playing"
        assert remote.post("speed", speed="max")["speed"] == "max"
        code, report = remote.report()

    assert code == 0
    found = report["decisions"]
    assert found["live"] == found["replayed"] == found["equal"] > 10


def test_keys_of_a_terminal_control_it_and_a_bar_shows_how_long_it_will_take(
    alone: Platform,
) -> None:
    with _terminal(alone, *COMPARED, "--speed", "1x", "--workers", "2") as terminal:
        terminal.wait_for(r"keys: space plays and pauses")
        terminal.wait_for(r"engine .* \d+/\d+ +\d:\d\d:\d\d +playing 1x")
        terminal.press(" ")
        terminal.wait_for(r"paused 1x 20")
        terminal.press("n")
        terminal.press("snoon\n")
        terminal.wait_for(r"to: 'noon'; wanted")
        terminal.press("sbeginning\n")
        terminal.wait_for(r" 0/\d+ .*paused 1x 20")
        terminal.press("+++")
        terminal.wait_for(r"paused max 20")
        terminal.press(" ")
        code, out = terminal.end()
        assert terminal.restored()

    assert code == 0
    assert re.search(r"^identical [0-9a-f]{64}$", out, re.MULTILINE), out


def test_nobody_to_let_it_go_on_is_told(alone: Platform) -> None:
    with commanding(alone, "replay", *COMPARED, "--paused") as child:
        _, told = child.communicate(timeout=60)

    assert child.returncode == 4
    assert "--paused: nobody could let it go on; wanted --control" in told


def _on_the_page() -> list[tuple[str, str, str]]:
    """The requests that the page shows: method, path and body."""
    shown = r"^curl (?:-X (\w+) )?127\.0\.0\.1:8089/(\w+)(?: -d '(.+)')?$"
    found = re.findall(shown, PAGE.read_text("utf-8"), re.MULTILINE)
    assert [path for _, path, _ in found] == ["seek", "step", "status"]
    return [(method or "GET", path, body) for method, path, body in found]


class _Terminal:
    def __init__(self, child: subprocess.Popen[bytes], ours: int, theirs: int) -> None:
        self._child, self._ours, self._theirs = child, ours, theirs
        self._before = termios.tcgetattr(theirs)
        self._seen = ""

    def wait_for(self, pattern: str) -> None:
        """Return once the screen was written so since the last time."""

        def seen() -> bool:
            self._read()
            found = re.search(pattern, self._seen)
            if found:
                self._seen = self._seen[found.end() :]
            return bool(found)

        until(seen, f"{pattern} in {self._seen[-2000:]}", patience_s=60)

    def press(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def restored(self) -> bool:
        return bool(termios.tcgetattr(self._theirs) == self._before)

    def end(self) -> tuple[int, str]:
        until(lambda: self._child.poll() is not None or self._read(), "it ends")
        assert self._child.stdout is not None
        return self._child.returncode, self._child.stdout.read().decode()

    def _read(self) -> bool:
        while select.select([self._ours], [], [], 0)[0]:
            told = os.read(self._ours, 65536).decode()
            self._seen += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", told)
        return False


@contextmanager
def _terminal(alone: Platform, *arguments: str) -> Iterator[_Terminal]:
    """A replay with a terminal as stdin and stderr."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (40, 200))
    child = subprocess.Popen(
        [sys.executable, "-m", "hadron", "replay", *arguments],
        env={**alone.environment, "TERM": "xterm", "COLUMNS": "200"},
        cwd=alone.directory,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        start_new_session=True,
        # The terminal is its own, as in a shell.
        preexec_fn=lambda: _control(theirs),
    )
    try:
        yield _Terminal(child, ours, theirs)
    finally:
        if child.poll() is None:
            child.kill()
        child.communicate()
        os.close(ours)
        os.close(theirs)


def _control(terminal: int) -> None:
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
