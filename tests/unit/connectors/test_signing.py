"""Keys are made once, are seen by their owner only, and follow each other by signature."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from connectors import anchors, signing
from hadron.audit.anchors import introduced, is_signed, key_id
from hadron.audit.facts import ChainHead, HeadsAnchored
from hadron.errors import HadronError, SettingsError

HEAD = ChainHead("orders", 0, 3, 17, bytes(range(32)))


def test_a_key_signs_and_its_public_file_verifies(tmp_path: Path) -> None:
    made = signing.create(tmp_path / "keys" / "anchor.pem")
    again = signing.load(tmp_path / "keys" / "anchor.pem")

    [public] = signing.public_keys(tmp_path / "keys" / "anchor.pem.pub")
    assert signing.verify(public, again.sign(b"x"), b"x")
    assert not signing.verify(public, again.sign(b"x"), b"y")
    assert not signing.verify(b"short", again.sign(b"x"), b"x")
    assert public == made.public


def test_only_the_owner_may_read_a_key(tmp_path: Path) -> None:
    path = tmp_path / "anchor.pem"
    signing.create(path)
    assert path.stat().st_mode & 0o777 == 0o600

    path.chmod(0o640)
    with pytest.raises(SettingsError, match="0600"):
        signing.load(path)


def test_a_key_is_not_written_over(tmp_path: Path) -> None:
    signing.create(tmp_path / "anchor.pem")

    with pytest.raises(HadronError, match="exists"):
        signing.create(tmp_path / "anchor.pem")


@pytest.mark.parametrize("content", [b"", b"junk", b"-----BEGIN PRIVATE KEY-----\nAA\n"])
def test_what_is_no_key_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "anchor.pem"
    path.write_bytes(content)
    path.chmod(0o600)

    with pytest.raises(SettingsError, match=r"HADRON_ANCHOR_KEY_FILE.*no private key"):
        signing.load(path)
    with pytest.raises(SettingsError, match="HADRON_ANCHOR_KEY_FILE"):
        signing.load(tmp_path / "absent.pem")
    with pytest.raises(HadronError, match="no Ed25519 public key"):
        signing.public_keys(path)


def test_a_signer_does_not_show_its_key(tmp_path: Path) -> None:
    signer = signing.create(tmp_path / "anchor.pem")
    secret = (tmp_path / "anchor.pem").read_text().splitlines()[1]

    assert secret not in f"{signer!r} {signer} {vars(signer)}"


def test_a_signature_holds_for_what_was_signed_only(tmp_path: Path) -> None:
    signer = signing.create(tmp_path / "anchor.pem")
    good = anchors.made([HEAD], signer)
    other = signing.create(tmp_path / "other.pem")

    assert is_signed(good, signing.verify)
    changes: tuple[dict[str, Any], ...] = (
        {"at_ns": good.at_ns + 1},
        {"heads": []},
        {"introduces": other.public},
        {"public_key": other.public, "key": key_id(other.public)},
        {"key": key_id(other.public)},
        {"signature": bytes(64)},
    )
    for changed in changes:
        assert not is_signed(_with(good, changed), signing.verify), changed


def test_trust_follows_introductions_from_a_trusted_key_only(tmp_path: Path) -> None:
    first, second, third, stranger = (
        signing.create(tmp_path / name) for name in ("a", "b", "c", "d")
    )
    said = [
        anchors.made((), second, introduces=third.public),
        anchors.made((), first, introduces=second.public),
        anchors.made((), stranger, introduces=stranger.public),
    ]

    assert set(introduced([first.public], said, signing.verify)) == {
        first.public,
        second.public,
        third.public,
    }
    forged = _with(said[2], {"public_key": first.public, "key": key_id(first.public)})
    assert set(introduced([first.public], [forged], signing.verify)) == {first.public}


def test_a_rotated_key_takes_the_place_and_the_old_public_key_stays(tmp_path: Path) -> None:
    path = tmp_path / "anchor.pem"
    old = signing.create(path)
    new = signing.prepare(path)
    assert signing.load(path).public == old.public

    signing.adopt(path)

    assert signing.load(path).public == new.public
    assert signing.public_keys(signing.public_file(path)) == [old.public, new.public]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["anchor.pem", "anchor.pem.pub"]


def test_a_file_of_anchors_gives_back_what_was_added(tmp_path: Path) -> None:
    signer, path = signing.create(tmp_path / "anchor.pem"), tmp_path / "sub" / "anchors.jsonl"
    said = [anchors.made([HEAD], signer), anchors.made((), signer, introduces=b"\1" * 32)]
    assert anchors.of_file(path) == []

    for one in said:
        anchors.append(path, one)

    assert anchors.of_file(path) == said
    with path.open("ab") as file:
        file.write(b'{"key":')
    with pytest.raises(HadronError, match="line 3"):
        anchors.of_file(path)


def _with(anchor: HeadsAnchored, changes: dict[str, Any]) -> HeadsAnchored:

    return msgspec.structs.replace(anchor, **changes)
