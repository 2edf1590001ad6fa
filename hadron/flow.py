"""Who reads and writes which topics: the drawing in the architecture, as a table."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from hadron import topics


class Step(msgspec.Struct, frozen=True):
    """One process. `bootstrap` are the sources that it reads to their end before any other.

    `outputs` have facts that follow from records and are named by them; `tells`, what it says of
    itself.
    """

    sources: tuple[str, ...]
    outputs: tuple[str, ...] = ()
    bootstrap: tuple[str, ...] = ()
    tells: tuple[str, ...] = ()


_RAW = tuple(topic.name for topic in topics.RAW.values())
_TICKS = tuple(topic.name for topic in topics.TICKS.values())

FLOW: Mapping[str, Step] = {
    "normalize": Step((*_RAW, "control", "positions"), (*_TICKS, "dead"), ("control", "positions")),
    "engine": Step(
        (*_TICKS, "control", "positions"),
        ("decisions", "marks", "alerts", "dead"),
        ("control", "positions"),
        ("strategies", "hashes.engine"),
    ),
    # Its own intents, too: after a crash they say what was judged before, whatever came first now.
    "desk": Step(
        ("decisions", "intents", "orders", "marks", "control"), ("intents", "dead"), ("control",)
    ),
    "gateway": Step(("intents",), ("orders", "dead")),
    "portfolio": Step(("orders", "marks"), ("positions", "dead")),
    "archive": Step(tuple(topic.name for topic in topics.sink_topics())),
    "latest": Step((*_TICKS, "positions")),
}
# The steps whose state is a fold with checkpoints.
FOLDS = tuple(topics.STATE)
