"""Where the time of the hot path goes: frames to orders in one process, sampled by pyinstrument.

Writes `hot_path.html`, to be opened in a browser, and `hot_path.txt`.
Run: python -m tests.benchmarks.profile [--events N] [--out FOLDER]
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from pyinstrument import Profiler
from pyinstrument.renderers import ConsoleRenderer

from tests.benchmarks.__main__ import commit, machine
from tests.benchmarks.frames import CONTROLS, Frame, recorded
from tests.benchmarks.inside import Inside

INTERVAL_S = 0.0005


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--out", type=Path, default=Path("build/profile"))
    asked = parser.parse_args()
    frames, source = recorded(asked.events)
    html, text = written(profiled(frames), asked.out, title=f"{len(frames)} {source} events")
    print(text.read_text("utf-8"))
    print(f"written: {html}, {text}")


def profiled(frames: Sequence[Frame]) -> Profiler:
    """Take frames one at a time through all processes to what follows from their orders."""
    inside = Inside(CONTROLS)
    profiler = Profiler(interval=INTERVAL_S, async_mode="disabled")
    for number, frame in enumerate(frames):
        if number == len(frames) // 10:
            profiler.start()  # what is imported and learned first is behind us
        raw = inside.received(frame.payload, number=number, seen_ns=frame.at_ns)
        inside.settle(raw)
    profiler.stop()
    return profiler


def written(profiler: Profiler, folder: Path, *, title: str) -> tuple[Path, Path]:
    """Write both forms, with what took a percent at least in the text; return their places."""
    folder.mkdir(parents=True, exist_ok=True)
    html, text = folder / "hot_path.html", folder / "hot_path.txt"
    html.write_text(profiler.output_html(), "utf-8")
    console = ConsoleRenderer(processor_options={"filter_threshold": 0.01})
    text.write_text(f"{title}, {machine()}, {commit()}\n{profiler.output(console)}", "utf-8")
    return html, text


if __name__ == "__main__":
    main()
