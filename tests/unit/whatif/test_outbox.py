"""From a shadow no way leads to a topic of live's: by type, and at run time."""

from __future__ import annotations

import pytest

from connectors.memory import MemoryLog
from hadron import topics
from hadron.flow import FLOW
from hadron.partitions import partition_of
from hadron.topics import INTENTS, SHADOW_DEAD, SHADOW_DECISIONS, ShadowTopic
from hadron.whatif.outbox import ShadowOutbox
from tests.support import a_decision, an_approved_intent, codec


def an_outbox(log: MemoryLog) -> ShadowOutbox:
    return ShadowOutbox(log, codec(), partitions=4)


def test_a_decision_lies_in_the_partition_of_its_portfolio_on_a_topic_of_shadows() -> None:
    log = MemoryLog()
    outbox = an_outbox(log)

    outbox.append(SHADOW_DECISIONS, [a_decision()])
    outbox.flush()

    [record] = log.read("shadow.decisions", partition_of("main", 4), start=0, end=1)
    assert (record.key, codec().decode(record.value or b"")) == (b"main", a_decision())


def test_no_topic_of_live_is_taken() -> None:
    log = MemoryLog()
    outbox = an_outbox(log)

    # Each of these lines is an error of types, too: mypy refuses an ignore that ignores nothing.
    with pytest.raises(TypeError, match="is no topic of shadows"):
        outbox.append(INTENTS, [an_approved_intent()])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="is no topic of shadows"):
        outbox.append("intents", [])  # type: ignore[arg-type]

    assert log.ends([("intents", partition) for partition in range(4)]).keys()
    assert not any(log.ends([("intents", partition) for partition in range(4)]).values())


def test_no_fact_of_desk_or_gateway_is_taken() -> None:
    with pytest.raises(TypeError, match=r"shadow\.decisions: IntentApproved; wanted DecisionMade"):
        an_outbox(MemoryLog()).append(SHADOW_DECISIONS, [an_approved_intent()])


def test_a_topic_of_shadows_cannot_have_the_name_of_another() -> None:
    with pytest.raises(ValueError, match=r"'intents'; wanted one of shadow\.\*"):
        ShadowTopic("intents", "portfolio", INTENTS.facts)


def test_nothing_reads_what_shadows_write_and_nothing_of_it_is_stored() -> None:
    shadows = {topic.name for topic in (SHADOW_DECISIONS, SHADOW_DEAD)}

    assert shadows <= {topic.name for topic in topics.ALL}
    for step in FLOW.values():
        assert shadows.isdisjoint({*step.sources, *step.outputs})
    assert shadows.isdisjoint(topic.name for topic in topics.sink_topics())
    assert topics.topic_of(a_decision()).name == "decisions"
