"""Which strategy a backtest is of: ours, one of a user's file, or what live has configured."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from hadron.control.facts import StrategyConfigured
from hadron.errors import ContractError, SettingsError
from hadron.strategy.registry import KINDS, build
from hadron.strategy.strategy import Strategy

LIVE = "live"


def kinds_of(name: str) -> tuple[str, Mapping[str, type[Strategy]]]:
    """The kind that a name means, and all kinds. A file's is `path/to/file.py:Class`.

    Its code is run here, as any strategy's. Raise SettingsError if there is none.
    """
    if name in KINDS:
        return name, KINDS
    path, colon, kind = name.rpartition(":")
    if not (colon and path.endswith(".py")):
        wanted = f"{', '.join(KINDS)}, {LIVE} or file.py:Class"
        raise SettingsError([f"STRATEGY: {name!r}; wanted one of {wanted}"])
    found = getattr(_module(Path(path)), kind, None)
    if not isinstance(found, type):
        raise SettingsError([f"STRATEGY: {name!r}; {path} has no class {kind}"])
    return kind, {**KINDS, kind: found}


def configured(
    kind: str,
    kinds: Mapping[str, type[Strategy]],
    *,
    portfolio: str,
    instruments: Sequence[str],
    parameters: Mapping[str, str],
) -> StrategyConfigured:
    """The strategy as it would be configured. Raise SettingsError for a wrong parameter."""
    fact = StrategyConfigured(
        author="backtest",
        reason="backtest",
        at_ns=0,
        version=1,
        name=kind,
        kind=kind,
        enabled=True,
        portfolio=portfolio,
        instruments=list(instruments),
        parameters=dict(parameters),
    )
    try:
        build(fact, kinds)
    except ContractError as error:
        raise SettingsError([f"--set: {error}"]) from None
    return fact


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"hadron_strategy_{path.stem}", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise SettingsError([f"STRATEGY: {str(path)!r} is no file of Python"])
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # a user's code raises whatever it likes
        kind = type(error).__name__
        raise SettingsError([f"STRATEGY: {str(path)!r} cannot be read: {kind}: {error}"]) from error
    return module


def pairs(option: str, given: Sequence[str]) -> dict[str, Any]:
    """Each name=value. Raise SettingsError naming one that is none."""
    found = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise SettingsError([f"{option}: {text!r}; wanted name=value"])
        found[name] = value
    return found
