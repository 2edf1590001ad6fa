"""Answers each approved intent with exactly one order fact, in the intent's partition."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from connectors.gateways.refusals import Refusals
from hadron import metrics
from hadron.audit.ids import read
from hadron.audit.letters import dead_letter
from hadron.audit.names import Name, Place, name_of
from hadron.audit.poison import PoisonLimit
from hadron.desk.facts import IntentApproved
from hadron.errors import ContractError, ImpossibleTransition
from hadron.orders.facts import OrderFilled, OrderRejected
from hadron.orders.fills import refused_order, simulated_order
from hadron.partitions import partition_of
from hadron.ports import Appending, Codec, Record, Telemetry, Tracer
from hadron.topics import DEAD, INTENTS, ORDERS, Names, key_of, partition_key_of

PROCESS = "gateway"
TAIL = 1_000
REPEATED = "repeated: its decision was ordered before"


class Answers:
    """Knows of each partition that it holds what is answered, and what of that is on the log.

    The records of `orders` say what was answered before, not the consumer group: an intent whose
    order is on the log is never answered again, whoever crashed or moved the group's offsets.
    And a decision is never ordered twice: a desk that was frozen, and wakes up when another has
    its partitions, may approve once more what that one approved.
    """

    def __init__(
        self,
        log: Appending,
        *,
        codec: Codec,
        telemetry: Telemetry,
        tracer: Tracer,
        names: Names,
        partitions: int,
        refusals: Refusals,
    ) -> None:
        self._log, self._codec = log, codec
        self._telemetry, self._tracer = telemetry, tracer
        self._names, self._partitions = names, partitions
        self._refusals = refusals
        self._next: dict[int, int] = {}
        self._open: dict[int, set[int]] = {}  # offsets whose outcome is not on the log yet
        self._decided: dict[int, Name] = {}  # the newest decision that was ordered
        self._poison = PoisonLimit()

    def hold(self, partition: int, *, committed: int | None) -> int:
        """Take a partition. Return the offset of the first intent that may be unanswered.

        It follows the newest intent that `orders` answers; else it is what the group committed,
        else the first intent there is. Raise ImpossibleTransition if it lies behind the end.
        """
        place = (self._names.read(INTENTS.name), partition)
        first, end = self._log.starts([place])[place], self._log.ends([place])[place]
        answered = None
        for order in self._orders(partition):
            answered = max(answered or 0, order.offset + 1)
            decision = read(order.verdict)
            if isinstance(decision, Name):
                self._decided[partition] = max(self._decided.get(partition, decision), decision)
        start = answered if answered is not None else committed if committed is not None else first
        if start > end:
            raise ImpossibleTransition(
                f"{place[0]}/{partition} ends at {end}, but intents before {start} were answered"
            )
        start = max(start, first)
        self._next[partition], self._open[partition] = start, set()
        return start

    def release(self) -> None:
        """Let go of all partitions."""
        self._next, self._open, self._decided = {}, {}, {}

    def settled(self) -> dict[int, int]:
        """The offset up to which all intents have their outcome on the log, by partition."""
        return {
            partition: min(self._open[partition], default=after)
            for partition, after in self._next.items()
        }

    def take(self, record: Record) -> None:
        """Answer one record of `intents`. One that is not ours, or was answered, is passed over.

        Raise PoisonLimitReached if too many cannot be read.
        """
        partition, offset = record.partition, record.offset
        if offset < self._next.get(partition, offset + 1):
            return
        self._next[partition] = offset + 1
        self._telemetry.count(metrics.RECORDS_IN, process=PROCESS, topic=INTENTS.name)
        try:
            fact = self._codec.decode(record.value or b"")
        except ContractError as error:
            self._bury(record, error)
            self._poison.bad([offset], {offset})
            return
        self._poison.good(1)
        if isinstance(fact, IntentApproved):
            self._answer(fact, record)

    def _answer(self, intent: IntentApproved, record: Record) -> None:
        place = {"partition": record.partition, "offset": record.offset}
        order = (
            simulated_order(intent, **place)
            if self._is_first(intent, record.partition)
            else refused_order(intent, REPEATED, **place)
        )
        with self._tracer.slice_span(PROCESS, [record.headers]) as headers:
            self._append(order, record, topic=ORDERS.name, to=record.partition, headers=headers)
        if isinstance(order, OrderFilled):
            outcome = "filled"
            self._refusals.filled()
        else:
            outcome = "rejected"
            self._refusals.refused(order.reason)
        self._telemetry.count(metrics.ORDERS, outcome=outcome)

    def _bury(self, record: Record, error: ContractError) -> None:
        poisoned = dead_letter(
            Place(INTENTS.name, record.partition, record.offset),
            error,
            process=PROCESS,
            seen_ns=record.timestamp_ms * 1_000_000,
            key=record.key,
            value=record.value or b"",
        )
        to = partition_of(partition_key_of(poisoned), self._partitions)
        self._append(poisoned, record, topic=DEAD.name, to=to)
        self._telemetry.count(metrics.POISONED, process=PROCESS)

    def _append(
        self, fact: Any, cause: Record, *, topic: str, to: int, headers: Any = None
    ) -> None:
        self._open[cause.partition].add(cause.offset)
        self._log.append(
            self._names.write(topic),
            to,
            [(key_of(fact), self._codec.encode(fact))],
            headers=headers,
            delivered=self._stored(self._open[cause.partition], cause.offset),
        )
        self._telemetry.count(metrics.FACTS_OUT, process=PROCESS, topic=topic)

    @staticmethod
    def _stored(open_: set[int], offset: int) -> Callable[[], None]:
        return lambda: open_.discard(offset)

    def _is_first(self, intent: IntentApproved, partition: int) -> bool:
        # First copies lie in the order of their decisions, as all our writers leave them.
        name, newest = name_of(intent), self._decided.get(partition)
        if newest is not None and name <= newest:
            return False
        self._decided[partition] = name
        return True

    def _orders(self, partition: int) -> Iterator[OrderFilled | OrderRejected]:
        """The newest of ours on the log."""
        place = (self._names.write(ORDERS.name), partition)
        first, end = self._log.starts([place])[place], self._log.ends([place])[place]
        for record in self._log.read(*place, start=max(first, end - TAIL), end=end):
            try:
                order = self._codec.decode(record.value or b"")
            except ContractError:
                continue  # its readers dead-letter it; here it only answers nothing
            ours = isinstance(order, OrderFilled | OrderRejected) and order.partition == partition
            if ours and order.source == INTENTS.name:
                yield order
