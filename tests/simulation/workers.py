"""The processes: the real folds, streams and answers, in a life that can be ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Protocol

from connectors.gateways.answers import Answers
from connectors.gateways.refusals import Refusals
from hadron.audit.facts import Severity
from hadron.topics import INTENTS, LIVE
from streams.tools import Pace, Tools
from tests.simulation.clock import Life
from tests.simulation.cluster import Cluster, Place, ProcessLog
from tests.simulation.consuming import App
from tests.simulation.groups import Group, Member
from tests.support import codec

SESSION_S = 1.0
CHECKPOINT_S = 0.25
COMMIT_S = 0.5
TURN_S = 0.02  # of a gateway
Failed = Callable[[str, BaseException], None]


class Worker(Protocol):
    """One process."""

    life: Life
    log: ProcessLog
    stopping: bool

    def start(self) -> None: ...

    def kill(self) -> None:
        """As `kill -9`: nothing more of it runs; some of what was on its way still lands."""

    async def stop(self) -> None:
        """As SIGTERM."""


class Silent:
    """Telemetry, tracer, pulse and alarms of nobody."""

    def count(self, name: str, amount: float = 1, **labels: str) -> None: ...

    def gauge(self, name: str, value: float, **labels: str) -> None: ...

    def observe(self, name: str, value: float, **labels: str) -> None: ...

    @contextmanager
    def slice_span(
        self, process: str, headers: Iterable[Sequence[tuple[str, bytes]]]
    ) -> Iterator[None]:
        """No trace."""
        yield

    def beat(self) -> None: ...

    def lag(self, records: int) -> None: ...

    def ready(self, check: str, ok: bool, reason: str = "") -> None: ...

    def raised(
        self, subject: str, text: str, *, severity: Severity = "critical", after_s: float = 0
    ) -> None: ...

    def well(self, subject: str) -> None: ...

    def measured(self, subject: str, value: float, *, limit: float, text: str) -> None: ...

    def stopped(self, error: Exception) -> None: ...

    def close(self) -> None: ...


class StreamWorker:
    """A fold in Faust, as `hadron.wiring.stream` runs it."""

    def __init__(
        self, process: str, name: str, cluster: Cluster, group: Group, failed: Failed
    ) -> None:
        self.life, self.stopping = Life(name), False
        self._process, self._cluster, self._group, self._failed = process, cluster, group, failed
        self.log = ProcessLog(cluster, self.life)
        self._app: Any = None
        self._work: Any = None

    def start(self) -> None:
        """Join the group and work."""
        self.life.run(self._start)

    def kill(self) -> None:
        """See Worker."""
        self.life.dead = True
        self.log.give_up()
        self._app.expire()

    async def stop(self) -> None:
        """See Worker."""
        await self.life.run(self._cluster.loop.create_task, self._stop())

    def _start(self) -> None:
        silent = Silent()
        self._app = App(self._cluster, self._group, self.life)
        stream = import_module(f"streams.{self._process}").attach(
            self._app,
            tools=Tools(self.log, codec(), silent, silent, silent),
            pace=Pace(CHECKPOINT_S, queue_records=20, session_s=SESSION_S),
            partitions=self._group.partitions,
            names=LIVE,
        )
        self._work = asyncio.create_task(stream.run())
        self._work.add_done_callback(self._ended)
        self._app.start()
        for task in self._app.tasks:
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or self.life.dead:
            return
        error = task.exception()
        if isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        self.log.flush()
        self.life.dead = True
        self._app.expire()
        self._failed(self.life.name, error or RuntimeError("ended by itself"))

    async def _stop(self) -> None:
        await self._app.stop()
        self._work.cancel()
        self.log.flush()
        self.life.dead = True


class GatewayWorker:
    """The real answers, driven as `connectors.gateways.gateway` does."""

    def __init__(
        self, process: str, name: str, cluster: Cluster, group: Group, failed: Failed
    ) -> None:
        self.life, self.stopping = Life(name), False
        self._cluster, self._group, self._failed = cluster, group, failed
        self.log = ProcessLog(cluster, self.life)
        silent = Silent()
        self._answers = Answers(
            self.log,
            codec=codec(),
            telemetry=silent,
            tracer=silent,
            names=LIVE,
            partitions=group.partitions,
            refusals=Refusals(silent, limit=10),
        )
        self._at: dict[int, int] = {}
        self._member = Member(self.life, revoked=self._revoked, assigned=self._assigned)
        self._work: Any = None

    def start(self) -> None:
        """Join the group and answer."""
        self._work = self.life.run(self._cluster.loop.create_task, self._turns())
        self._work.add_done_callback(self._ended)
        self._group.join(self._member)

    def kill(self) -> None:
        """See Worker."""
        self.life.dead = True
        self.log.give_up()
        self._group.expire(self._member)

    async def stop(self) -> None:
        """See Worker."""
        self._work.cancel()
        self._hand_over()
        self.life.dead = True
        self._group.leave(self._member)

    async def _turns(self) -> None:
        committed_s = 0.0
        while True:
            await asyncio.sleep(TURN_S + self._cluster.delay())
            for partition in list(self._at):
                self._take_one(partition)
            self.log.poll()
            if self._cluster.loop.now - committed_s > COMMIT_S:
                committed_s = self._cluster.loop.now
                self._commit()

    def _take_one(self, partition: int) -> None:
        at = self._at[partition]
        end = min(at + 1, self.log.ends([(INTENTS.name, partition)])[INTENTS.name, partition])
        for record in self.log.read(INTENTS.name, partition, start=at, end=end):
            self._answers.take(record)
        self._at[partition] = max(at, end)

    def _commit(self) -> None:
        settled = self._answers.settled()
        self._group.commit(self._member, {(INTENTS.name, p): at for p, at in settled.items()})

    def _hand_over(self) -> None:
        self.log.flush()
        self._commit()

    async def _revoked(self) -> None:
        if self._answers.settled():
            self.log.flush()
        self._answers.release()
        self._at = {}

    async def _assigned(self, places: Sequence[Place], generation: int) -> None:
        self.log.flush()
        self._at = {
            partition: self._answers.hold(
                partition, committed=self._group.offsets.get((INTENTS.name, partition))
            )
            for _, partition in places
        }

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or self.life.dead:
            return
        self.life.dead = True
        self._group.expire(self._member)
        self._failed(self.life.name, task.exception() or RuntimeError("ended by itself"))


KINDS: dict[str, Callable[[str, str, Cluster, Group, Failed], Worker]] = {
    "normalize": StreamWorker,
    "engine": StreamWorker,
    "desk": StreamWorker,
    "gateway": GatewayWorker,
    "portfolio": StreamWorker,
}
