"""The version of a strategy: one hash of its code, parameters, models and what it imports."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

import msgspec

from hadron.strategy.facts import StrategyDeployed

_canonical = msgspec.json.Encoder(order="deterministic").encode


class Code(msgspec.Struct, frozen=True):
    """What a kind of strategy is made of, as whoever may read files found it.

    The same on every machine that has the same code: no path, no date, lines ended by one "\\n".
    """

    entry: str = ""  # module:Class
    modules: Mapping[str, str] = {}  # source by name: its module, and what it imports of its own
    models: Mapping[str, str] = {}  # SHA-256 in hex by file name
    distributions: Mapping[str, str] = {}  # version by name: what it imports of others, Python


UNREAD = Code()


def deployed(kind: str, parameters: msgspec.Struct, code: Code, *, at_ns: int) -> StrategyDeployed:
    """What a strategy with these parameters is made of, named by its version."""
    fact = StrategyDeployed(
        version="",
        kind=kind,
        entry=code.entry,
        parameters=_written(parameters),
        modules=dict(sorted(code.modules.items())),
        models=dict(sorted(code.models.items())),
        distributions=dict(sorted(code.distributions.items())),
        at_ns=at_ns,
    )
    return msgspec.structs.replace(fact, version=version_of(fact))


def version_of(fact: StrategyDeployed) -> str:
    """The SHA-256, in hex, of all that the fact says but its own name and its time."""
    said = msgspec.structs.asdict(fact)
    del said["version"], said["at_ns"]
    return sha256(_canonical(said)).hexdigest()


def _written(parameters: msgspec.Struct) -> dict[str, str]:
    """Every parameter as text, defaults included, so that one that is not given counts, too."""
    plain = msgspec.to_builtins(parameters)
    return {
        name: value if isinstance(value, str) else _canonical(value).decode()
        for name, value in sorted(plain.items())
    }
