"""The shards that are ours: restored from the log when their first slice comes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeVar

import structlog

from hadron.fold import Fold
from streams.checkpointing import Checkpointer
from streams.emitting import Emitter
from streams.journal import Journal, sequenced
from streams.restoring import follow, restored, unread
from streams.shard import Place, Shard
from streams.standing import Standing
from streams.tools import Tools
from streams.watch import Watch

events = structlog.get_logger()

T = TypeVar("T")
Configured = Callable[[Any], None]


class Owned:
    """One shard a partition. Nothing of it is kept where another may have stepped it meanwhile."""

    def __init__(
        self,
        place: Place,
        make: Callable[[], Fold],
        *,
        tools: Tools,
        checkpointer: Checkpointer,
        journal: Journal | None,
        emitter: Emitter,
        standing: Standing,
        watch: Watch,
        configured: Configured | None,
    ) -> None:
        """`configured` is told of each fold that was restored."""
        self._place = place
        self._make = make
        self._tools = tools
        self._checkpointer = checkpointer
        self._journal = journal
        self._emitter = emitter
        self._standing = standing
        self._watch = watch
        self._configured = configured
        self._shards: dict[int, Shard] = {}

    def __iter__(self) -> Iterator[Shard]:
        return iter(self._shards.values())

    def get(self, partition: int) -> Shard | None:
        """The shard of a partition, where it was restored."""
        return self._shards.get(partition)

    def forget(self) -> None:
        """Another may step any of them from now on."""
        self._shards.clear()

    async def of(self, partition: int) -> Shard:
        """The shard of a partition, restored if it is not here yet."""
        return self._shards.get(partition) or await self._restored(partition)

    async def _restored(self, partition: int) -> Shard:
        started = time.perf_counter()
        place, journal = self._place, self._journal
        log, codec = self._tools.log, self._tools.codec
        if journal is not None:
            await self._standing.until(lambda: journal.settled(partition))
        shard = await _aside(lambda: restored(place, partition, self._make(), log=log, codec=codec))
        if shard.changed:
            await self._checkpointer.store([shard], [])
        if journal is not None:
            for done in await _aside(lambda: list(follow(shard, place, log=log, codec=codec))):
                self._emitter.facts(shard, done.facts)
            journal.begin(partition, shard.followed)
        for topic, records in await _aside(lambda: list(unread(shard, place, log=log))):
            entry = journal.append(partition, [sequenced(topic, records)]) if journal else None
            if journal is not None and entry is not None:
                await self._standing.until(partial(journal.stored, [entry]))
            self._emitter.facts(shard, shard.step(topic, records, codec))
            if entry is not None:
                shard.follow_to(entry.wanted + 1)
        self._emitter.hashes(shard)
        if self._configured is not None:
            self._configured(shard.fold)
        self._shards[partition] = shard
        took_s = time.perf_counter() - started
        self._watch.restored(took_s)
        events.info("shard restored", partition=partition, seconds=round(took_s, 3))
        return shard


async def _aside(read: Callable[[], T]) -> T:
    """Where blocking is no harm."""
    return await asyncio.get_running_loop().run_in_executor(None, read)
