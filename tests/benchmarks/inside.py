"""All processes inside one, as their streams call them, on a log that keeps nothing.

What is left is compute: no Kafka, no socket, no event loop, no waiting.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import SecretStr

from connectors.feeds.outside import Outside, Source
from connectors.feeds.recorder import Recorder
from connectors.gateways.answers import Answers
from connectors.gateways.refusals import Refusals
from connectors.telemetry.metrics import PrometheusTelemetry
from connectors.telemetry.tracing import NoTracer
from hadron.audit.checkpoints import Recovered
from hadron.desk.desk import Desk
from hadron.desk.facts import IntentApproved
from hadron.flow import FLOW
from hadron.fold import Fold, Received, Slice
from hadron.market.facts import RawReceived
from hadron.market.normalizer import Normalizer
from hadron.orders.fills import simulated_order
from hadron.portfolio.portfolio import Portfolio
from hadron.ports import Record
from hadron.reference.instruments import InstrumentIds, derived_id
from hadron.strategy.engine import Engine
from hadron.topics import LIVE, topic_of
from hadron.venues.massive.protocol import MassiveProtocol
from hadron.venues.massive.split import split
from hadron.venues.registry import PARSERS
from streams.outbox import Outbox
from streams.shard import Place, Shard
from tests.simulation.workers import Silent
from tests.support import codec

FOLDS: Mapping[str, Callable[[], Fold]] = {
    "normalize": lambda: Normalizer(PARSERS),
    "engine": Engine,
    "desk": Desk,
    "portfolio": Portfolio,
}


class Lying(NamedTuple):
    """A fact, and where it would lie on the log."""

    topic: str
    offset: int
    fact: Any


class Passing:
    """A LoopLog that hands on what is appended to it, and forgets it. Offsets go on."""

    def __init__(self) -> None:
        self._ends: Counter[tuple[str, int]] = Counter()
        self._appended: list[Record] = []

    def append(
        self,
        topic: str,
        partition: int,
        records: Sequence[tuple[str | bytes | None, bytes | None]],
        *,
        timestamp_ms: int = 0,
        headers: Sequence[tuple[str, bytes]] | None = None,
        delivered: Callable[[], None] | None = None,
        placed: Callable[[int], None] | None = None,
    ) -> None:
        """See LoopLog. Stored at once."""
        end = self._ends[topic, partition]
        for offset, (key, value) in enumerate(records, end):
            raw_key = key.encode() if isinstance(key, str) else key
            record = Record(topic, partition, offset, timestamp_ms, raw_key, value)
            self._appended.append(record)
        self._ends[topic, partition] = end + len(records)
        if placed is not None:
            placed(end + len(records) - 1)
        if delivered is not None:
            delivered()

    def taken(self) -> list[Record]:
        """What was appended since the last call."""
        taken, self._appended = self._appended, []
        return taken

    def poll(self) -> None:
        """See LoopLog."""

    @property
    def full(self) -> bool:
        """See LoopLog."""
        return False

    async def wait(self, wait_s: float) -> None:
        """See LoopLog."""

    async def drain(self, timeout_s: float = 30.0) -> None:
        """See LoopLog."""

    def ends(self, partitions: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
        """See LoopLog."""
        return {place: self._ends[place] for place in partitions}

    def starts(self, partitions: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
        """See LoopLog. Nothing is kept."""
        return self.ends(partitions)

    def read(self, topic: str, partition: int, *, start: int, end: int) -> Iterable[Record]:
        """See LoopLog. Nothing is kept."""
        return ()


class Folds:
    """What `Inside` does, by the folds alone: facts are handed on, nothing is encoded or routed."""

    def __init__(self, controls: Sequence[Any]) -> None:
        """`controls` are in force from the start."""
        self._folds = {name: make() for name, make in FOLDS.items()}
        self._ends: Counter[str] = Counter()
        self.settle([self._placed(fact) for fact in controls])

    def received(self, frame: bytes, *, number: int, seen_ns: int) -> list[Lying]:
        """The raw events of a frame."""
        return [
            self._placed(
                RawReceived(
                    "massive",
                    one.symbol,
                    derived_id("massive", one.symbol),
                    1,
                    number,
                    one.index,
                    seen_ns,
                    one.payload,
                )
            )
            for one in split(frame)[0]
        ]

    def stepped(self, process: str, facts: Sequence[Lying]) -> list[Lying]:
        """What follows from facts of one topic."""
        if process == "gateway":
            orders = [
                simulated_order(one.fact, partition=0, offset=one.offset)
                for one in facts
                if isinstance(one.fact, IntentApproved)
            ]
            return [self._placed(order) for order in orders]
        records = [Received(one.offset, one.fact) for one in facts]
        return [
            self._placed(fact)
            for fact in self._folds[process].step(Slice(facts[0].topic, 0, records))
        ]

    def settle(self, facts: Iterable[Lying]) -> Counter[str]:
        """Step all that follows from facts until nothing does; how many there were, by topic."""
        return _settle(self.stepped, facts)

    def _placed(self, fact: Any) -> Lying:
        topic = topic_of(fact).name
        self._ends[topic] += 1
        return Lying(topic, self._ends[topic] - 1, fact)


class Inside:
    """A feed's recorder, four folds in their shards, and the gateway, of one partition."""

    def __init__(self, controls: Sequence[Any]) -> None:
        """`controls` are in force from the start."""
        self._log = Passing()
        self._codec = codec()
        outside = (self._log, self._codec, PrometheusTelemetry(), NoTracer(), Silent(), Silent())
        self._recorder = Recorder(_source(), Outside(*outside))
        self._outbox = Outbox(self._log, self._codec, names=LIVE, partitions=1)
        self.shards = {
            name: Shard(Place(name, 1, LIVE), 0, make(), Recovered())
            for name, make in FOLDS.items()
        }
        self._gateway = Answers(
            self._log,
            codec=self._codec,
            telemetry=PrometheusTelemetry(),
            tracer=NoTracer(),
            names=LIVE,
            partitions=1,
            refusals=Refusals(Silent(), limit=100),
        )
        self._gateway.hold(0, committed=None)
        self.told(controls)

    def told(self, facts: Iterable[Any]) -> None:
        """Let all know facts that somebody else has said."""
        for fact in facts:
            self._outbox.append([fact])
        self.settle(self._log.taken())

    def received(self, frame: bytes, *, number: int, seen_ns: int) -> list[Record]:
        """What the feed appends of a frame."""
        events, _ = split(frame)
        self._recorder.write(events, connection=1, frame=number, seen_ns=seen_ns)
        return self._log.taken()

    def stepped(self, process: str, records: Sequence[Record]) -> list[Record]:
        """What a process appends of records of one topic."""
        if process == "gateway":
            for record in records:
                self._gateway.take(record)
        else:
            shard = self.shards[process]
            self._outbox.append(shard.step(records[0].topic, records, self._codec))
        return self._log.taken()

    def settle(self, records: Iterable[Record]) -> Counter[str]:
        """Step all that follows from records until nothing does; how many there were, by topic."""
        return _settle(self.stepped, records)


def _settle(stepped: Callable[[str, list[Any]], list[Any]], lying: Iterable[Any]) -> Counter[str]:
    waiting = deque(lying)
    counted: Counter[str] = Counter()
    while waiting:
        one = waiting.popleft()
        counted[one.topic] += 1
        for process in READERS.get(one.topic, ()):
            waiting += stepped(process, [one])
    return counted


def _readers() -> dict[str, list[str]]:
    readers: dict[str, list[str]] = {}
    for process in (*FOLDS, "gateway"):
        for topic in FLOW[process].sources:
            readers.setdefault(topic, []).append(process)
    return readers


READERS = _readers()


def _source() -> Source:
    protocol = MassiveProtocol(SecretStr("none"), [])
    return Source("massive", "", protocol, InstrumentIds({}), 1)
