"""Strategies as they were: classes made from the sources that a version names."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from types import ModuleType
from typing import Any

from hadron.errors import HadronError
from hadron.strategy.facts import StrategyDeployed
from hadron.strategy.registry import KINDS
from hadron.strategy.strategy import Strategy
from hadron.strategy.versions import Code
from hadron.wiring.strategies import installed

OURS = "hadron."


def code_in(made_of: StrategyDeployed) -> Code:
    """The code that a version names."""
    return Code(made_of.entry, made_of.modules, made_of.models, made_of.distributions)


def loaded(made_of: StrategyDeployed) -> type[Strategy]:
    """The class that a version names, by its sources: running it runs what ran then.

    Of Hadron's own modules only the strategy's is taken; the others, all that is imported later
    than the module itself, and distributions are those that are installed. Raise HadronError if it
    cannot be made.
    """
    kind = KINDS.get(made_of.kind)
    if kind is not None and installed()[made_of.kind] == code_in(made_of):
        return kind
    name, _, attribute = made_of.entry.partition(":")
    alias = f"{name}@{made_of.version[:12]}"
    if alias not in sys.modules:
        others = {
            other: source
            for other, source in made_of.modules.items()
            if other != name and not f"{other}.".startswith(OURS)
        }
        try:
            with _served(others):
                _run(name, alias, made_of.modules[name])
        except Exception as error:  # a user's code raises whatever it likes
            sys.modules.pop(alias, None)
            raise HadronError(
                f"strategy {made_of.kind} {made_of.version}: its sources cannot be run here:"
                f" {type(error).__name__}: {error}"
            ) from error
    found: type[Strategy] = getattr(sys.modules[alias], attribute)
    return found


def _run(name: str, alias: str, source: str) -> None:
    module = ModuleType(alias)
    module.__package__ = name.rpartition(".")[0]
    sys.modules[alias] = module  # dataclasses and msgspec look there for the names in annotations
    exec(compile(source, f"<{alias}>", "exec"), module.__dict__)


class _Sources(MetaPathFinder, Loader):
    """Imports modules from texts."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self._sources = sources

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self._sources:
            return None
        inside = any(name.startswith(f"{fullname}.") for name in self._sources)
        return spec_from_loader(fullname, self, is_package=inside)

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__
        exec(compile(self._sources[name], f"<{name}>", "exec"), module.__dict__)


@contextmanager
def _served(sources: Mapping[str, str]) -> Iterator[None]:
    """Imports inside get these modules; afterwards those that were there are there again."""
    before: dict[str, Any] = {name: sys.modules.pop(name, None) for name in sources}
    finder = _Sources(sources)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name, module in before.items():
            if module is not None:
                sys.modules[name] = module
