"""Nothing in the product stands in for something that is not there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import connectors
import hadron
import schemas
import streams

# Words of unfinished work. `sql.Placeholder` is psycopg's, and capital for that reason.
UNFINISHED = re.compile(
    r"\b(todo|fixme|xxx|hack|placeholder|dummy|stub|mock|fake|lorem|for now|hard.?coded|simplified"
    r"|not (yet )?implemented|notimplemented(error)?|sample price)\b"
)
# Chance is drawn for seeded markets, which are labelled simulated, for the jitter of reconnections
# and for the name of a replay; nowhere else.
CHANCE = {"random", "secrets", "uuid"}
MAY_DRAW = {
    "connectors/sealing.py",  # keys and nonces
    "connectors/timescale/rebuilding/comparing.py",  # a seed that nobody can know before
    "hadron/wiring/simulator.py",
    "hadron/cli/backtest/sources.py",  # a scenario's, from its seed
    "connectors/feeds/session.py",
    "hadron/cli/replay/play.py",
}
# What a price is called. A number there would be a made-up one; 0 is how the wire says: none.
PRICES = {"price", "bid", "ask", "last", "mark", "average_price", "limit_price"}


def _sources() -> Iterator[tuple[str, str]]:
    for package in (hadron, streams, connectors, schemas):
        root = Path(package.__path__[0])
        for path in sorted(root.rglob("*.py")):
            yield f"{root.name}/{path.relative_to(root)}", path.read_text("utf-8")


def test_there_are_sources_to_read() -> None:
    assert len(list(_sources())) > 100


def test_no_source_speaks_of_unfinished_work() -> None:
    found = [
        f"{name}:{number}: {line.strip()}"
        for name, text in _sources()
        for number, line in enumerate(text.splitlines(), 1)
        if UNFINISHED.search(line.replace("sql.Placeholder", "").lower())
    ]

    assert found == []


def test_chance_is_drawn_where_it_is_meant_to_be_only() -> None:
    drawing = {
        name
        for name, text in _sources()
        for node in ast.walk(ast.parse(text))
        if (isinstance(node, ast.Import) and any(one.name in CHANCE for one in node.names))
        or (isinstance(node, ast.ImportFrom) and node.module in CHANCE)
    }

    assert drawing <= MAY_DRAW


def test_no_price_is_a_number_in_the_source() -> None:
    found = [
        f"{name}:{node.value.lineno}"
        for name, text in _sources()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.keyword) and node.arg in PRICES and _is_number(node.value)
    ]

    assert found == []


def _is_number(value: ast.expr) -> bool:
    match value:
        case ast.Constant(value=int() | float() as number):
            return number != 0 and not isinstance(number, bool)
        case ast.Call(func=ast.Name(id="Decimal"), args=[ast.Constant(), *_]):
            return True
    return False
