"""What `record` of a row has: as much as its columns alone would not give back.

NULL: the columns give back the bytes that the first version of the contract writes. One byte: those
that the version of this number writes. More: the bytes themselves, for no record is so short. So
rows mean the same for ever, whatever version is the newest.
"""

from __future__ import annotations

from typing import Any

from hadron.errors import ContractError
from hadron.ports import Codec

FIRST = 1  # versions are counted from it


def kept(fact: Any, value: bytes, codec: Codec) -> bytes | None:
    """What `record` has where the columns hold the fact that lies on the log as `value`."""
    version = codec.version(value)
    if version is None or version > 255 or not _comes_back(fact, value, codec, version):
        return value
    return marked(version)


def marked(version: int) -> bytes | None:
    """What `record` has where nothing but the version is lacking."""
    return None if version == FIRST else bytes([version])


def version_of(record: bytes | None) -> int | None:
    """The version as which the columns are to be written; None where the bytes are there.

    Raise ContractError for a byte that says the first one: nobody writes that.
    """
    if record is None:
        return FIRST
    if len(record) != 1:
        return None
    if record[0] <= FIRST:
        raise ContractError(f"record says version {record[0]}; wanted NULL, or a later one")
    return record[0]


def _comes_back(fact: Any, value: bytes, codec: Codec, version: int) -> bool:
    try:
        return codec.encode_as(fact, version) == value
    except ContractError:
        return False  # readable, but not as we would have written it
