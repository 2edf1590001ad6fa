"""Where processors are few, those on the way from a frame to an order go first."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.integration.platform import kill, until


@pytest.mark.parametrize(
    ("process", "settings", "lower_by"),
    [
        ("simulator", {}, 10),
        ("archive", {}, 10),
        ("feed", {}, 0),
        ("feed", {"HADRON_NICE": "4"}, 4),
        ("simulator", {"HADRON_NICE": "0"}, 0),
    ],
)
def test_who_no_order_waits_for_yields(
    tmp_path: Path, process: str, settings: dict[str, str], lower_by: int
) -> None:
    ours = {key: value for key, value in os.environ.items() if not key.startswith("HADRON_")}
    nobody = {
        "HADRON_KAFKA": "127.0.0.1:9",
        "HADRON_DATABASE": "postgresql://nobody@127.0.0.1:9/none",
        "HADRON_HTTP_PORT": "0",
    }
    log = tmp_path / "log"
    with log.open("wb") as out:
        child = subprocess.Popen(
            [sys.executable, "-m", "hadron", "run", process, "--dir", str(tmp_path)],
            env={**ours, **nobody, **settings},
            stdout=out,
            stderr=out,
        )
    try:
        until(lambda: b"process started" in log.read_bytes(), f"{process} starts", 60)

        threads = [thread.id for thread in psutil.Process(child.pid).threads()]
        found = {os.getpriority(os.PRIO_PROCESS, thread) for thread in threads}
    finally:
        kill(child)

    assert found == {min(19, os.nice(0) + lower_by)}
