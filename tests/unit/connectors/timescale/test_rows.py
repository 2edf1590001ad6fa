"""Rows give back their facts, byte for byte, also after NUMERIC(20,8) has padded the numbers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.types.json import Json

from connectors.timescale.layout import Place
from connectors.timescale.tables import LAYOUTS, fact_of, row
from hadron import topics
from hadron.reference.facts import InstrumentListed
from tests.integration.every_fact import (
    CONTROL,
    a_cleared_alert,
    a_deployment,
    a_dismissal,
    a_mark,
    a_position,
    a_rejected_intent,
    a_rejected_order,
    an_alert,
    some_limits,
)
from tests.support import T0_NS, a_decision, a_fill, an_approved_intent, codec

PLACE = Place("topic", 1, 2)
numbers = st.builds(
    lambda mantissa, scale: Decimal(mantissa).scaleb(-scale),
    st.integers(-(10**15), 10**15),
    st.integers(0, 18),
)


def found(fact: Any, value: bytes) -> dict[str, Any]:
    """The row as the database returns it."""
    cells = row(fact, PLACE, value, codec())
    layout = LAYOUTS[type(fact)]
    named = dict(zip(layout.names, cells, strict=True))
    for column in layout.columns:
        content = named[column.name]
        if column.kind == "price" and content is not None:
            named[column.name] = round(content, 8)
    return {
        name: content.obj if isinstance(content, Json) else content
        for name, content in named.items()
    }


def bytes_of(fact: Any) -> bytes:
    value = codec().encode(fact)
    named = found(fact, value)
    return named["record"] or codec().encode(fact_of(LAYOUTS[type(fact)].table, named, codec()))


@pytest.mark.parametrize(
    "fact",
    [
        a_decision(evidence={"b": "1", "a": "2"}),
        an_approved_intent(),
        a_rejected_intent(),
        a_dismissal(),
        a_fill(),
        a_rejected_order(),
        a_position(),
        a_mark(),
        InstrumentListed("massive", "AAPL", "eq:AAPL", T0_NS),
        a_deployment(),
        an_alert(),
        a_cleared_alert(),
        *CONTROL,
    ],
    ids=lambda fact: type(fact).__name__,
)
def test_a_row_gives_back_its_record_from_its_columns_alone(fact: Any) -> None:
    value = codec().encode(fact)

    named = found(fact, value)

    assert named["record"] is None
    assert codec().encode(fact_of(LAYOUTS[type(fact)].table, named, codec())) == value


def test_whatever_the_log_says_has_a_table_but_the_work_of_shards_anchors_and_shadows() -> None:
    stored = topics.sink_topics()

    assert {kind for topic in stored for kind in topic.facts} == set(LAYOUTS)
    assert {topic for topic in topics.ALL if topic not in stored} == {
        *topics.STATE.values(),
        *topics.JOURNAL.values(),
        topics.ANCHORS,
        topics.SHADOW_DECISIONS,
        topics.SHADOW_DEAD,
        topics.HASHES,
    }


@given(quantity=numbers, price=numbers)
def test_no_number_is_rounded(quantity: Decimal, price: Decimal) -> None:
    facts = (
        a_fill(quantity=quantity, price=price),
        a_position(average_price=price),
        a_mark(bid=price, ask=quantity),
        some_limits(position=quantity, exposure=price),
    )
    for fact in facts:
        assert bytes_of(fact) == codec().encode(fact)


def test_a_record_that_we_would_have_written_otherwise_is_kept_whole() -> None:
    value = codec().encode(a_fill())

    assert found(a_fill(), value + b"more")["record"] == value + b"more"
