"""The desk: one outcome for each decision, with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from hadron.desk.desk import Desk
from hadron.desk.facts import DecisionDismissed, IntentApproved, IntentRejected
from hadron.errors import ImpossibleTransition
from hadron.orders.facts import OrderRejected
from hadron.strategy.facts import DecisionMade
from tests.support import a_decision, a_fill, a_slice, codec
from tests.unit.desk.facts import a_halt, a_mark, a_resumption, some_limits


def a_desk(*control: Any) -> Desk:
    """A desk that was told the control facts; by default limits of main."""
    desk = Desk()
    desk.step(a_slice("control", *(control or (some_limits(),))))
    return desk


def decided(desk: Desk, *decisions: DecisionMade, first: int = 0) -> Sequence[Any]:
    """The outcomes of decisions, each caused by a tick of its own."""
    named = [
        msgspec.structs.replace(decision, offset=first + place)
        for place, decision in enumerate(decisions)
    ]
    return desk.step(a_slice("decisions", *named, first=first))


def a_rejection(verdict: str, offset: int = 0) -> OrderRejected:
    """The order of the default decision came to nothing."""
    fields = msgspec.structs.asdict(a_fill(verdict=verdict, offset=offset))
    del fields["price"], fields["price_from"]
    return OrderRejected(**fields, reason="no price known")


def test_a_decision_within_all_limits_is_approved_with_what_each_limit_saw() -> None:
    [outcome] = decided(a_desk(), a_decision())

    assert isinstance(outcome, IntentApproved)
    assert outcome.limits == {
        "notional": "10001 of 50000",
        "position": "0+100 of 500",
        "exposure": "0+10001 of 100000",
    }
    assert (outcome.order_type, outcome.limit_price) == ("market", None)


def test_an_outcome_names_its_decision_and_its_verdict() -> None:
    desk = a_desk()

    [outcome] = desk.step(a_slice("decisions", a_decision(), partition=3, first=17))

    named = (outcome.source, outcome.partition, outcome.offset, outcome.index)
    assert named == ("decisions", 3, 17, 0)
    assert isinstance(outcome, IntentApproved)
    assert outcome.verdict == "decisions/3/17/0"


def test_a_limit_price_makes_a_limit_order() -> None:
    [outcome] = decided(a_desk(), a_decision(limit_price=Decimal("99.50")))

    assert (outcome.order_type, outcome.limit_price) == ("limit", Decimal("99.50"))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"quantity": Decimal(0)}, "quantity is not above zero"),
        ({"quantity": Decimal(-1)}, "quantity is not above zero"),
        ({"confidence": Decimal(0)}, "no confidence"),
        ({"limit_price": Decimal(0)}, "limit price is not above zero"),
        ({"quality": "suspect"}, "quality is suspect"),
    ],
)
def test_a_decision_that_asks_for_no_order_is_dismissed(
    changes: dict[str, Any], reason: str
) -> None:
    [outcome] = decided(a_desk(), a_decision(**changes))

    assert isinstance(outcome, DecisionDismissed)
    assert outcome.reason == reason


@pytest.mark.parametrize("quality", ["live", "gap", "late", "stale"])
def test_real_prices_may_be_traded_whatever_the_quality(quality: str) -> None:
    [outcome] = decided(a_desk(), a_decision(quality=quality))

    assert isinstance(outcome, IntentApproved)


@pytest.mark.parametrize(
    ("control", "changes", "reason"),
    [
        ([some_limits(), a_halt()], {}, "halted"),
        ([some_limits(portfolio="other")], {}, "no limits"),
        ([some_limits()], {"bid": None, "ask": None, "last": None}, "no price known"),
        ([some_limits(notional=10_000)], {}, "notional: 10001 is over 10000"),
        ([some_limits(position=99)], {}, "position: 0+100 is over 99"),
        ([some_limits(position=99)], {"side": "sell"}, "position: 0-100 is over 99"),
        ([some_limits(exposure=10_000)], {}, "exposure: 0+10001 is over 10000"),
    ],
)
def test_a_rejection_names_the_limit_and_what_it_saw(
    control: list[Any], changes: dict[str, Any], reason: str
) -> None:
    [outcome] = decided(a_desk(*control), a_decision(**changes))

    assert isinstance(outcome, IntentRejected)
    assert outcome.reason == reason


@pytest.mark.parametrize(
    ("changes", "notional"),
    [
        ({}, "10001"),
        ({"side": "sell"}, "9999"),
        ({"ask": None}, "10000"),
        ({"ask": Decimal(0)}, "10000"),
        ({"ask": None, "last": None, "limit_price": Decimal(98)}, "9800"),
        ({"ask": None, "last": None}, "9700"),
    ],
    ids=["ask", "bid", "last", "an ask of 0 is none", "limit", "mark"],
)
def test_an_order_is_judged_at_the_first_price_known(
    changes: dict[str, Any], notional: str
) -> None:
    desk = a_desk()
    desk.step(a_slice("marks", a_mark("97")))

    [outcome] = decided(desk, a_decision(**changes))

    assert outcome.limits["notional"] == f"{notional} of 50000"


def test_trading_goes_on_after_it_was_resumed() -> None:
    desk = a_desk(some_limits(), a_halt(), a_resumption())

    [outcome] = decided(desk, a_decision())

    assert isinstance(outcome, IntentApproved)


def test_a_halt_stops_closing_orders_too() -> None:
    desk = a_desk()
    decided(desk, a_decision())
    desk.step(a_slice("orders", a_fill()))
    desk.step(a_slice("control", a_halt(), first=1))

    [outcome] = decided(desk, a_decision(side="sell"), first=1)

    assert (outcome.reason, outcome.limits) == ("halted", {"halt": "ada: fire drill"})


def test_intents_in_flight_cannot_breach_a_limit_together() -> None:
    outcomes = decided(a_desk(some_limits(position=250)), *[a_decision()] * 3)

    assert [type(outcome) for outcome in outcomes] == [IntentApproved] * 2 + [IntentRejected]
    assert outcomes[2].reason == "position: 200+100 is over 250"


def test_an_open_order_of_the_other_side_makes_no_room() -> None:
    desk = a_desk(some_limits(position=100))

    outcomes = decided(desk, a_decision(), a_decision(side="sell"), a_decision())

    # The sale may come to nothing: then both purchases would fill.
    assert outcomes[2].reason == "position: 100+100 is over 100"


def test_a_rejected_order_gives_its_room_back() -> None:
    desk = a_desk(some_limits(position=100))
    decided(desk, a_decision())
    desk.step(a_slice("orders", a_rejection("decisions/0/0/0")))

    [outcome] = decided(desk, a_decision(), first=1)

    assert outcome.limits["position"] == "0+100 of 100"


def test_a_fill_turns_its_room_into_a_position() -> None:
    desk = a_desk(some_limits(position=150))
    decided(desk, a_decision())
    desk.step(a_slice("orders", a_fill()))

    [outcome] = decided(desk, a_decision(), first=1)

    assert outcome.reason == "position: 100+100 is over 150"


def test_a_fill_that_lies_twice_on_the_log_counts_once() -> None:
    desk = a_desk(some_limits(position=200))
    decided(desk, a_decision())
    desk.step(a_slice("orders", a_fill(), a_fill()))

    [outcome] = decided(desk, a_decision(), first=1)

    assert isinstance(outcome, IntentApproved)
    assert desk.repeated == 1


def test_a_decision_that_lies_twice_on_the_log_trades_once() -> None:
    first, second = a_desk().step(a_slice("decisions", a_decision(), a_decision()))

    assert isinstance(first, IntentApproved)
    assert isinstance(second, DecisionDismissed)
    assert second.reason.startswith("repeated")


def test_an_order_that_closes_passes_a_limit_that_was_lowered() -> None:
    desk = a_desk()
    decided(desk, a_decision())
    desk.step(a_slice("orders", a_fill()))
    desk.step(a_slice("control", some_limits(position=10, exposure=1), first=1))

    closing, beyond = decided(desk, a_decision(side="sell"), a_decision(side="sell"), first=1)

    assert isinstance(closing, IntentApproved)
    assert beyond.reason == "position: 0-100 is over 10"


def test_exposure_is_gross_over_strategies_and_instruments() -> None:
    desk = a_desk(some_limits(exposure=30_000))

    outcomes = decided(
        desk,
        a_decision(),
        a_decision(side="sell", strategy="crossover"),
        a_decision(instrument="eq:MSFT"),
    )

    assert outcomes[1].limits["exposure"] == "10001+9999 of 30000"
    assert outcomes[2].reason == "exposure: 20000+10001 is over 30000"


def test_exposure_is_counted_at_the_newest_mark() -> None:
    desk = a_desk(some_limits(exposure=30_000))
    decided(desk, a_decision())
    desk.step(a_slice("orders", a_fill()))
    desk.step(a_slice("marks", a_mark("200", bid=Decimal("199"), ask=Decimal("201"))))

    [outcome] = decided(desk, a_decision(instrument="eq:MSFT"), first=1)

    assert outcome.reason == "exposure: 20100+10001 is over 30000"


def test_portfolios_have_limits_of_their_own() -> None:
    desk = a_desk(some_limits(position=100), some_limits(position=100, portfolio="other"))

    outcomes = decided(desk, a_decision(), a_decision(portfolio="other"))

    assert [type(outcome) for outcome in outcomes] == [IntentApproved] * 2


def test_an_order_that_its_verdict_did_not_allow_stops_the_desk() -> None:
    desk = a_desk()
    decided(desk, a_decision())

    with pytest.raises(ImpossibleTransition, match=r"buy 200.*allowed buy 100"):
        desk.step(a_slice("orders", a_fill(quantity=Decimal(200))))


def test_every_outcome_fits_its_contract() -> None:
    outcomes = decided(
        a_desk(some_limits(position=100)),
        a_decision(),
        a_decision(),
        a_decision(quantity=Decimal(0)),
    )

    assert [codec().decode(codec().encode(outcome)) for outcome in outcomes] == outcomes


def test_an_approval_on_the_log_that_was_not_given_again_is_reserved() -> None:
    # given: before a crash the decision was approved, after it rejected for want of limits
    [written] = decided(a_desk(), a_decision())
    desk = Desk()
    decided(desk, a_decision())

    desk.step(a_slice("control", some_limits(position=150)))
    desk.step(a_slice("intents", written))

    [outcome] = decided(desk, a_decision(), first=1)
    assert outcome.reason == "position: 100+100 is over 150"


def test_a_refusal_on_the_log_frees_what_was_reserved_again() -> None:
    [written] = decided(Desk(), a_decision())
    desk = a_desk(some_limits(position=100))
    decided(desk, a_decision())

    desk.step(a_slice("intents", written))

    [outcome] = decided(desk, a_decision(), first=1)
    assert isinstance(outcome, IntentApproved)


def test_an_order_may_overtake_its_intent() -> None:
    [written] = decided(a_desk(), a_decision())
    desk = a_desk(some_limits(position=200))
    desk.step(a_slice("orders", a_fill()))

    desk.step(a_slice("intents", written))

    [outcome] = decided(desk, a_decision(), first=1)
    assert outcome.limits["position"] == "100+100 of 200"
    assert desk.unreserved == 1
