"""What people see of a shadow, and of other limits."""

from __future__ import annotations

from decimal import Decimal

import msgspec
from rich.console import Console, RenderableType

from hadron.cli.whatif.changed import Money, tables
from hadron.cli.whatif.changed import Report as Judgement
from hadron.cli.whatif.sight import SHOWN, Report, drawn
from hadron.whatif.agreement import Counts, Differing
from hadron.whatif.counterfactual import Changed, Judged
from hadron.whatif.worth import Profit
from tests.support import a_decision


def text(*shown: RenderableType) -> str:
    console = Console(width=200)
    with console.capture() as captured:
        for one in shown:
            console.print(one)
    return captured.get()


def a_report(*differing: Differing) -> Report:
    live, shadow = Profit(Decimal("1.50"), Decimal(2)), Profit(Decimal("4.25"))
    counts = Counts(live=7, shadow=8, equal=6, differing=1, only_shadow=1)
    return Report(
        strategy="sma",
        version="abc",
        live_versions={"abd": 7},
        agree=False,
        entries=1200,
        elapsed_s=3.0,
        decisions=msgspec.structs.asdict(counts),
        waiting=2,
        fields={"quantity": 1},
        differing=list(differing),
        orders={"live": 7, "shadow": 8},
        profit={"live": live, "shadow": shadow, "difference": (shadow - live).total},
        failures=[],
        notes=["live decided as version abd, the shadow as abc"],
    )


def test_a_shadow_shows_agreement_differences_and_profit() -> None:
    one = a_decision(quantity=Decimal(7))
    other = a_decision(quantity=Decimal(14), limit_price=Decimal("99.5"))

    shown = text(
        drawn(
            a_report(
                Differing("ticks.warm/0/3", "eq:AAPL", ["quantity"], one, other),
                Differing("ticks.warm/0/4", "eq:AAPL", [], None, other),
            )
        )
    )

    assert "sma@abc beside live: 1,200 entries of the journal, 3.0 s" in shown
    assert "only shadow" in shown
    rows = [line.split() for line in shown.splitlines() if "ticks.warm" in line]
    assert rows == [
        ["ticks.warm/0/3", "eq:AAPL", "buy", "7", "buy", "14", "at", "99.5", "quantity"],
        ["ticks.warm/0/4", "eq:AAPL", "nothing", "buy", "14", "at", "99.5"],
    ]
    assert ["difference", "0.75"] in [line.split() for line in shown.splitlines()]
    assert "note: live decided as version abd" in shown


def test_of_very_many_differences_the_last_are_shown() -> None:
    many = [
        Differing(f"ticks.warm/0/{n}", "eq:AAPL", [], a_decision(), None) for n in range(SHOWN + 3)
    ]

    shown = text(drawn(a_report(*many)))

    assert f"Differing, the last {SHOWN}" in shown
    assert "ticks.warm/0/2 " not in shown
    assert f"ticks.warm/0/{SHOWN + 2} " in shown


def a_judgement(*changed: Changed, identical: bool = False) -> Judgement:
    money = Money(Profit(Decimal(3)), Profit(Decimal(1)), Decimal(-2))
    return Judgement(
        holds=True,
        identical=identical,
        ranges={"1": [0, 9]},
        limits={},
        decisions={"judged": 9, "equal": 8, "approved": 5, "stopped": 1, "allowed": 0},
        changed=list(changed),
        profit=[{"portfolio": "main", "strategy": "sma", **msgspec.structs.asdict(money)}],
        total=money,
        difference=None,
        notes=[],
    )


def test_other_limits_show_each_order_with_both_verdicts_and_the_effect() -> None:
    why = Judged(False, "notional: 30003 is over 20000", {"notional": "30003 of 20000"})
    one = Changed(
        order="decisions/0/1/0",
        at_ns=1,
        portfolio="main",
        strategy="sma",
        instrument="eq:AAPL",
        side="buy",
        quantity=Decimal(300),
        live=Judged(True, None, {}),
        counterfactual=why,
    )

    shown = text(*tables(a_judgement(one)))

    assert "9 decisions judged anew; of 5 orders 1 stopped, 0 more allowed" in shown
    assert "approved" in shown
    assert "rejected: notional: 30003 is over 20000" in shown
    assert ["main", "sma", "3", "1", "-2"] in [line.split() for line in shown.splitlines()]


def test_nothing_changed_says_identical() -> None:
    assert "identical: every outcome is the one on the log" in text(
        *tables(a_judgement(identical=True))
    )
