"""`hadron version`: what is installed."""

from __future__ import annotations

import platform
from importlib import metadata

from hadron.cli import options, output

# Those whose version decides what lies on the log or in the database.
LIBRARIES = (
    "alembic",
    "confluent-kafka",
    "fastavro",
    "faust-streaming",
    "msgspec",
    "psycopg",
    "pydantic",
    "redis",
)


def version(json: options.Json = False) -> None:
    """Show the versions of Hadron, its contracts, Python and the libraries that matter."""
    import schemas

    newest = {contract.name: contract.version for contract in schemas.catalogue()}
    libraries = {name: _installed(name) for name in LIBRARIES}
    document = {
        "hadron": package_version(),
        "python": platform.python_version(),
        "contracts": newest,
        "libraries": libraries,
    }
    rows = [("hadron", package_version()), ("python", platform.python_version())]
    known = [(name, found or "not installed") for name, found in libraries.items()]
    output.show(
        document,
        output.table("", ("package", "version"), [*rows, *known]),
        output.table("", ("contract", "version"), newest.items()),
        as_json=json,
    )


def package_version() -> str:
    """The version of this distribution, `unknown` where it runs without being installed."""
    return _installed("hadron-platform") or "unknown"


def _installed(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
