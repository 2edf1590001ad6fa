"""Each approved intent gets one order fact, whatever was on the log before."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import pytest

from connectors.gateways.answers import TAIL, Answers
from connectors.gateways.gateway import refuse_replay
from connectors.gateways.refusals import Refusals
from connectors.memory import MemoryLog
from connectors.telemetry.metrics import PrometheusTelemetry
from connectors.telemetry.tracing import NoTracer
from hadron.audit.facts import RecordPoisoned
from hadron.desk.facts import IntentApproved
from hadron.errors import ImpossibleTransition, PoisonLimitReached, SettingsError
from hadron.orders.facts import OrderFilled, OrderRejected
from hadron.partitions import partition_of
from hadron.ports import Alarms, Telemetry
from hadron.settings import settings_from
from hadron.topics import LIVE
from tests.alarms import Heard
from tests.support import a_decision, a_fill, an_approved_intent, codec

PARTITIONS = 4


def answers_on(
    log: MemoryLog, telemetry: Telemetry | None = None, alarms: Alarms | None = None
) -> Answers:
    return Answers(
        log,
        codec=codec(),
        telemetry=telemetry or PrometheusTelemetry(),
        tracer=NoTracer(),
        names=LIVE,
        partitions=PARTITIONS,
        refusals=Refusals(alarms or Heard(), limit=3),
    )


def append(log: MemoryLog, topic: str, *facts: Any, partition: int = 1) -> None:
    """Facts as their encoding, bytes as they are; intents follow from decisions of their own."""
    first = log.ends([(topic, partition)])[topic, partition]
    values = [
        fact if isinstance(fact, bytes) else codec().encode(_decided(fact, first + place))
        for place, fact in enumerate(facts)
    ]
    log.append(topic, partition, [(b"main", value) for value in values])


def _decided(fact: Any, decision: int) -> Any:
    if not isinstance(fact, IntentApproved) or fact.offset:
        return fact
    named = {"partition": 1, "offset": decision, "verdict": f"decisions/1/{decision}/0"}
    return msgspec.structs.replace(fact, **named)


def on_log(log: MemoryLog, topic: str, partition: int = 1) -> list[Any]:
    end = log.ends([(topic, partition)])[topic, partition]
    records = log.read(topic, partition, start=0, end=end)
    return [codec().decode(record.value or b"") for record in records]


def answer(log: MemoryLog, answers: Answers, *, start: int) -> None:
    """Hand over the intents from `start` to their end."""
    end = log.ends([("intents", 1)])["intents", 1]
    for record in log.read("intents", 1, start=start, end=end):
        answers.take(record)


def restarted(log: MemoryLog) -> Answers:
    """A gateway that holds the partition and answered all there is."""
    answers = answers_on(log)
    answer(log, answers, start=answers.hold(1, committed=None))
    return answers


def offsets(orders: Iterable[Any]) -> list[int]:
    return [order.offset for order in orders]


def test_each_approved_intent_is_answered_in_its_partition_in_order() -> None:
    log = MemoryLog()
    bare = an_approved_intent(bid=None, ask=None, last=None)
    append(log, "intents", an_approved_intent(), bare, an_approved_intent())

    restarted(log)

    orders = on_log(log, "orders")
    assert [type(order) for order in orders] == [OrderFilled, OrderRejected, OrderFilled]
    assert offsets(orders) == [0, 1, 2]


def test_other_facts_are_passed_over() -> None:
    log = MemoryLog()
    append(log, "intents", a_decision(), an_approved_intent(), a_fill())

    restarted(log)

    assert offsets(on_log(log, "orders")) == [1]


@pytest.mark.parametrize("before", [0, 1, 2, 3])
def test_a_gateway_that_starts_again_answers_only_what_is_unanswered(before: int) -> None:
    log = MemoryLog()
    append(log, "intents", *[an_approved_intent()] * before)
    restarted(log)
    append(log, "intents", *[an_approved_intent()] * (3 - before))

    restarted(log)
    restarted(log)

    assert offsets(on_log(log, "orders")) == [0, 1, 2]


def test_what_the_group_committed_does_not_count_where_orders_tell() -> None:
    log = MemoryLog()
    append(log, "intents", *[an_approved_intent()] * 5)
    append(log, "orders", a_fill(partition=1, offset=1))

    assert answers_on(log).hold(1, committed=4) == 2
    assert answers_on(log).hold(1, committed=0) == 2


def test_without_orders_it_starts_where_the_group_was_else_at_the_first_intent() -> None:
    log = MemoryLog()
    append(log, "intents", *[an_approved_intent()] * 5)
    append(log, "orders", a_fill(partition=1, source="elsewhere"), b"unreadable")

    assert answers_on(log).hold(1, committed=3) == 3
    assert answers_on(log).hold(1, committed=None) == 0


def test_deleted_intents_are_not_asked_for() -> None:
    log = MemoryLog()
    append(log, "intents", *[an_approved_intent()] * 5)
    log.delete_before("intents", 1, 4)

    assert answers_on(log).hold(1, committed=2) == 4


def test_only_the_end_of_orders_is_read() -> None:
    log = MemoryLog()
    append(log, "intents", *[an_approved_intent()] * 5)
    append(log, "orders", a_fill(partition=1, offset=3))
    append(log, "orders", *[b"unreadable"] * TAIL)

    assert answers_on(log).hold(1, committed=1) == 1


def test_orders_that_answer_intents_that_are_not_there_stop_the_gateway() -> None:
    log = MemoryLog()
    append(log, "intents", an_approved_intent())
    append(log, "orders", a_fill(partition=1, offset=7))

    with pytest.raises(ImpossibleTransition, match="ends at 1, but intents before 8"):
        answers_on(log).hold(1, committed=None)


def test_a_record_delivered_twice_is_answered_once() -> None:
    log = MemoryLog()
    append(log, "intents", *[an_approved_intent()] * 3)
    answers = restarted(log)

    answer(log, answers, start=1)

    assert offsets(on_log(log, "orders")) == [0, 1, 2]


def test_records_of_a_partition_that_was_given_away_are_passed_over() -> None:
    log = MemoryLog()
    answers = restarted(log)
    append(log, "intents", an_approved_intent())
    answers.release()

    answer(log, answers, start=0)

    assert on_log(log, "orders") == []


def test_an_intent_is_settled_when_its_order_is_on_the_log() -> None:
    log = MemoryLog()
    append(log, "intents", a_decision(), an_approved_intent(), an_approved_intent())

    answers = restarted(log)

    assert answers.settled() == {1: 1}
    log.poll()
    assert answers.settled() == {1: 3}


def test_a_record_that_cannot_be_read_is_dead_lettered_with_its_bytes() -> None:
    log = MemoryLog(now_ms=lambda: 5)
    append(log, "intents", b"poison", an_approved_intent())

    restarted(log)

    [poisoned] = on_log(log, "dead", partition_of("intents/1", PARTITIONS))
    assert poisoned == RecordPoisoned(
        source="intents",
        partition=1,
        offset=0,
        index=0,
        process="gateway",
        error="not in the wire format: no byte 0 and schema id",
        seen_ns=5_000_000,
        key=b"main",
        value=b"poison",
    )
    assert offsets(on_log(log, "orders")) == [1]


def test_a_hundred_in_a_row_that_cannot_be_read_stop_the_gateway() -> None:
    log = MemoryLog()
    append(log, "intents", *[b"poison"] * 100)

    with pytest.raises(PoisonLimitReached):
        restarted(log)


def test_outcomes_are_counted() -> None:
    log, telemetry = MemoryLog(), PrometheusTelemetry()
    append(log, "intents", an_approved_intent(), an_approved_intent(ask=None, last=None))
    answers = answers_on(log, telemetry)

    answer(log, answers, start=answers.hold(1, committed=None))

    assert b'hadron_orders_total{outcome="filled"} 1.0' in telemetry.exposition()
    assert b'hadron_orders_total{outcome="rejected"} 1.0' in telemetry.exposition()


def test_a_decision_that_is_approved_again_is_not_ordered_again() -> None:
    log = MemoryLog()
    again = an_approved_intent(partition=1, offset=1, verdict="decisions/1/1/0")
    append(log, "intents", *[an_approved_intent()] * 3, again)

    restarted(log)
    append(log, "intents", again, an_approved_intent())
    restarted(log)

    orders = on_log(log, "orders")
    assert [type(order) for order in orders] == [
        *[OrderFilled] * 3,
        *[OrderRejected] * 2,
        OrderFilled,
    ]
    assert orders[3].reason == "repeated: its decision was ordered before"


def test_refusals_in_a_row_are_told_once_until_an_order_is_filled() -> None:
    log, alarms = MemoryLog(), Heard()
    refused, filled = an_approved_intent(ask=None, last=None), an_approved_intent()
    append(log, "intents", refused, refused, filled, *[refused] * 5, filled)
    answers = answers_on(log, alarms=alarms)

    answer(log, answers, start=answers.hold(1, committed=None))

    assert alarms.changes == [("refusals", True), ("refusals", False)]


def test_a_replay_has_no_way_to_the_gateway() -> None:
    settings = settings_from({"HADRON_KAFKA": "127.0.0.1:1", "HADRON_PREFIX": "replay.x."})

    with pytest.raises(SettingsError, match=r"HADRON_PREFIX: 'replay\.x\.'"):
        refuse_replay(settings)


def test_two_gateways_of_one_partition_give_the_same_orders() -> None:
    """One that was thought dead may append once more: readers know the order by its name."""
    first, second = MemoryLog(), MemoryLog()
    for log in (first, second):
        append(log, "intents", an_approved_intent(), an_approved_intent())
        restarted(log)

    assert on_log(first, "orders") == on_log(second, "orders")
    assert len({msgspec.json.encode(order) for order in on_log(first, "orders")}) == 2
