"""One run: processes, a cluster and what goes wrong, on one loop, from a seed."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

from hadron.flow import FLOW, FOLDS
from hadron.topics import CONTROL, RAW
from tests.simulation import market
from tests.simulation.clock import Loop, Stuck, virtual_time
from tests.simulation.cluster import Cluster, Place
from tests.simulation.groups import Group
from tests.simulation.market import PARTITIONS
from tests.simulation.order import Order
from tests.simulation.schedule import Fault, Schedule
from tests.simulation.workers import KINDS, SESSION_S, Worker

CATCH_S = 0.4
PATIENCE_S = 40.0  # virtual, after the last fault


class World:
    """Run it once, then read what is on its log."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self.trace: list[str] = []
        self.broken: list[str] = []  # laws that were broken while it ran
        self.loop = Loop(Random(f"world {schedule.seed}"))
        self.cluster = Cluster(self.loop, self._note)
        self._order = Order(self.broken.append)
        self.cluster.landed.append(self._order.landed)
        self.groups = {
            process: Group(
                self.loop,
                process,
                FLOW[process].sources,
                partitions=PARTITIONS,
                session_s=SESSION_S,
                trace=self._note,
                committed=self._committed,
            )
            for process in KINDS
        }
        self._workers: dict[str, list[Worker]] = {process: [] for process in KINDS}
        self._born = 0
        self._stopping: list[asyncio.Task[None]] = []

    def run(self) -> None:
        """Until all is quiet, or a law is broken."""
        with virtual_time(self.loop):
            asyncio.set_event_loop(self.loop)
            try:
                self.loop.run_until_complete(self._play())
            except Stuck:
                self.broken.append("nothing will ever happen again")
            finally:
                self._end()
                asyncio.set_event_loop(None)

    def values(self, topic: str, partition: int) -> list[Any]:
        """Records of a partition."""
        place = (topic, partition)
        log = self.cluster.log
        return list(
            log.read(*place, start=log.starts([place])[place], end=log.ends([place])[place])
        )

    async def _play(self) -> None:
        for key, value in market.control(self.schedule.market):
            for partition in range(PARTITIONS):
                self.cluster.store((CONTROL.name, partition), [(key, value)])
        for process, count in self.schedule.workers.items():
            for _ in range(count):
                self._begin(process)
        feeding = asyncio.create_task(self._feed())
        for fault in self.schedule.faults:
            await asyncio.sleep(max(0.0, fault.at_s - self.loop.now))
            await self._happen(fault)
        await feeding
        await self._quiet()

    async def _feed(self) -> None:
        for raw in market.raw_events(self.schedule.market):
            await asyncio.sleep(max(0.0, raw.at_s - self.loop.now))
            self.cluster.store((RAW["massive"].name, raw.partition), [(raw.key, raw.value)])

    async def _happen(self, fault: Fault) -> None:
        self._note(f"fault: {fault.kind} {fault.victim} for {fault.lasts_s} s")
        match fault.kind:
            case "away":
                self.cluster.away_until = self.loop.now + fault.lasts_s
            case "repeat":
                self.cluster.repeat.add(fault.victim)
            case "compact":
                for process in FOLDS:
                    for partition in range(PARTITIONS):
                        self.cluster.log.compact(f"state.{process}", partition)
            case "join":
                self._begin(fault.victim)
            case "flap":
                self._begin(fault.victim)
                self.loop.call_later(fault.lasts_s / 2, self._end_newest, fault.victim)
            case _:
                await self._befall(fault)

    async def _befall(self, fault: Fault) -> None:
        alive = self._alive(fault.victim)
        if not alive:
            return
        worker = self.loop.draw.choice(alive)
        self._note(f"{fault.kind} {worker.life.name}")
        if fault.kind == "freeze":
            worker.life.frozen_until = self.loop.now + fault.lasts_s
            return
        if fault.kind in ("kill", "catch"):
            if fault.kind == "catch":
                await self._in_flight(worker)
            worker.kill()
        else:
            self._end_gently(worker)
        self.loop.call_later(fault.lasts_s, self._begin, fault.victim)

    def _end_newest(self, process: str) -> None:
        """What moved to it goes back to who had it before."""
        for worker in self._alive(process)[-1:]:
            self._end_gently(worker)
        if not self._alive(process):
            self._begin(process)

    def _end_gently(self, worker: Worker) -> None:
        self._note(f"stop {worker.life.name}")
        worker.stopping = True
        self._stopping.append(asyncio.create_task(worker.stop()))

    async def _in_flight(self, worker: Worker) -> None:
        """Wait for a moment in which it has something on its way, most of all to many places."""
        until, most = self.loop.now + CATCH_S, self.loop.draw.randint(1, 4)
        while worker.log.in_flight < most and self.loop.now < until:
            await asyncio.sleep(0.001)

    def _begin(self, process: str) -> None:
        self._born += 1
        worker = KINDS[process](
            process, f"{process}-{self._born}", self.cluster, self.groups[process], self._failed
        )
        self._workers[process].append(worker)
        self._note(f"start {worker.life.name}")
        worker.start()

    def _alive(self, process: str) -> list[Worker]:
        return [one for one in self._workers[process] if not (one.life.dead or one.stopping)]

    def _failed(self, name: str, error: BaseException) -> None:
        self._note(f"{name} failed: {error!r}")
        if "stood still" in str(error) and any(f.kind == "freeze" for f in self.schedule.faults):
            self.loop.call_later(0.1, self._begin, name.partition("-")[0])
            return
        self.broken.append(f"{name} failed: {error!r} {getattr(error, '__notes__', '')}")

    async def _quiet(self) -> None:
        deadline = self.loop.now + PATIENCE_S
        while not self._is_quiet():
            await asyncio.sleep(0.1)
            if self.broken:
                return
            if self.loop.now > deadline:
                self.broken.append(f"not done after {PATIENCE_S:g} s: {self._behind()}")
                return

    def _is_quiet(self) -> bool:
        settled = all(group.settled for group in self.groups.values())
        return settled and not self.cluster.in_flight and not self._behind()

    def _behind(self) -> list[str]:
        found = []
        for process, group in self.groups.items():
            sources = [(topic, p) for topic in FLOW[process].sources for p in range(PARTITIONS)]
            for place, end in self.cluster.log.ends(sources).items():
                if group.offsets.get(place, 0) < end:
                    found.append(f"{process} {place} {group.offsets.get(place, 0)} of {end}")
        return found

    def _committed(self, process: str, place: Place, offset: int) -> None:
        self._note(f"{process} commits {place[0]}/{place[1]} {offset}")
        self._order.committed(process, place, offset)

    def _end(self) -> None:
        for workers in self._workers.values():
            for worker in workers:
                worker.life.dead = True
        self.loop.end()

    def _note(self, what: str) -> None:
        self.trace.append(f"{self.loop.now:9.4f} {what}")


def run(schedule: Schedule) -> World:
    """A world that has run."""
    world = World(schedule)
    world.run()
    return world
