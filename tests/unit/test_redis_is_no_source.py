"""Redis is made from the log and read by people: nothing that decides or stores may ask it."""

from __future__ import annotations

import ast
from pathlib import Path

import connectors
import hadron
import schemas
import streams

# Who may hold a client: the projection itself, and who starts a server and waits for its answer.
CLIENTS = {
    "connectors/redis/inspection.py",
    "connectors/redis/store.py",
    "connectors/local/valkey.py",
}
# Who may ask the projection: the process that makes it, commands that show or mend it.
DOORS = {
    "hadron/cli/checks/probes.py",
    "hadron/cli/checks/store.py",
    "hadron/cli/newest.py",
    "hadron/cli/rebuild.py",
    "hadron/cli/status.py",
    "hadron/wiring/edges.py",
}


def _imports(path: Path) -> set[str]:
    """Also those within functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


IMPORTS = {
    str(path.relative_to(root.parent)): _imports(path)
    for root in (Path(one.__path__[0]) for one in (connectors, hadron, schemas, streams))
    for path in root.rglob("*.py")
}


def _importers(package: str) -> set[str]:
    return {
        path
        for path, names in IMPORTS.items()
        if any(name == package or name.startswith(f"{package}.") for name in names)
    }


def test_only_the_projection_has_a_client() -> None:
    assert _importers("redis") == CLIENTS


def test_only_the_doors_ask_the_projection() -> None:
    inside = {path for path in IMPORTS if path.startswith("connectors/redis/")}

    assert _importers("connectors.redis") - inside == DOORS


def test_the_projection_is_folded_without_a_look_at_redis() -> None:
    folding = ("documents", "hot", "intake", "past")

    asking = _importers("redis") | _importers("connectors.redis.store")

    assert asking.isdisjoint(f"connectors/redis/{name}.py" for name in folding)
