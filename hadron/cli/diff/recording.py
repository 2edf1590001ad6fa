"""Steps live's journal with the code that is here, and keeps what came of it as a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from hadron.audit.checkpoints import Recovered
from hadron.audit.facts import Position, StateHashed
from hadron.cli.diff.runs import NAME_OF_LIVE, Run
from hadron.errors import SettingsError
from hadron.partitions import partition_of
from hadron.ports import Codec, FactLog
from hadron.strategy.engine import Engine
from hadron.strategy.facts import DecisionMade
from hadron.strategy.registry import KINDS
from hadron.topics import DECISIONS, HASHES, LIVE, STRATEGIES, Names, Topic, key_of, replay_names
from hadron.variables import variable
from hadron.wiring.strategies import installed
from streams.deployments import Deployments
from streams.restoring import follow
from streams.shard import Place, Shard

if TYPE_CHECKING:
    from connectors.kafka.groups import Admin
    from hadron.settings import Settings

PROCESS = "engine"


class Recorded(msgspec.Struct):
    """What a recording came to."""

    run: str
    entries: int = 0
    decisions: int = 0
    hashes: int = 0
    topics: list[str] = []


def topics_of(run: str) -> list[Topic]:
    """The topics of a recorded run. They do not age out, and hold states as large as they are."""
    write = replay_names(run).write
    return [
        msgspec.structs.replace(
            topic,
            name=write(topic.name),
            retention_ms=-1,
            compacted=topic is not DECISIONS,  # each hash has a key of its own: none is replaced
        )
        for topic in (DECISIONS, STRATEGIES, HASHES)
    ]


def made(run: str, admin: Admin, settings: Settings) -> list[str]:
    """Make the topics of a run. Raise SettingsError if there are some of that name before."""
    from connectors.kafka import admin as administration
    from connectors.kafka.inspection import inspect

    prefix = replay_names(run).prefix
    present = sorted(name for name in inspect(admin).topics if name.startswith(prefix))
    if present:
        raise SettingsError(
            [f"RUN: {', '.join(present)} exist; wanted a name that no run has yet, or --drop"]
        )
    wanted = topics_of(run)
    administration.apply(
        admin, wanted, partitions=settings.num_shards, replication=settings.replication
    )
    return [topic.name for topic in wanted]


def _engine() -> Engine:
    return Engine(KINDS, installed())


def record(
    run: str,
    settings: Settings,
    *,
    log: FactLog,
    codec: Codec,
    make: Callable[[], Engine] = _engine,
) -> Recorded:
    """Step all that the journal of live's engine has, shard by shard, into topics that exist.

    Hashes are taken where live takes them, and at the end. Raise SettingsError if live takes none
    and the setting says the same.
    """
    recording = _Recording(run, settings, log=log, codec=codec)
    for partition in range(settings.num_shards):
        recording.record(partition, make())
    log.flush()
    return recording.done


class _Recording:
    def __init__(self, run: str, settings: Settings, *, log: FactLog, codec: Codec) -> None:
        self.done = Recorded(run)
        self._names: Names = replay_names(run)
        self._log, self._codec = log, codec
        self._partitions = settings.num_shards
        self._every = settings.hash_entries
        self._live = Run(NAME_OF_LIVE, log=log, codec=codec, partitions=settings.num_shards)
        self._deployments = Deployments(
            log, codec, names=self._names, partitions=settings.num_shards
        )

    def record(self, partition: int, engine: Engine) -> None:
        """Step one shard from the first entry that its journal has."""
        every = next((fact.every for fact in self._live.hashes(partition).values()), self._every)
        if not every:
            name = variable("hash_entries")
            raise SettingsError([f"{name}: 0; wanted the entries between hashes of the state"])
        place = Place(PROCESS, self._partitions, LIVE, every)
        shard = Shard(place, partition, engine, Recovered())
        for each in follow(shard, place, log=self._log, codec=self._codec):
            self.done.entries += 1
            self._keep(shard, each.facts)
        if shard.followed % every:
            shard.hash()
        self._keep(shard, ())
        self._deployments.say_of(engine)

    def _keep(self, shard: Shard, facts: Any) -> None:
        for fact in facts:
            if isinstance(fact, DecisionMade):
                self.done.decisions += 1
                partition = partition_of(key_of(fact), self._partitions)
                self._append(DECISIONS, partition, key_of(fact), fact)
        for fact, parts in shard.hashed:
            self.done.hashes += 1
            positions = [Position(*at, offset) for at, offset in sorted(shard.positions.items())]
            whole: StateHashed = msgspec.structs.replace(
                fact, positions=positions, parts=dict(parts)
            )
            self._append(HASHES, shard.partition, str(fact.entries), whole)
        shard.hashed.clear()

    def _append(self, topic: Topic, partition: int, key: str, fact: Any) -> None:
        name = self._names.write(topic.name)
        self._log.append(name, partition, [(key, self._codec.encode(fact))])
        self._log.poll()
