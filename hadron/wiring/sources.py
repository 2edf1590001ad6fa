"""Reads what a strategy is made of: sources, models, and the versions of what it imports."""

from __future__ import annotations

import ast
import hashlib
import re
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.machinery import ModuleSpec
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions, version
from importlib.util import decode_source, find_spec, resolve_name
from pathlib import Path

from hadron.errors import SettingsError
from hadron.strategy.strategy import Strategy
from hadron.strategy.versions import Code

OURS = "hadron-platform"


def codes_of(kinds: Mapping[str, type[Strategy]]) -> dict[str, Code]:
    """What each kind is made of. Raise SettingsError naming a file that cannot be read."""
    return {name: code_of(kind) for name, kind in kinds.items()}


def code_of(kind: type[Strategy]) -> Code:
    """What a strategy is made of: its module, and all that it imports of its top-level package.

    So are modules that no installed distribution has. Of all others the version is taken, as of
    Python and of Hadron. Imports for the type checker alone do not run, and do not count.
    """
    modules: dict[str, str] = {}
    others = {"hadron"}
    own, waiting = _top(kind.__module__), [kind.__module__]
    while waiting:
        name = waiting.pop()
        if name in modules or (source := _source(name)) is None:
            continue
        modules[name] = source
        if "." in name:  # its package is run before it
            waiting.append(name.rpartition(".")[0])
        for imported in imports(source, name, is_package=_is_package(name)):
            if _top(imported) == own or not (_is_standard(imported) or _owners(_top(imported))):
                waiting.append(imported)
            elif not _is_standard(imported):
                others.add(_top(imported))
    return Code(
        entry=f"{kind.__module__}:{kind.__qualname__}",
        modules=modules,
        models={name: _digest(kind, name) for name in getattr(kind, "models", ())},
        distributions=_versions(others),
    )


def imports(source: str, name: str, *, is_package: bool = False) -> Iterator[str]:
    """Modules that a module may import when it runs; of `from a import b` both a and a.b."""
    package = name if is_package else name.rpartition(".")[0]
    for node in _running(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            whole = resolve_name(module, package) if node.level else module
            yield whole
            yield from (f"{whole}.{alias.name}" for alias in node.names)


def _running(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            for other in child.orelse:
                yield other
                yield from _running(other)
        else:
            yield child
            yield from _running(child)


def _top(name: str) -> str:
    return name.partition(".")[0]


def _is_standard(name: str) -> bool:
    return _top(name) in sys.stdlib_module_names


def _is_package(name: str) -> bool:
    spec = _spec(name)
    return spec is not None and spec.submodule_search_locations is not None


def _spec(name: str) -> ModuleSpec | None:
    loaded = sys.modules.get(name)
    if loaded is not None and loaded.__spec__ is not None:
        return loaded.__spec__
    try:
        return find_spec(name)
    except (ImportError, ValueError):  # an attribute of a module, or what is not installed
        return None


def _source(name: str) -> str | None:
    """The text of a module; None where there is none of that name, or no file."""
    spec = _spec(name)
    if spec is None or not spec.has_location or spec.origin is None:
        return None
    data = _read(Path(spec.origin), f"module {name}")
    if not spec.origin.endswith(".py"):
        return f"sha256 {hashlib.sha256(data).hexdigest()}"
    return decode_source(data)  # which ends lines by one "\n"


def _digest(kind: type[Strategy], model: str) -> str:
    spec = _spec(kind.__module__)
    if spec is None or spec.origin is None:
        raise SettingsError([f"model {model!r} of {kind.__qualname__}: its module has no file"])
    data = _read(Path(spec.origin).parent / model, f"model {model!r} of {kind.__qualname__}")
    return hashlib.sha256(data).hexdigest()


def _read(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsError([f"{what}: {str(path)!r}: {error.strerror}; wanted a file"]) from error


@cache
def _distributions() -> Mapping[str, list[str]]:
    return packages_distributions()


def _owners(top: str) -> list[str]:
    """The distributions that a top-level module is of; ours is known where it is not installed."""
    return [OURS] if top == "hadron" else _of_its_name(top) or _distributions().get(top, [])


@cache
def _of_its_name(top: str) -> list[str]:
    """The distribution that is called like its module; to look through all takes half a second."""
    try:
        found = distribution(top)
    except PackageNotFoundError:
        return []
    # Without a file of its own it is a namespace, of which others have parts, too.
    has_it = f"\n{top}/__init__.py," in f"\n{found.read_text('RECORD') or ''}"
    return [found.name] if has_it else []


def _versions(tops: set[str]) -> dict[str, str]:
    owners = {owner for top in tops for owner in _owners(top)}
    found = {re.sub(r"[-_.]+", "-", owner).lower(): version(owner) for owner in owners}
    # Sums of floats, for one, are others since 3.12; from patch to patch nothing may change.
    return {**found, "python": f"{sys.version_info.major}.{sys.version_info.minor}"}
