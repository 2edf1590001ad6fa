"""Strategies as this installation has them, each with its version: NAME as people configured it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from hadron.control.facts import ControlFact, StrategyConfigured
from hadron.errors import SettingsError
from hadron.strategy.registry import KINDS, Deployment, build
from hadron.strategy.versions import Code
from hadron.wiring.sources import codes_of


@cache
def installed() -> Mapping[str, Code]:
    """What each kind that is installed is made of. Reads some files, once in a process."""
    return codes_of(KINDS)


def resolve(name: str, newest: Mapping[str, ControlFact]) -> Deployment:
    """The strategy of that name as `newest` (of the control topic, by subject) configures it.

    `version` is the hash that its decisions are stamped with by this installation, `made_of` what
    it stands for. Raise SettingsError naming the strategies that there are, ContractError if this
    installation does not know the kind or its parameters.
    """
    found = newest.get(f"strategy/{name}")
    if not isinstance(found, StrategyConfigured):
        known = sorted(
            fact.name for fact in newest.values() if isinstance(fact, StrategyConfigured)
        )
        wanted = f"wanted one of {', '.join(known)}" if known else "none is configured"
        raise SettingsError([f"STRATEGY: {name!r}; {wanted}"])
    return build(found, KINDS, installed())
