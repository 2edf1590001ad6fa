"""The profile of the hot path is written, and names what the path goes through."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.frames import generated
from tests.benchmarks.profile import profiled, written


def test_a_profile_names_the_steps_of_the_path(tmp_path: Path) -> None:
    html, text = written(profiled(generated(1_000)), tmp_path / "new", title="a thousand events")

    said = text.read_text("utf-8")
    assert said.startswith("a thousand events, ")
    assert "Shard.step" in said
    assert "Recorder.write" in said
    assert "shard.py" in html.read_text("utf-8")
