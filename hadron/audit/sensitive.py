"""Fields that a contract marks as sensitive: sealed before they reach the log, and for good.

In a contract, `"sensitive": "author"` beside a field of type string says that it is sealed with the
key of the subject that the field `author` names. What is on the log, in rows, chains and proofs
is the sealed text; so all of them stay as they are when a subject's key is destroyed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec

F = TypeVar("F", bound=msgspec.Struct)
# subject, text, and what the text is: it cannot be opened as anything else
Seal = Callable[[str, str, str], str]
Open = Callable[[str, str], str]


def sensitive_fields(schema: Mapping[str, Any]) -> Mapping[str, str]:
    """The field that names the subject, by sensitive field."""
    return {field["name"]: field["sensitive"] for field in schema["fields"] if "sensitive" in field}


def sealed(fact: F, fields: Mapping[str, str], seal: Seal) -> F:
    """The fact as it may be written."""
    subjects = {name: getattr(fact, subject) for name, subject in fields.items()}
    return _changed(fact, fields, lambda name, text: seal(subjects[name], text, _about(fact, name)))


def opened(fact: F, fields: Mapping[str, str], open_: Open) -> F:
    """The fact as it may be shown."""
    return _changed(fact, fields, lambda name, text: open_(text, _about(fact, name)))


def _changed(fact: F, fields: Mapping[str, str], change: Callable[[str, str], str]) -> F:
    return msgspec.structs.replace(
        fact, **{name: change(name, getattr(fact, name)) for name in fields}
    )


def _about(fact: msgspec.Struct, field: str) -> str:
    return f"{type(fact).__name__}.{field}"
