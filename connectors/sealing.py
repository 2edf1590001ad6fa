"""Keys of subjects, one file each, and texts that only they open (AES-256-GCM, NIST SP 800-38D).

A sealed text is `sealed:1:<id of the key>:<nonce, text and tag in base64url>`. Destroying a key's
file makes every text that it sealed unreadable, wherever copies of the text are; so copies of the
keys must not outlive them, and the folder does not belong into backups that are kept for long.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from connectors.durable import create_private, sync
from hadron.errors import ContractError, SettingsError

PREFIX = "sealed:1:"
GONE = "(redacted)"
_NONCE = 12  # bytes: SP 800-38D, section 8.2.2, for random ones


class SubjectKey(msgspec.Struct, frozen=True):
    """The key of one subject. `id` says nothing of whose it is."""

    id: str
    subject: str
    key: bytes

    def __repr__(self) -> str:
        return f"SubjectKey({self.id})"


class Seals:
    """The keys in a folder, which is made when the first is needed.

    Raise SettingsError where the folder or a key in it cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def seal(self, subject: str, text: str, about: str) -> str:
        """The text for no eyes but those with the subject's key, made where there is none."""
        key = self._key_of(subject) or self._make(subject)
        nonce = secrets.token_bytes(_NONCE)
        hidden = AESGCM(key.key).encrypt(nonce, text.encode(), about.encode())
        return f"{PREFIX}{key.id}:{base64.urlsafe_b64encode(nonce + hidden).decode()}"

    def open(self, text: str, about: str) -> str:
        """The text that was sealed; `(redacted)` once its key is gone; other texts as they are.

        Raise ContractError if it was not sealed as this.
        """
        if not text.startswith(PREFIX):
            return text
        name, _, content = text[len(PREFIX) :].partition(":")
        key = next((key for key in self._keys() if key.id == name), None)
        if key is None:
            return GONE
        try:
            hidden = base64.urlsafe_b64decode(content)
            return (
                AESGCM(key.key).decrypt(hidden[:_NONCE], hidden[_NONCE:], about.encode()).decode()
            )
        except (InvalidTag, ValueError, binascii.Error) as error:
            raise ContractError(f"{about}: not what key {name} sealed: {text[:60]}") from error

    def subjects(self) -> Sequence[str]:
        """Those whose keys are here."""
        return sorted(key.subject for key in self._keys())

    def forget(self, subject: str) -> bool:
        """Destroy a subject's key. False if there is none."""
        path = self._path(subject)
        if not path.exists():
            return False
        with path.open("r+b") as file:  # before its name goes; a copy elsewhere is not ours to find
            file.write(bytes(path.stat().st_size))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
        sync(self._folder)
        return True

    def _make(self, subject: str) -> SubjectKey:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = SubjectKey(secrets.token_hex(8), subject, AESGCM.generate_key(256))
        path = self._path(subject)
        part = path.with_suffix(f".{key.id}")
        create_private(part, msgspec.json.encode(key))
        try:
            os.link(part, path)
        except FileExistsError:  # another was first
            pass
        finally:
            part.unlink()
        sync(self._folder)
        made = self._key_of(subject)
        assert made is not None
        return made

    def _key_of(self, subject: str) -> SubjectKey | None:
        path = self._path(subject)
        return _read(path) if path.exists() else None

    def _keys(self) -> Sequence[SubjectKey]:
        return [_read(path) for path in sorted(self._folder.glob("*.json"))]

    def _path(self, subject: str) -> Path:
        return self._folder / f"{hashlib.sha256(subject.encode()).hexdigest()[:32]}.json"


def _read(path: Path) -> SubjectKey:
    try:
        return msgspec.json.decode(path.read_bytes(), type=SubjectKey)
    except (OSError, msgspec.DecodeError) as error:
        kind = type(error).__name__
        raise SettingsError([f"{path}: no key of a subject can be read from it: {kind}"]) from None
