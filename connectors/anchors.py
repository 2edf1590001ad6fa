"""Signed heads of the chains: to a topic and to a file, neither of them in the database."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import msgspec
import platformdirs
import structlog

from connectors import signing
from connectors.kafka.connection import configuration
from connectors.kafka.log import KafkaLog
from connectors.signing import Signer
from hadron import metrics
from hadron.audit.anchors import anchor
from hadron.audit.facts import ChainHead, HeadsAnchored, RowsRetired
from hadron.errors import HadronError, TransientError
from hadron.ports import Codec, FactLog, Telemetry
from hadron.settings import Settings
from hadron.topics import ANCHORS, key_of

Heads = Mapping[tuple[str, int], ChainHead]
PARTITION = 0  # anchors of all signers are in one order
_FLUSH_S = 10.0

events = structlog.get_logger()


def file_of(settings: Settings) -> Path:
    """The file of signed heads."""
    if settings.anchor_file is not None:
        return Path(settings.anchor_file).expanduser()
    return platformdirs.user_data_path("hadron") / "anchors.jsonl"


def write(made: HeadsAnchored, *, settings: Settings, log: FactLog, codec: Codec) -> None:
    """Add an anchor to file and topic. Raise TransientError unless both have it."""
    record = (key_of(made), codec.encode(made))
    log.append(
        settings.prefix + ANCHORS.name,
        PARTITION,
        [record],
        timestamp_ms=made.at_ns // 1_000_000,
    )
    append(file_of(settings), made)
    log.flush(_FLUSH_S)


def append(path: Path, made: HeadsAnchored) -> None:
    """Add a line to a file, and return when it is on the disk."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(msgspec.json.encode(made) + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise TransientError(f"cannot write {path}: {error.strerror}") from error


def of_file(path: Path) -> list[HeadsAnchored]:
    """The anchors of a file, none if it does not exist. Raise HadronError if it is damaged."""
    if not path.exists():
        return []
    found: list[HeadsAnchored] = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            found.append(msgspec.json.decode(line, type=HeadsAnchored))
        except msgspec.DecodeError as error:
            raise HadronError(f"{path}, line {number}, is no anchor: {error}") from error
    return found


def of_topic(log: FactLog, name: str, codec: Codec) -> list[HeadsAnchored]:
    """The anchors that the topic still has."""
    place = (name, PARTITION)
    start, end = log.starts([place])[place], log.ends([place])[place]
    if start == end:
        return []
    values = [record.value for record in log.read(*place, start=start, end=end)]
    return [codec.decode(value) for value in values if value is not None]


@contextmanager
def anchoring(
    settings: Settings, heads: Callable[[], Heads], *, codec: Codec, telemetry: Telemetry
) -> Iterator[None]:
    """Anchor the heads every `HADRON_ANCHOR_S` and once more at the end; not without a key."""
    if settings.anchor_key_file is None:
        events.warning("anchors.no_key", reason="HADRON_ANCHOR_KEY_FILE is not set")
        yield
        return
    log = KafkaLog(configuration(settings))
    signer = signing.load(Path(settings.anchor_key_file).expanduser())
    turn = _Turn(
        signer,
        heads,
        lambda made: write(made, settings=settings, log=log, codec=codec),
        telemetry,
    )
    stop = Event()
    thread = Thread(target=turn.until, args=(stop, settings.anchor_s), name="anchors")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        turn.take()
        log.close()


class _Turn:
    """Anchors what changed. A failure is told; the next turn has what this one would have said."""

    def __init__(
        self,
        signer: Signer,
        heads: Callable[[], Heads],
        write: Callable[[HeadsAnchored], None],
        telemetry: Telemetry,
    ) -> None:
        self._signer, self._heads, self._write = signer, heads, write
        self._telemetry = telemetry
        self._done: set[ChainHead] = set()

    def until(self, stop: Event, every_s: float) -> None:
        while not stop.wait(every_s):
            self.take()

    def take(self) -> None:
        heads = set(self._heads().values())
        if heads <= self._done:
            return
        try:
            self._write(made(heads, self._signer))
        except HadronError as error:
            events.warning("anchors.not_written", reason=str(error))
            return
        self._done = heads
        self._telemetry.count(metrics.ANCHORS)


def made(
    heads: Iterable[ChainHead],
    signer: Signer,
    introduces: bytes | None = None,
    *,
    retired: Iterable[RowsRetired] = (),
    restored: bool = False,
) -> HeadsAnchored:
    """Heads signed now, with what else an anchor may say."""
    return anchor(
        heads,
        public_key=signer.public,
        sign=signer.sign,
        at_ns=time.time_ns(),
        introduces=introduces,
        retired=retired,
        restored=restored,
    )
