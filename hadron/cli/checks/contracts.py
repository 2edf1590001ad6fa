"""Contracts: whose ids are used, and whether the log holds ids that nobody can read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import schemas
from hadron.cli.checks.finding import Finding, error, listed, sound
from hadron.envelope import MAGIC
from hadron.errors import ContractError, HadronError
from hadron.ports import Codec, Record
from hadron.settings import Settings, variable


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


def unreachable(settings: Settings, problem: HadronError) -> Finding:
    """The registry that is set gives no ids, so no process can start."""
    return error(
        "contracts",
        f"{variable('registry')} is {settings.registry}: {problem}",
        wanted="a registry that answers; its ids are used where one is set",
        remedy=f"start the registry, correct {variable('registry')}, or, on a new cluster only,"
        " unset it to use the ids of the catalogue",
    )


def ids(records: Iterable[Record], codec: Codec, settings: Settings) -> Finding:
    """The newest records can be read with the ids in use: a cluster never mixes two sources."""
    source = settings.registry or "the catalogue"
    strange = [where for record in records if (where := _unreadable(record, codec))]
    if strange:
        return error(
            "contracts",
            f"ids of {source} are used; they do not read {listed(strange)}",
            wanted="one source of ids for all that lies on the log",
            remedy=f"set {variable('registry')} to the registry that the records were written"
            " with, or unset it if that was the catalogue; or upgrade, if the writer is newer",
        )
    return sound("contracts", f"ids of {source} are used")


def _unreadable(record: Record, codec: Codec) -> str | None:
    value = record.value
    if value is None:
        return None
    place = f"{record.topic}/{record.partition} at {record.offset}"
    try:
        codec.decode(value)
    except ContractError:
        framed = len(value) >= 5 and value[0] == MAGIC
        return f"{place} (id {int.from_bytes(value[1:5])})" if framed else f"{place} (no id)"
    return None
