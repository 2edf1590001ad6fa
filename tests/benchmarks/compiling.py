"""A copy of the source in which the hot modules are C, as mypyc makes it of them.

mypyc forgets the keywords of a class (`frozen=True`, `array_like=True`, `gc=False`) without a word,
and gives each field of a dataclass the annotation `type`; msgspec goes by both. So such classes
move into a module beside their own, which stays Python.
"""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from tests.benchmarks.pairs import ROOT

SOURCE = ("hadron", "streams", "connectors", "schemas", "tests", "pyproject.toml")
HOT = (
    *("hadron.audit.leaves", "hadron.avro.longs", "hadron.avro.reading", "hadron.avro.splitting"),
    *("hadron.avro.writing", "hadron.envelope", "hadron.market.holdings", "hadron.market.listing"),
    *("hadron.market.normalizer", "hadron.market.quality", "hadron.market.rules"),
    *("hadron.market.volatility", "hadron.partitions", "hadron.risk.verdict"),
    *("hadron.strategy.book", "hadron.strategy.engine", "hadron.strategy.outcomes"),
    *("hadron.strategy.watch", "hadron.venues.massive.parse"),
    *("hadron.venues.massive.split", "hadron.venues.numbers", "streams.outbox", "streams.shard"),
)


def lacking() -> str:
    """What this machine lacks to compile; "" where nothing is missing."""
    compiler = str(sysconfig.get_config_var("CC") or "cc").split()[0]
    header = Path(sysconfig.get_path("include"), "Python.h")
    there = {
        f"the C compiler {compiler}": shutil.which(compiler),
        f"{header}, of Python's development files": header.exists(),
        "the package setuptools": find_spec("setuptools"),
    }
    return ", ".join(name for name, found in there.items() if not found)


def compiled_copy(folder: Path, modules: Iterable[str] = HOT) -> None:
    """Copy all source there and compile modules of it. Raise CalledProcessError if that fails.

    Nothing may be `lacking`.
    """
    for name in SOURCE:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    files = [Path(*module.split(".")).with_suffix(".py") for module in modules]
    for file in files:
        _part(folder, file)
    # setuptools, which builds them, must not take this for a project of its own.
    (folder / "pyproject.toml").rename(folder / "mypy.toml")
    subprocess.run(
        [sys.executable, "-m", "mypyc", "--config-file", "mypy.toml", *map(str, files)],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        check=True,
    )


def parted(text: str, beside: str) -> tuple[str, str]:
    """A module without what must stay Python, and the module `beside` it that has that, or ""."""
    tree = ast.parse(text)
    staying = [node for node in tree.body if _stays(node)]
    if not staying:
        return text, ""
    while more := [node for node in tree.body if node not in staying and _needed(node, staying)]:
        staying += more
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom | ast.If)]
    names = [ast.alias(name, name) for node in staying for name in _names(node)]
    known = [*imports, ast.ImportFrom(beside, names, 0)]
    others = [node for node in tree.body if node not in [*imports, *staying]]
    moved = [node for node in tree.body if node in staying]  # in their order
    return _written([*known, *others]), _written([*imports, *moved])


def _part(folder: Path, file: Path) -> None:
    beside = file.with_stem(f"{file.stem}_python")
    kept, moved = parted((folder / file).read_text("utf-8"), ".".join(beside.with_suffix("").parts))
    if moved:
        (folder / file).write_text(kept, "utf-8")
        (folder / beside).write_text(moved, "utf-8")


def _stays(node: ast.stmt) -> bool:
    if isinstance(node, ast.ClassDef):
        return bool(node.keywords or node.decorator_list)
    used = ast.walk(node) if isinstance(node, ast.Assign) else ()
    return any("defstruct" in (getattr(one, "id", ""), getattr(one, "attr", "")) for one in used)


def _needed(node: ast.stmt, by: Iterable[ast.stmt]) -> bool:
    used = {one.id for user in by for one in ast.walk(user) if isinstance(one, ast.Name)}
    return isinstance(node, ast.Assign) and not used.isdisjoint(_names(node))


def _names(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.ClassDef):
        return [node.name]
    assert isinstance(node, ast.Assign)
    return [target.id for target in node.targets if isinstance(target, ast.Name)]


def _written(body: list[ast.stmt]) -> str:
    return ast.unparse(ast.fix_missing_locations(ast.Module(body, []))) + "\n"
