"""Checkpoints of a shard: one record each, a base now and then, deltas between."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from hadron.audit.facts import CheckpointTaken, Position
from hadron.errors import ImpossibleTransition

Offsets = Mapping[tuple[str, int], int]

BASE_EVERY = 60


class Recovered(msgspec.Struct):
    """What the newest whole checkpoint says; number 0 where there is none."""

    number: int = 0
    parts: dict[str, bytes] = {}
    positions: dict[tuple[str, int], int] = {}
    ends: dict[tuple[str, int], int] = {}


def slot(checkpoint: CheckpointTaken) -> str:
    """The key to store it under. A slot is used again only when a newer base covers it."""
    return "base" if checkpoint.base else f"delta-{checkpoint.number % BASE_EVERY}"


def recover(checkpoints: Iterable[CheckpointTaken]) -> Recovered:
    """Fold the checkpoints that the topic still holds, in any order.

    Raise ImpossibleTransition if a delta between the base and the newest is missing.
    """
    newest = {checkpoint.number: checkpoint for checkpoint in checkpoints}
    bases = [number for number, checkpoint in newest.items() if checkpoint.base]
    if not newest:
        return Recovered()
    if not bases:
        raise ImpossibleTransition(f"checkpoints {sorted(newest)} have no base")
    last = max(newest)
    parts: dict[str, bytes] = {}
    for number in range(max(bases), last + 1):
        checkpoint = newest.get(number)
        if checkpoint is None:
            raise ImpossibleTransition(f"checkpoint {number} is missing before {last}")
        parts.update(checkpoint.parts)
    return Recovered(
        number=last,
        parts={name: part for name, part in parts.items() if part},
        positions=_offsets(newest[last].positions),
        ends=_offsets(newest[last].ends),
    )


def have_base(checkpoints: Sequence[CheckpointTaken]) -> bool:
    """Whether the base of the newest is among them, so that none before it is needed."""
    newest = max((checkpoint.number for checkpoint in checkpoints), default=0)
    return any(one.base and one.number > newest - BASE_EVERY for one in checkpoints)


class Checkpoints:
    """Makes the next checkpoint of one shard from the parts that changed."""

    def __init__(self, process: str, recovered: Recovered) -> None:
        self._process = process
        self._number = recovered.number
        self._parts = dict(recovered.parts)
        self._last_base = recovered.number if recovered.number else None

    def take(
        self, changed: Iterable[tuple[str, bytes]], *, positions: Offsets, ends: Offsets
    ) -> CheckpointTaken:
        """The next checkpoint: a base every BASE_EVERY, and first of all."""
        parts = dict(changed)
        for name, part in parts.items():
            if part:
                self._parts[name] = part
            else:
                self._parts.pop(name, None)
        self._number += 1
        base = self._last_base is None or self._number % BASE_EVERY == 0
        if base:
            self._last_base = self._number
        return CheckpointTaken(
            process=self._process,
            number=self._number,
            base=base,
            positions=_positions(positions),
            ends=_positions(ends),
            parts=dict(self._parts) if base else parts,
        )


def _positions(offsets: Offsets) -> list[Position]:
    return [Position(topic, partition, at) for (topic, partition), at in sorted(offsets.items())]


def _offsets(positions: Iterable[Position]) -> dict[tuple[str, int], int]:
    return {(place.topic, place.partition): place.offset for place in positions}
