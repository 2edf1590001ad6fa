"""What a fact follows from is read from the fact alone."""

from __future__ import annotations

from typing import Any

import pytest

from hadron.audit.names import Place
from hadron.audit.story import Share, causes_of, is_intent, share_of
from tests.support import a_decision, a_fill, a_position, a_quote, a_raw, a_trade
from tests.support import an_approved_intent as an_intent


@pytest.mark.parametrize(
    ("fact", "cause"),
    [
        (a_position(offset=4), Place("orders", 0, 4)),
        (a_fill(partition=2, offset=5), Place("intents", 2, 5)),
        (an_intent(offset=6), Place("decisions", 0, 6)),
        (a_decision(offset=7), Place("ticks.warm", 0, 7)),
        (a_trade(raw_partition=3, raw_offset=8), Place("raw.massive", 3, 8)),
        (a_quote(raw_offset=9, venue="coinbase"), Place("raw.coinbase", 0, 9)),
    ],
)
def test_a_derived_fact_names_its_cause(fact: Any, cause: Place) -> None:
    assert causes_of(fact) == (cause,)


def test_what_came_from_outside_has_no_cause() -> None:
    assert causes_of(a_raw()) == ()


def test_only_what_somebody_asked_for_is_an_intent() -> None:
    assert is_intent(an_intent())
    assert not is_intent(a_fill())


def test_a_share_is_what_the_decision_asked_for() -> None:
    share = share_of(a_decision(strategy="sma", side="sell"), Place("decisions", 0, 7))

    assert share == Share("sma", "sell", "100", "decisions/0/7")
