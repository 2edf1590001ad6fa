"""Recorded and documented frames of venues."""

from __future__ import annotations

from pathlib import Path

SAMPLES = Path(__file__).parents[2] / "samples"


def sample(name: str) -> bytes:
    """The bytes of `<venue>/<name>.json`."""
    return (SAMPLES / f"{name}.json").read_bytes()


def samples(pattern: str) -> list[str]:
    """The names of the samples that fit a pattern, sorted."""
    return sorted(str(p.relative_to(SAMPLES))[:-5] for p in SAMPLES.glob(f"{pattern}.json"))
