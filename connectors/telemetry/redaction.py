"""Keeps secrets out of log lines: by the field's name, by type, and by value wherever it shows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, MutableMapping
from math import isfinite
from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

MASK = "**********"

Event = MutableMapping[str, Any]

_SECRET_NAME = re.compile(
    r"passw(or)?d|secret|token|authorization|credential|cookie|signature"
    r"|(^|[_-])(api|access|private|signing|massive)[_-]?key($|[_-])|^apikey$",
    re.IGNORECASE,
)
_USERINFO = re.compile(r"(?<=://)[^/\s@]+@")
_DEEPEST = 8
# Shorter ones would blacken half of every line.
_SHORTEST = 4


class Redaction:
    """A structlog processor. No given value, nor the password in a URL, survives it anywhere.

    What is left in the event is plain: text, numbers, None, lists and dicts of them.
    """

    def __init__(self, secrets: Iterable[SecretStr | None]) -> None:
        values = sorted(set(_values(secrets)), key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, values))) if values else None

    def __call__(self, _: Any, __: str, event: Event) -> Event:
        return self._fields(event, 0)

    def _fields(self, values: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        return {
            self._text(str(name)): MASK
            if _SECRET_NAME.search(str(name))
            else self._plain(value, depth)
            for name, value in values.items()
        }

    def _plain(self, value: Any, depth: int) -> Any:
        match value:
            case None | bool() | int():
                return value
            case float():
                return value if isfinite(value) else str(value)
            case str():
                return self._text(value)
            case Mapping() if depth < _DEEPEST:
                return self._fields(value, depth + 1)
            case list() | tuple() | set() | frozenset() if depth < _DEEPEST:
                return [self._plain(each, depth + 1) for each in value]
        return self._text(_words(value))

    def _text(self, value: str) -> str:
        hidden = self._known.sub(MASK, value) if self._known else value
        return _USERINFO.sub(f"{MASK}@", hidden) if "://" in hidden else hidden


def _words(value: object) -> str:
    """A log line must not fail because a value cannot describe itself."""
    try:
        return value.decode("utf-8", "backslashreplace") if type(value) is bytes else str(value)
    except Exception as error:
        return f"<{type(value).__name__} whose text raises {type(error).__name__}>"


def _values(secrets: Iterable[SecretStr | None]) -> Iterable[str]:
    for secret in secrets:
        whole = secret.get_secret_value() if secret else ""
        password = _password(whole)
        yield from (v for v in (whole, password, unquote(password)) if len(v) >= _SHORTEST)


def _password(url: str) -> str:
    try:
        return urlsplit(url).password or ""
    except ValueError:
        return ""
