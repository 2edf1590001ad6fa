"""The sets of parameters that a search tries."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from itertools import product
from math import prod
from typing import Any

import msgspec

from hadron.errors import SettingsError
from hadron.strategy.strategy import Strategy

MOST_SETS = 1_000_000
WANTED = "name=first:last:step, as fast=5:50:5, or values by comma, as fast=5,8,13"
Values = Mapping[str, str]
NOTHING: Values = {}


class Candidate(msgspec.Struct, frozen=True):
    """A set of parameters, as it was written and as the strategy takes it."""

    values: dict[str, str]
    parameters: Any


def axis(text: str) -> tuple[str, list[str]]:
    """The values of one `--param`, both ends of a range included. Raise SettingsError."""
    name, equals, said = text.partition("=")
    if not (name and equals and said):
        raise SettingsError([f"--param: {text!r}; wanted {WANTED}"])
    if ":" not in said:
        return name.strip(), [value.strip() for value in said.split(",")]
    try:
        first, last, step = (Decimal(number) for number in said.split(":"))
        values = [first + step * n for n in range(int((last - first) / step) + 1)]
    except (ArithmeticError, InvalidOperation, ValueError, OverflowError):
        values = []
    if not values or step <= 0:
        raise SettingsError([f"--param: {text!r}; wanted {WANTED}"])
    return name.strip(), [format(value, "f") for value in values]


def candidates(
    kind: type[Strategy],
    axes: Mapping[str, Sequence[str]],
    *,
    fixed: Values = NOTHING,
    draws: int | None = None,
    seed: int = 0,
) -> list[Candidate]:
    """All combinations, or so many of them drawn by a seed, that the strategy takes.

    Drawn ones are different, and the same for the same axes and seed on every machine. What the
    strategy refuses, as a fast average that is not the faster one, is left out. Raise SettingsError
    if a name is unknown to it or nothing is left.
    """
    _known(kind, [*axes, *fixed])
    count = prod(len(values) for values in axes.values())
    if draws is None and count > MOST_SETS:
        raise SettingsError(
            [f"--param: {count:,} combinations; wanted {MOST_SETS:,} at most, or --random"]
        )
    found, said = [], ""
    for values in _drawn(axes, count, draws, seed) if draws is not None else _all(axes):
        try:
            parameters = msgspec.convert({**fixed, **values}, kind.Parameters, strict=False)
        except msgspec.ValidationError as error:
            said = str(error)
            continue
        found.append(Candidate(dict(values), parameters))
    if not found:
        raise SettingsError([f"--param: {kind.__name__} takes none of these: {said}"])
    return found


def _all(axes: Mapping[str, Sequence[str]]) -> Iterator[Values]:
    return (dict(zip(axes, values, strict=True)) for values in product(*axes.values()))


def _drawn(
    axes: Mapping[str, Sequence[str]], count: int, wanted: int, seed: int
) -> Iterator[Values]:
    """So many different combinations, all of them if there are no more."""
    seen: set[int] = set()
    number = 0
    while len(seen) < min(wanted, count):
        # A hash is the same everywhere and for ever, which no generator's drawing promises.
        digest = hashlib.sha256(f"{seed}/{number}".encode()).digest()
        place = int.from_bytes(digest, "big") % count
        number += 1
        if place not in seen:
            seen.add(place)
            yield _at(axes, place)


def _at(axes: Mapping[str, Sequence[str]], place: int) -> Values:
    values = {}
    for name, choices in reversed(list(axes.items())):
        place, chosen = divmod(place, len(choices))
        values[name] = choices[chosen]
    return {name: values[name] for name in axes}


def _known(kind: type[Strategy], names: Sequence[str]) -> None:
    fields = kind.Parameters.__struct_fields__
    unknown = [name for name in names if name not in fields]
    if unknown:
        raise SettingsError(
            [f"--param: {kind.__name__} has no {unknown[0]!r}; wanted one of {', '.join(fields)}"]
        )
