"""The terminal shows what each step says, with its place and its hash."""

from __future__ import annotations

from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from hadron.audit.story import Share, Step
from hadron.cli.explain.tree import tree_of
from tests.integration.every_fact import a_dismissal, a_rejected_intent, a_rejected_order
from tests.support import T0_NS, a_decision, a_fill, a_position, a_quote, a_raw, a_trade
from tests.support import an_approved_intent as an_intent

HASH = "ab" * 32


def step(fact: Any, place: str = "orders/0/3", **more: Any) -> Step:
    return Step(type(fact).__name__, place, "archive", HASH, fact, **more)


def shown(story: Step) -> str:
    out = StringIO()
    Console(width=200, file=out).print(tree_of(story))
    return out.getvalue()


@pytest.mark.parametrize(
    ("fact", "said"),
    [
        (a_fill(), "bought 100 eq:AAPL at 100.01 (ask, simulated)"),
        (a_rejected_order(), "rejected: no price"),
        (an_intent(limit_price=Decimal("1.50")), "buy 100 eq:AAPL at 1.5 or better"),
        (a_rejected_intent(), "buy 100 eq:AAPL at the market: position limit"),
        (a_dismissal(reason="repeated"), "dismissed: repeated"),
        (a_decision(), "sma 1 for main decided to buy 100 eq:AAPL at the market, confidence 0.5"),
        (a_trade("100.50"), "trade of eq:AAPL: 100 at 100.5, live, lane warm (default)"),
        (a_quote(), "quote of eq:AAPL: bid 100 at 99.99, ask 100 at 100.01"),
        (a_position(realised=Decimal("1.20")), "100 eq:AAPL, realised 1.2, unrealised -"),
    ],
)
def test_each_kind_of_fact_says_what_it_is(fact: Any, said: str) -> None:
    text = shown(step(fact))

    assert said in text
    assert "orders/0/3" in text
    assert HASH in text


def test_a_story_goes_from_the_fill_to_the_frame() -> None:
    frame = '{"ev":"T","sym":"[bold]"}'
    raw = step(a_raw(frame.encode()), "raw.massive/0/9", frame=frame)
    tick = step(a_trade(at_ns=T0_NS + 5), "ticks.warm/0/8", causes=(raw,))
    decision = step(a_decision(evidence={"sma": "99.5"}), "decisions/0/7", causes=(tick,))
    shares = (Share("sma", "buy", "100", "decisions/0/7"),)
    limits = {"position": "0+100 of 500"}
    intent = step(an_intent(limits=limits), "intents/0/6", causes=(decision,), shares=shares)

    lines = shown(step(a_fill(), causes=(intent,), effects=(step(a_position()),))).splitlines()

    told = ("bought", "approved", "limit position: 0+100 of 500", "share of sma: buy 100")
    more = ("decided", "saw bid 99.99", "evidence sma: 99.5", "trade", "massive sent", frame)
    wanted = (*told, *more, "then: position")
    found = [next(n for n, line in enumerate(lines) if part in line) for part in wanted]
    assert found == sorted(found)
    assert "2023-11-14 22:13:20.000000005" in "\n".join(lines)


def test_what_is_missing_is_said() -> None:
    gone = Step("unknown", "ticks.warm/0/8", "nowhere")
    late = Step("RawReceived", "raw.massive/0/9", "log", HASH, a_raw(b"\xff"))

    text = shown(step(a_decision(), causes=(gone, late)))

    assert "not stored" in text
    assert "on the log, not in the archive" in text
    assert r"b'\xff'" in text
