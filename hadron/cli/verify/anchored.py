"""The signed heads, from topic and file, against the chains."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from hadron.audit.anchors import strange
from hadron.audit.facts import HeadsAnchored
from hadron.audit.verification import Broken, broken_anchor
from hadron.cli import opening
from hadron.errors import HadronError
from hadron.topics import ANCHORS
from hadron.variables import variable

if TYPE_CHECKING:
    from hadron.settings import Settings


class Anchored(msgspec.Struct):
    """How many anchors there are, what could not be looked at, and what they contradict."""

    file: int = 0
    topic: int = 0
    newest_ns: int = 0
    notes: list[str] = []
    broken: list[Broken] = []


def anchored(
    settings: Settings, hashes: Mapping[tuple[str, int, int], bytes], public_key: Path | None
) -> Anchored:
    """Judge the chains by every anchor that a trusted key signed."""
    from connectors import signing

    found = Anchored()
    said = every(settings, found)
    trusted = trusted_keys(settings, public_key)
    if not trusted:
        name = variable("anchor_key_file")
        found.notes.append(
            f"no public key is known: anchors are not looked at; set {name}, or --public-key"
        )
        return found
    unsigned = strange(said, trusted, signing.verify)
    for one in unsigned:
        what = "an anchor that no trusted key signed"
        found.broken.append(Broken(ANCHORS.name, 0, -1, what, "a trusted key", one.key))
    good = [one for one in said if one not in unsigned]
    found.newest_ns = max((one.at_ns for one in good), default=0)
    if not good:
        found.notes.append("nothing is anchored: a chain that was written anew would not be found")
    wrong = broken_anchor(good, hashes)
    if wrong is not None:
        found.broken.append(wrong)
    return found


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
