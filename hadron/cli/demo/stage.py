"""Sets the stage of a demo: servers, topics, tables, the first rules; and clears it again."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import time_ns

import msgspec

from hadron import topics
from hadron.cli import opening
from hadron.cli.environment import DATABASES, SERVERS, directory_of_stack, load, owner_url
from hadron.settings import Settings
from hadron.variables import PREFIX, variable

Progress = Callable[[str], None]


class Stage(msgspec.Struct, frozen=True):
    """What the processes of a demo are started with."""

    settings: Settings
    environment: Mapping[str, str]
    directory: Path


@contextmanager
def stage(
    environ: Mapping[str, str], directory: Path | None, progress: Progress
) -> Iterator[Stage]:
    """Servers that run, topics and tables that exist; the servers that we started end with it.

    Without `directory` the demo has one of its own, which begins empty each time.
    """
    folder = directory or directory_of_stack(None) / "demo"
    ours = [name for name in SERVERS if not environ.get(variable(name))]
    if ours and directory is None:
        _cleared(folder, progress)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        settings = _started(environ, folder, progress)
        _prepared(settings, progress)
        yield Stage(settings, _for_children(environ, settings), folder)
    finally:
        if ours:
            progress("stopping the servers")
            _stopped(folder, progress)


def _started(environ: Mapping[str, str], folder: Path, progress: Progress) -> Settings:
    from connectors.local import stack

    need: dict[str, stack.Name] = {"kafka": "kafka", "database": "postgres", "redis": "valkey"}
    missing = frozenset(need[name] for name in SERVERS if not environ.get(variable(name)))
    if missing:
        progress(f"starting {', '.join(sorted(missing))}")
        stack.up(folder, progress=progress, need=missing)
    return load(environ, folder)


def _stopped(folder: Path, progress: Progress) -> None:
    from connectors.local import stack

    stack.down(folder, progress=progress)


def _cleared(folder: Path, progress: Progress) -> None:
    _stopped(folder, progress)
    shutil.rmtree(folder, ignore_errors=True)


def _prepared(settings: Settings, progress: Progress) -> None:
    from connectors.kafka import admin
    from connectors.timescale import schema
    from connectors.timescale.access.roles import access_of
    from connectors.timescale.storage.windows import keep_of
    from hadron.cli.control import seed_defaults
    from hadron.wiring import codec_of

    progress("creating topics")
    admin.apply(
        opening.admin(settings),
        topics.ALL,
        partitions=settings.num_shards,
        replication=settings.replication,
    )
    progress("creating tables")
    schema.migrate(owner_url(settings), keep=keep_of(settings), access=access_of(settings))
    log = opening.fact_log(settings)
    seed_defaults(log, codec_of(settings), settings.num_shards, time_ns())
    log.flush()


def _for_children(environ: Mapping[str, str], settings: Settings) -> dict[str, str]:
    from connectors.timescale.access.roles import LOGINS

    # No process needs to read what it wrote, let alone to own it.
    passwords = (f"{role}_password" for role in LOGINS)
    others = {variable(name) for name in (*DATABASES, *passwords)}
    theirs = {
        key: value
        for key, value in environ.items()
        if not key.startswith("COV_") and key not in others
    }
    theirs[variable("kafka")] = settings.kafka
    for name in ("database", "redis"):
        secret = getattr(settings, name)
        if secret is not None:
            theirs[variable(name)] = secret.get_secret_value()
    for name in ("anchor_key_file", "anchor_file"):
        if getattr(settings, name) is not None:
            theirs[variable(name)] = getattr(settings, name)
    theirs[f"{PREFIX}HTTP_PORT"] = "0"
    return theirs
