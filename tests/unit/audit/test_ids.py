"""Every id that people meet is understood, and what is none says what would be."""

from __future__ import annotations

import pytest

from hadron.audit.ids import Id, OrderId, read
from hadron.audit.names import Name, Place
from hadron.orders.fills import intent_of, order_id


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("h-intents-0-3", OrderId("h-intents-0-3")),
        ("orders/0/3", Place("orders", 0, 3)),
        ("replay.x1.raw.massive/12/345", Place("replay.x1.raw.massive", 12, 345)),
        ("decisions/0/5/0", Name("decisions", 0, 5, 0)),
    ],
)
def test_an_id_names_an_order_a_place_or_a_fact(text: str, meant: Id) -> None:
    assert read(text) == meant
    assert str(read(text)) == text


@pytest.mark.parametrize("text", ["", "orders/0", "orders/x/3", "a/0/1/2/3", "orders/0/-1", "a b"])
def test_what_is_no_id_is_told_the_forms_there_are(text: str) -> None:
    with pytest.raises(ValueError, match=r"h-intents-0-3 .* decisions/0/5/0 .* orders/0/3"):
        read(text)


def test_an_order_id_leads_back_to_its_intent() -> None:
    assert intent_of(order_id(7, 12345)) == (7, 12345)
    assert intent_of("x-intents-0-1") is None
