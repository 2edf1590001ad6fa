"""Contracts: whose ids are used, and whether the log holds ids that nobody can read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import schemas
from hadron.cli.checks.finding import Finding, error, listed, sound
from hadron.envelope import MAGIC
from hadron.errors import HadronError
from hadron.variables import variable


def catalogue(
    current: Mapping[str, str] | None = None, released: Iterable[schemas.Contract] | None = None
) -> Finding:
    """Every schema of this code is in the committed catalogue. Both default to the installed."""
    if current is None:
        current = {name: schemas.fingerprint(schemas.load(name)) for name in schemas.names()}
    newest = {
        one.name: one.fingerprint for one in (schemas.catalogue() if released is None else released)
    }
    odd = [name for name, print_ in current.items() if newest.get(name) != print_]
    if odd:
        return error(
            "catalogue",
            f"schemas that are not the newest of the catalogue: {listed(odd)}",
            wanted="each schema released, so that its id is known to all",
            remedy="release them with `python -m schemas`, or install the released package",
        )
    return sound("catalogue", f"{len(current)} contracts")


def unreachable(problem: HadronError) -> Finding:
    """The registry that is set gives no ids, so no process can start."""
    return error(
        "contracts",
        f"{variable('registry')} is set, so its ids are used, and {problem}",
        wanted="a registry that answers",
        remedy=f"start the registry, correct {variable('registry')}, or, on a new cluster only,"
        " unset it to use the ids of the catalogue",
    )


def ids(used: Mapping[str, int | None], unknown: Collection[int], *, source: str) -> Finding:
    """The newest records can be read with the ids in use: a cluster never mixes two sources.

    `used` has a schema id, or None for a record without one, by its place on the log.
    """
    strange = [
        f"{place} ({'no id' if one is None else f'id {one}'})"
        for place, one in used.items()
        if one is None or one in unknown
    ]
    if strange:
        return error(
            "contracts",
            f"ids of {source} are used; they do not read {listed(strange)}",
            wanted="one source of ids for all that lies on the log",
            remedy=f"set {variable('registry')} to the registry that the records were written"
            " with, or unset it if that was the catalogue; or upgrade, if the writer is newer",
        )
    return sound("contracts", f"ids of {source} are used")


def id_of(value: bytes) -> int | None:
    """The schema id of a record, None if it is not in the wire format."""
    return int.from_bytes(value[1:5]) if len(value) >= 5 and value[0] == MAGIC else None
