"""Ed25519 keys in PEM files. The private one is read by its owner only, and never shown."""

from __future__ import annotations

from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from connectors.durable import create_private
from hadron.errors import HadronError, SettingsError
from hadron.variables import variable

_BEGIN = b"-----BEGIN PUBLIC KEY-----"


class Signer:
    """A private key. `public` is its public key, 32 bytes."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public = key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """The signature, 64 bytes."""
        return self._key.sign(message)


def verify(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether the owner of a public key signed this."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def create(path: Path) -> Signer:
    """Make a key that only its owner can read, and write its public key beside it.

    Raise HadronError if the file is there: a key is not written over.
    """
    key = Ed25519PrivateKey.generate()
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        create_private(path, secret)
    except FileExistsError:
        raise HadronError(f"{path} exists; to change the key, run `hadron keys rotate`") from None
    except OSError as error:
        raise HadronError(f"cannot write a key to {path}: {error.strerror}") from error
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    with public_file(path).open("ab") as file:
        file.write(pem)
    return Signer(key)


def load(path: Path) -> Signer:
    """Raise SettingsError if there is no such key, or others may read it."""
    name = variable("anchor_key_file")
    wanted = "a file made by `hadron keys create`"
    try:
        secret = path.read_bytes()
        if path.stat().st_mode & 0o077:
            raise SettingsError([f"{name}: others may read {path}; wanted mode 0600"])
        key = load_pem_private_key(secret, password=None)
    except OSError as error:
        raise SettingsError([f"{name}: {path}: {error.strerror}; wanted {wanted}"]) from error
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise SettingsError([f"{name}: {path} has no private key; wanted {wanted}"]) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise SettingsError([f"{name}: {path} has no Ed25519 key; wanted {wanted}"])
    return Signer(key)


def prepare(path: Path) -> Signer:
    """Make the key that will take the place of the key at `path`, beside it."""
    fresh = _fresh(path)
    fresh.unlink(missing_ok=True)
    public_file(fresh).unlink(missing_ok=True)
    return create(fresh)


def adopt(path: Path) -> None:
    """Put the prepared key in its place, and its public key behind those before it."""
    fresh = _fresh(path)
    with public_file(path).open("ab") as file:
        file.write(public_file(fresh).read_bytes())
    public_file(fresh).unlink()
    fresh.replace(path)


def public_file(path: Path) -> Path:
    """Where the public keys of a private key's file are."""
    return path.with_name(f"{path.name}.pub")


def public_keys(path: Path) -> list[bytes]:
    """All public keys of a PEM file. Raise HadronError if it has none."""
    try:
        blocks = path.read_bytes().split(_BEGIN)[1:]
        keys = [load_pem_public_key(_BEGIN + block) for block in blocks]
    except OSError as error:
        raise HadronError(f"cannot read public keys from {path}: {error.strerror}") from error
    except (ValueError, UnsupportedAlgorithm):
        raise HadronError(f"{path} has something else than public keys in PEM") from None
    found = [key.public_bytes_raw() for key in keys if isinstance(key, Ed25519PublicKey)]
    if not found:
        raise HadronError(f"{path} has no Ed25519 public key in PEM")
    return found


def _fresh(path: Path) -> Path:
    return path.with_name(f"{path.name}.new")
