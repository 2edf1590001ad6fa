"""Stores the state of shards, and only then acknowledges what they have stepped."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable

from hadron import metrics
from hadron.audit.checkpoints import slot
from hadron.ports import Codec, LoopLog, Telemetry
from streams.batching import Fetch
from streams.outbox import Outbox
from streams.shard import Place, Shard


class Checkpointer:
    """Writes one record a shard to the state topic, after all that the shard said is on the log."""

    def __init__(
        self, place: Place, *, outbox: Outbox, log: LoopLog, codec: Codec, telemetry: Telemetry
    ) -> None:
        self._place = place
        self._outbox = outbox
        self._log = log
        self._codec = codec
        self._telemetry = telemetry
        self._one = asyncio.Lock()

    async def store(self, shards: Iterable[Shard], stepped: list[Fetch]) -> None:
        """Snapshot, wait for outputs, store, acknowledge. `stepped`, one a slice, is emptied.

        `shards` are looked at when the snapshot is taken, as `stepped` is: one that was restored
        while we waited has stepped slices of which nothing else would be stored.
        """
        async with self._one:
            started = time.perf_counter()
            # Asked before the snapshot: whatever is appended after it lies at or behind these ends.
            ends = await asyncio.get_running_loop().run_in_executor(
                None, self._log.ends, self._place.output_partitions()
            )
            done = stepped.copy()
            stepped.clear()
            taken = [(s.partition, s.checkpoint(ends)) for s in shards if s.changed]
            # No await between the two lines above: they are one moment.
            await self._outbox.all_stored()
            size = 0
            for partition, checkpoint in taken:
                value = self._codec.encode(checkpoint)
                size += len(value)
                self._outbox.append_bytes(
                    self._place.state_topic, partition, key=slot(checkpoint), value=value
                )
            await self._outbox.all_stored()
            for fetch in done:
                fetch.done()
            self._report(time.perf_counter() - started, size)

    def _report(self, took_s: float, size: int) -> None:
        process = self._place.process
        self._telemetry.observe(metrics.CHECKPOINT_SECONDS, took_s, process=process)
        self._telemetry.count(metrics.CHECKPOINT_BYTES, size, process=process)
