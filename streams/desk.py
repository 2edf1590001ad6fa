"""desk: decisions become approved or rejected intents, portfolio by portfolio."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import faust

from hadron import metrics
from hadron.desk.desk import Desk
from hadron.desk.facts import IntentApproved
from hadron.ports import Telemetry
from hadron.topics import Names
from streams.fold import Stream
from streams.shard import Place
from streams.tools import Pace, Tools

PROCESS = "desk"


def attach(app: faust.App, *, tools: Tools, pace: Pace, partitions: int, names: Names) -> Stream:
    """The stream decisions → intents, told by orders, marks and control what may be risked."""
    place = Place(PROCESS, partitions, names)
    return Stream(app, place, Desk, tools=tools, pace=pace, observe=_budget_c)


def _budget_c(outputs: Sequence[Any], telemetry: Telemetry) -> Callable[[], None]:
    seen = [fact.seen_ns for fact in outputs if type(fact) is IntentApproved]

    def stored() -> None:
        now = time.time_ns()
        for seen_ns in seen:
            telemetry.observe(
                metrics.FRAME_TO_INTENT_SECONDS, (now - seen_ns) / 1e9, process=PROCESS
            )

    return stored
