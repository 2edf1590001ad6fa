"""`hadron demo`: the whole platform, killed at any moment, loses and doubles nothing."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from hadron.cli.exits import Exit
from tests.integration.platform import until

SEED = 20131008
KILLS = 20
VICTIMS = ("feed", "normalize", "engine", "desk", "gateway", "portfolio", "archive", "latest")


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="hadron-demo-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


def started(folder: Path, *arguments: str, **settings: str) -> subprocess.Popen[bytes]:
    theirs = {key: value for key, value in os.environ.items() if not key.startswith("HADRON_")}
    with (folder / "report.json").open("wb") as out, (folder / "progress.log").open("wb") as said:
        return subprocess.Popen(
            [sys.executable, "-m", "hadron", "demo", "--json", "--dir", str(folder), *arguments],
            env={**theirs, **settings},
            stdout=out,
            stderr=said,
        )


def children(demo: subprocess.Popen[bytes]) -> dict[str, psutil.Process]:
    """The demo's processes by name, as far as they run."""
    found: dict[str, psutil.Process] = {}
    for child in psutil.Process(demo.pid).children(recursive=True):
        with suppress(psutil.Error):
            line = child.cmdline()
            if "hadron" in line and "run" in line:
                found[line[line.index("run") + 1]] = child
    return found


def report(folder: Path) -> dict[str, Any]:
    text = (folder / "report.json").read_text()
    assert text, (folder / "progress.log").read_text()[-2000:]
    found: dict[str, Any] = json.loads(text)
    return found


def nothing_runs_in(folder: Path) -> bool:
    return not any(
        str(folder) in " ".join(process.info["cmdline"] or ())
        for process in psutil.process_iter(["cmdline"])
    )


@pytest.mark.timeout(540)
def test_twenty_kills_of_any_process_lose_and_double_nothing(folder: Path) -> None:
    # given a demo on a generated market
    draw = random.Random(SEED)
    demo = started(
        folder,
        "--for",
        "75",
        "--speed",
        "10x",
        "--symbols",
        "AIG,BAC,IBM,SPY",
        HADRON_SESSION_S="2",
    )
    until(lambda: "feed" in children(demo), "the market plays")

    # when 20 of its processes are killed at random moments
    for _ in range(KILLS):
        time.sleep(draw.uniform(0.2, 2.5))
        victim = draw.choice(VICTIMS)
        until(lambda name=victim: name in children(demo), f"{victim} runs")  # type: ignore[misc]
        with suppress(psutil.NoSuchProcess):
            children(demo)[victim].kill()
    code = demo.wait(400)

    # then produced = stored = distinct on every topic, and every decision has one end
    found = report(folder)
    assert sum(found["restarts"].values()) >= KILLS - 2, found["restarts"]
    for topic, account in found["topics"].items():
        assert account["produced"] == account["stored"] == account["distinct"], (topic, account)
        assert account["rows"] == account["names"], (topic, account)
    assert found["ticks_twice"] == 0
    assert found["raw"] == found["ticks"] > 10_000
    assert found["decisions"]["decisions"] == found["decisions"]["one"] > 0
    assert (code, found["holds"]) == (Exit.OK, True), found


@pytest.mark.timeout(240)
@pytest.mark.parametrize("after", [None, "engine"])
def test_ctrl_c_at_any_moment_stops_cleanly(folder: Path, after: str | None) -> None:
    # given a demo that is starting its servers, or its processes
    demo = started(folder, "--symbols", "AIG", "--speed", "1x", "--for", "600")
    if after:
        until(lambda: after in children(demo), f"{after} runs")
    else:
        until(lambda: (folder / "progress.log").stat().st_size > 0, "it says something")

    # when somebody presses Ctrl-C, and again
    for _ in range(2):
        demo.send_signal(signal.SIGINT)
        time.sleep(0.2)
    code = demo.wait(120)

    # then it ends as interrupted or with its accounting, and leaves nothing running
    assert code in (Exit.INTERRUPTED, Exit.OK, Exit.CHECK_FAILED)
    until(lambda: nothing_runs_in(folder), "all servers stopped", 20)


@pytest.mark.timeout(300)
def test_a_tape_of_real_ticks_ends_with_an_accounting_that_holds(folder: Path) -> None:
    # given the recorded ticks of one stock, if there are any
    tapes = os.environ.get("HADRON_TAPES")
    if not tapes:
        pytest.skip("HADRON_TAPES is not set: the recorded ticks are not in the repository")

    # when a demo plays one day of it as fast as it can
    demo = started(folder, "--tape", tapes, "--symbols", "IBM", "--day", "20131007")
    code = demo.wait(280)

    # then every row of the tape is a raw event, a tick and a row of the database
    found = report(folder)
    assert (code, found["holds"]) == (Exit.OK, True), found
    assert found["raw"] == found["ticks"] == 109_067 + 24_293
    assert found["market"].startswith("tape")
