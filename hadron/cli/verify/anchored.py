"""The signed heads, from topic and file, against the chains."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from hadron.audit.anchors import strange
from hadron.audit.facts import HeadsAnchored, RowsRetired
from hadron.audit.retirement import certificates
from hadron.audit.verification import Broken, broken_anchor, broken_certificate
from hadron.cli import opening
from hadron.errors import HadronError
from hadron.topics import ANCHORS
from hadron.variables import variable

if TYPE_CHECKING:
    from hadron.settings import Settings

if TYPE_CHECKING:
    from connectors.timescale.verifying.chains import Chains


class Anchored(msgspec.Struct):
    """How many anchors there are, what could not be looked at, and what they contradict.

    `good` are those that a trusted key signed, `keys` whether there is one.
    """

    file: int = 0
    topic: int = 0
    newest_ns: int = 0
    notes: list[str] = []
    broken: list[Broken] = []
    good: list[HeadsAnchored] = []
    keys: bool = True

    @property
    def retired(self) -> list[RowsRetired]:
        """The certificates."""
        return certificates(self.good)


def signed(settings: Settings, public_key: Path | None) -> Anchored:
    """Every anchor of topic and file, and which of them a trusted key signed."""
    from connectors import signing

    found = Anchored()
    said = every(settings, found)
    trusted = trusted_keys(settings, public_key)
    if not trusted:
        name = variable("anchor_key_file")
        found.keys = False
        found.notes.append(
            f"no public key is known: anchors are not looked at; set {name}, or --public-key"
        )
        return found
    unsigned = strange(said, trusted, signing.verify)
    for one in unsigned:
        what = "an anchor that no trusted key signed"
        found.broken.append(Broken(ANCHORS.name, 0, -1, what, "a trusted key", one.key))
    found.good = [one for one in said if one not in unsigned]
    found.newest_ns = max((one.at_ns for one in found.good), default=0)
    if not found.good:
        found.notes.append("nothing is anchored: a chain that was written anew would not be found")
    return found


def judge(found: Anchored, chains: Chains) -> None:
    """Add what the chains and rows of a database have against the anchors."""
    wrong = broken_anchor(found.good, chains.hashes)
    if wrong is not None:
        found.broken.append(wrong)
    # What a restored log has not is gone, and what it has is there again.
    last = max((one.at_ns for one in found.good if one.restored), default=0)
    since = {msgspec.json.encode(one) for one in certificates(_since(found.good, last))}
    seen = [one for one in chains.retired if msgspec.json.encode(one.certificate) in since]
    found.broken += broken_certificate(seen)
    left = sum(one.there for one in chains.retired)
    if left:
        found.notes.append(
            f"{left} rows have a certificate and are there still; they go with the next"
            " `hadron storage retire`"
        )


def _since(anchors: Iterable[HeadsAnchored], at_ns: int) -> list[HeadsAnchored]:
    return [one for one in anchors if one.at_ns >= at_ns]


def every(settings: Settings, found: Anchored) -> list[HeadsAnchored]:
    """The anchors of topic and file, each once; `found` gets their numbers."""
    from connectors import anchors
    from hadron.wiring import codec_of

    of_file = anchors.of_file(anchors.file_of(settings))
    of_topic: list[HeadsAnchored] = []
    try:
        name = settings.prefix + ANCHORS.name
        of_topic = anchors.of_topic(opening.fact_log(settings), name, codec_of(settings))
    except HadronError as error:
        found.notes.append(f"the anchors on the log are not looked at: {error}")
    found.file, found.topic = len(of_file), len(of_topic)
    return list({one.signature: one for one in (*of_file, *of_topic)}.values())


def trusted_keys(settings: Settings, public_key: Path | None) -> list[bytes]:
    """The keys of `--public-key`, else those beside the private key, else none."""
    from connectors import signing

    if public_key is not None:
        return signing.public_keys(public_key)
    if settings.anchor_key_file is None:
        return []
    beside = signing.public_file(Path(settings.anchor_key_file).expanduser())
    return signing.public_keys(beside) if beside.exists() else []
