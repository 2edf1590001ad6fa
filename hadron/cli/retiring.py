"""What `hadron storage retire` puts together: key, anchors, log and database."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hadron.audit.facts import ChainHead, HeadsAnchored, RowsRetired
from hadron.cli import opening
from hadron.cli.environment import retire_url
from hadron.cli.verify.anchored import signed
from hadron.errors import HadronError, SettingsError
from hadron.settings import Settings
from hadron.variables import variable

if TYPE_CHECKING:
    from connectors.timescale.retiring.retire import Retired, Work


def retired(settings: Settings) -> Retired:
    """Let go what is past its age. Raise SettingsError without a key."""
    from connectors.timescale.retiring.retire import Retired, retire
    from connectors.timescale.storage.windows import keep_of

    work, keep = prepared(settings), keep_of(settings)
    return retire(work, keep) if any(keep) else Retired()


def prepared(settings: Settings) -> Work:
    """What a run needs. Raise HadronError where anchors are strange or cannot all be read."""
    from connectors import anchors, signing
    from connectors.timescale.access.roles import access_of
    from connectors.timescale.retiring.retire import Work
    from hadron.wiring import codec_of

    if settings.anchor_key_file is None:
        wanted = "a key to sign what goes, made by `hadron keys create`"
        raise SettingsError([f"{variable('anchor_key_file')}: is not set; wanted {wanted}"])
    signer = signing.load(Path(settings.anchor_key_file).expanduser())
    found = signed(settings, None)
    if found.broken or found.notes:
        said = [*(one.what for one in found.broken), *found.notes]
        raise HadronError(f"nothing goes: {'; '.join(said)}")
    log, codec = opening.fact_log(settings), codec_of(settings)

    def certify(heads: Sequence[ChainHead], gone: Sequence[RowsRetired]) -> HeadsAnchored:
        made = anchors.made(heads, signer, retired=gone)
        anchors.write(made, settings=settings, log=log, codec=codec)
        return made

    return Work(retire_url(settings), codec, found.good, certify, access_of(settings))
