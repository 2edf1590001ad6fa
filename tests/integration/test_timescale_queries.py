"""TimescaleDB answers as PostgreSQL does, also from chunks that are compressed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from connectors.timescale.querying import queries
from connectors.timescale.querying.explanation import Explainer
from connectors.timescale.querying.lineage import lineage
from hadron.audit.ids import read
from hadron.audit.story import Step
from tests.integration import bulk
from tests.integration.access import unbelt
from tests.integration.inserting import rows
from tests.integration.test_plans import ASKED
from tests.support import codec


@pytest.fixture
def url(timescale: str) -> Iterator[str]:
    bulk.fill(timescale, ticks=3_000, every=50)
    yield timescale
    unbelt(timescale)
    with psycopg.connect(timescale, autocommit=True) as connection:
        connection.execute(f"TRUNCATE {', '.join(bulk.TABLES)}".encode())


def answered(url: str) -> dict[str, list[Any]]:
    """All but candles, which have tests of their own there."""
    return {name: queries.answers(url, ask()) for name, ask in ASKED.items() if name != "candles"}


def told(url: str, asked: str) -> Step:
    with lineage(url, codec()) as found:
        return Explainer(found, codec()).explain(read(asked))


def test_answers_and_stories_outlast_compression(url: str) -> None:
    before = answered(url)
    stories = {asked: told(url, asked) for asked in ("h-intents-1-3", "ticks.warm/0/25")}

    for table in bulk.TABLES:
        rows(url, f"SELECT compress_chunk(chunk) FROM show_chunks('{table}') AS chunk")

    assert answered(url) == before
    for asked, story in stories.items():
        assert told(url, asked) == story
    assert [name for name, found in before.items() if not found] == ["alerts"]  # nothing is wrong
    step, depth = stories["h-intents-1-3"], 1
    while step.causes:
        step, depth = step.causes[0], depth + 1
    assert (step.kind, depth) == ("RawReceived", 5)
