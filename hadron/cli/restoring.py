"""The chains of an export: out of a database, and into the one that takes its place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from hadron.cli import opening
from hadron.cli.environment import audit_url
from hadron.cli.verify.anchored import signed
from hadron.errors import HadronError, SettingsError
from hadron.settings import Settings
from hadron.variables import variable

if TYPE_CHECKING:
    from connectors.parquet.manifest import Manifest
    from connectors.timescale.rebuilding.restoring import Restored
    from hadron.audit.facts import ChainHead, RowsRetired


class Chains(msgspec.Struct):
    """The chains that are there again, and what could not come back."""

    chains: list[Restored]
    given_up: int = 0  # signed heads that the export does not reach
    certified: int = 0  # rows that cannot come back
    notes: list[str] = []


def exported(settings: Settings, to: Path) -> int | None:
    """Add the chains of the database to an export; None where no database is known."""
    from connectors.parquet import manifest
    from connectors.timescale.rebuilding import restoring

    if settings.database_audit is None and settings.database is None:
        return None
    with manifest.alone(to):
        return restoring.export(audit_url(settings), to)


def restored(settings: Settings, source: Path) -> Chains:
    """Put the chains of an export into a new database. Raise HadronError if they are not whole."""
    from connectors.parquet import manifest as manifests
    from connectors.timescale.rebuilding import restoring

    if settings.database is None:
        raise SettingsError([f"{variable('database')}: is not set; wanted the new database"])
    manifest, anchors = manifests.load(source), signed(settings, None)
    if anchors.broken:
        raise HadronError(f"nothing is restored: {anchors.broken[0].what}")
    heads = restoring.heads(source, anchors.good)
    if not heads:
        raise HadronError(f"{source} has no chains: it was exported without a database")
    lost = restoring.lost(anchors.good, heads)
    gone = _missing(settings, source, manifest)
    known = {msgspec.json.encode(one) for one in anchors.retired}
    fresh = [one for one in gone if msgspec.json.encode(one) not in known]
    if lost or fresh:
        _certify(settings, heads, fresh)
    done = restoring.import_(settings.database.get_secret_value(), source)
    found = Chains(done, len(lost), sum(one.rows for one in gone), anchors.notes)
    if lost:
        found.notes.append(f"{len(lost)} signed heads are behind the export, and are given up")
    if gone:
        found.notes.append(f"{found.certified} rows cannot come back: the export has them not")
    return found


def _missing(settings: Settings, source: Path, manifest: Manifest) -> list[RowsRetired]:
    from connectors.kafka import inspection
    from connectors.timescale.archiving.process import catalogue
    from connectors.timescale.rebuilding import restoring

    admin, stored = opening.admin(settings), catalogue(settings.prefix)
    there = inspection.inspect(admin).topics
    places = [(name, p) for name in stored if name in there for p in range(there[name].partitions)]
    return restoring.missing(source, manifest, stored, inspection.bounds(admin, places))


def _certify(settings: Settings, heads: list[ChainHead], gone: list[RowsRetired]) -> None:
    """Sign what is given up, before the database has the chains."""
    from connectors import anchors, signing
    from hadron.wiring import codec_of

    if settings.anchor_key_file is None:
        wanted = "the key, to sign what cannot come back"
        raise SettingsError([f"{variable('anchor_key_file')}: is not set; wanted {wanted}"])
    signer = signing.load(Path(settings.anchor_key_file).expanduser())
    made = anchors.made(heads, signer, retired=gone, restored=True)
    anchors.write(made, settings=settings, log=opening.fact_log(settings), codec=codec_of(settings))
