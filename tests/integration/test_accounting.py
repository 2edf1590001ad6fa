"""Accounts and answers hold for a flow that is whole, and tell where it is not."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import psycopg
import pytest

from connectors.local.stack import Endpoints
from connectors.timescale.querying import queries
from connectors.timescale.querying.accounting import Account, Endings, accounts, endings
from connectors.timescale.records import table_of
from tests.integration.access import unbelt
from tests.integration.archiving import PARTITIONS, Bench, a_bench, wait_until
from tests.integration.every_fact import (
    a_dismissal,
    a_mark,
    a_position,
    a_rejected_intent,
    a_rejected_order,
    an_alert,
    some_limits,
)
from tests.support import T0_NS, a_decision, a_fill, a_raw, a_trade, an_approved_intent, codec

encode = codec().encode


@pytest.fixture
def bench(stack: Endpoints, database: str, unique: str) -> Iterator[Bench]:
    with a_bench(stack.kafka, database, unique) as bench:
        flow(bench)
        with bench.archive():
            wait_until(lambda: len(bench.stored()) == len(bench.produced))
        yield bench


def flow(bench: Bench) -> None:
    """Four decisions: dismissed, rejected, filled, rejected by the venue."""
    decisions, intents = f"{bench.prefix}decisions", f"{bench.prefix}intents"
    ticks = [a_trade(raw_offset=n) for n in range(5)]
    bench.append("raw.massive", [encode(a_raw(frame=n)) for n in range(5)])
    bench.append("ticks.warm", [*(encode(tick) for tick in ticks), b"junk"])
    bench.append(
        "decisions", [encode(a_decision(offset=n, at_ns=T0_NS + n * 1000)) for n in range(4)]
    )
    answers = [
        a_dismissal(source=decisions, offset=0),
        a_rejected_intent(source=decisions, offset=1, at_ns=T0_NS + 1),
        an_approved_intent(source=decisions, offset=2, at_ns=T0_NS + 2000),
        an_approved_intent(source=decisions, offset=3, at_ns=T0_NS + 3000),
    ]
    bench.append("intents", [encode(answer) for answer in answers])
    executions = [a_fill(source=intents, offset=2), a_rejected_order(source=intents, offset=3)]
    bench.append("orders", [encode(execution) for execution in executions])
    changes = [a_position(offset=n, quantity=Decimal(n)) for n in range(3)]
    bench.append("positions", [encode(change) for change in changes])
    for partition in range(PARTITIONS):
        bench.append("marks", [encode(a_mark(offset=n)) for n in range(2)], partition)
        bench.append("control", [encode(some_limits())], partition)
    bench.append("alerts", [encode(an_alert())])


def account(bench: Bench, topic: str) -> Account:
    found = accounts(bench.database, bench.log, bench.topics, partitions=PARTITIONS)
    [wanted] = [one for one in found if one.topic == bench.prefix + topic]
    return wanted


def change(bench: Bench, statement: str) -> None:
    unbelt(bench.database)
    with psycopg.connect(bench.database) as connection:
        connection.execute(statement)


def test_a_whole_flow_is_stored_once(bench: Bench) -> None:
    found = accounts(bench.database, bench.log, bench.topics, partitions=PARTITIONS)

    assert all(one.holds for one in found)
    assert account(bench, "ticks.warm") == Account(f"{bench.prefix}ticks.warm", 6, 6, 6, 5, 5)
    assert account(bench, "positions").produced == 3
    assert account(bench, "marks") == Account(f"{bench.prefix}marks", 4, 4, 4, 4, 4)
    assert account(bench, "control").stored == PARTITIONS


@pytest.mark.parametrize("topic", ["raw.massive", "ticks.warm", "positions", "marks"])
def test_a_missing_row_is_seen(bench: Bench, topic: str) -> None:
    table = table_of(bench.topics[bench.prefix + topic])

    change(bench, f"DELETE FROM {table} WHERE (log_partition, log_offset) = (0, 1)")

    assert not account(bench, topic).holds


def test_a_fact_that_was_produced_twice_is_seen(bench: Bench) -> None:
    bench.append("orders", [encode(a_fill(source=f"{bench.prefix}intents", offset=2))])
    with bench.archive():
        wait_until(lambda: bench.rows("order_executions") == 3)

    found = account(bench, "orders")

    assert (found.produced, found.stored, found.distinct) == (3, 3, 3)
    assert (found.rows, found.names) == (3, 2)
    assert not found.holds
    assert endings(bench.database, f"{bench.prefix}decisions") == Endings(4, 3, 0, 1)


def test_every_decision_has_one_end(bench: Bench) -> None:
    found = endings(bench.database, f"{bench.prefix}decisions")

    assert found == Endings(decisions=4, one=4, none=0, many=0)
    assert found.holds


def test_a_decision_without_an_end_is_seen(bench: Bench) -> None:
    change(bench, "DELETE FROM order_executions WHERE outcome = 'filled'")

    found = endings(bench.database, f"{bench.prefix}decisions")

    assert (found.none, found.holds) == (1, False)


def test_decisions_come_newest_first_with_what_became_of_them(bench: Bench) -> None:
    found = queries.decisions(bench.database)

    outcomes = [(one.outcome, one.reason) for one in found]
    assert outcomes == [
        ("rejected", "no price"),
        ("filled", None),
        ("rejected", "position limit"),
        ("dismissed", 'say "no"\n\t\\N'),
    ]
    assert queries.decisions(bench.database, strategy="other") == []
    assert queries.decisions(bench.database, instrument="eq:AAPL", limit=1) == found[:1]


def test_orders_come_with_their_executions(bench: Bench) -> None:
    found = queries.orders(bench.database, portfolio="main")

    assert [(one.outcome, one.price) for one in found] == [
        ("rejected", None),
        ("filled", Decimal("100.01")),
        ("rejected", None),
    ]


def test_a_position_is_the_last_on_the_log(bench: Bench) -> None:
    [found] = queries.positions(bench.database)

    assert (found.portfolio, found.strategy, found.quantity) == ("main", "sma", Decimal(2))
