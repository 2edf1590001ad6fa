"""What comes from Kafka into the lanes, and no more than may wait there."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import faust
from faust.types.tuples import TP

from streams.batching import use_slices
from streams.lanes import Lanes, Waiting
from streams.shard import Place
from streams.tools import Pace

REST_S = 0.002  # of COLD after a turn, while FAST flows
ROUNDS = 32  # of the event loop, at most, that what is fetched needs to get here


class Intake:
    """Fills the lanes from the sources of one process; stops a partition of which enough waits."""

    def __init__(
        self, app: faust.App, place: Place, lanes: Lanes, *, rank: Mapping[str, int], pace: Pace
    ) -> None:
        self._app = app
        self._lanes = lanes
        self._most = pace.queue_records
        self._full: set[Any] = set()
        self._work = asyncio.Event()
        use_slices(app, rank, pause_s=pace.fetch_s)
        names = [place.names.read(topic) for topic in place.flow.sources]
        channel = app.topic(
            *names, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw"
        )
        app.agent(channel, name=place.process)(self._receive)

    async def wait(self) -> None:
        """Until there is something to step."""
        self._work.clear()
        if self._lanes:  # what waits there rests
            asyncio.get_running_loop().call_later(REST_S, self._work.set)
        await self._work.wait()

    async def let_in(self) -> None:
        """Give others of the loop their turn, until what is fetched for the first lanes is here."""
        for _ in range(ROUNDS):
            await asyncio.sleep(0)
            if not self._app.consumer.brings():
                return

    def taken(self, slice: Waiting) -> None:
        """Let more of a partition come, where what waits of it has become little."""
        tp = TP(slice.topic, slice.partition)
        if tp in self._full and self._lanes.waiting[tp] < self._most // 2:
            self._full.discard(tp)
            self._app.consumer.on_buffer_drop(tp)

    def reassigned(self) -> None:
        """Kafka lets all come again that it assigned anew."""
        self._full.clear()

    async def _receive(self, stream: Any) -> None:
        async for event in stream.noack().events():
            fetch = event.message.value
            self._app.consumer.under_way = False
            for tp, records in fetch.received(event):
                self._lanes.put(Waiting(tp.topic, tp.partition, records, fetch))
                if self._lanes.waiting[tp] > self._most and tp not in self._full:
                    self._app.consumer.on_buffer_full(tp)
                    self._full.add(tp)
            self._work.set()
