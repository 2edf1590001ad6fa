"""Who reads and writes what keeps the promises of the drawing."""

from __future__ import annotations

from hadron import topics
from hadron.desk.facts import DecisionDismissed, IntentApproved, IntentRejected
from hadron.flow import FLOW
from hadron.orders.facts import OrderFilled, OrderRejected

PEOPLE = {"control", "instruments"}  # written by commands
FEEDS = {topic.name for topic in topics.RAW.values()}


def _writers(topic: str) -> set[str]:
    return {process for process, step in FLOW.items() if topic in (*step.outputs, *step.tells)}


def test_no_order_comes_about_without_the_desks_verdict() -> None:
    assert _writers("intents") == {"desk"}
    assert _writers("orders") == {"gateway"}
    assert FLOW["gateway"].sources == ("intents",)
    assert set(topics.INTENTS.facts) == {IntentApproved, IntentRejected, DecisionDismissed}
    for fact in (IntentApproved, IntentRejected, OrderFilled, OrderRejected):
        assert "verdict" in fact.__struct_fields__


def test_whatever_is_read_is_declared_and_written_by_somebody() -> None:
    declared = {topic.name for topic in topics.ALL}

    for process, step in FLOW.items():
        assert {*step.sources, *step.outputs, *step.tells} <= declared, process
        assert set(step.bootstrap) <= set(step.sources), process
        for topic in step.sources:
            assert _writers(topic) or topic in PEOPLE | FEEDS, f"{process} reads {topic}"


def test_every_derived_fact_has_a_home_and_a_key() -> None:
    for topic in topics.ALL:
        if topic.name.startswith(("state.", "journal.", "hashes.")):
            continue
        for fact in topic.facts:
            assert fact in topics._KEY, fact


def test_a_replay_writes_nothing_live() -> None:
    names = topics.replay_names("r1")

    written = {names.write(topic.name) for topic in topics.ALL}

    assert all(name.startswith("replay.r1.") for name in written)
    assert names.read("raw.massive") == "raw.massive"
    assert names.group("engine") == "replay.r1.hadron.engine"
    assert names.logical(names.write("decisions")) == "decisions"
