"""What the first version of a contract wrote is whole for ever, whatever versions follow it."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import connectors
import hadron
import schemas
from connectors.timescale.layout import Place
from connectors.timescale.verifying.expectation import cells
from hadron.audit import names
from hadron.audit.leaves import Leaves
from hadron.audit.letters import dead_letter
from hadron.contracts import contract_name
from hadron.market.facts import QuoteChanged, RawReceived, TradePrinted
from tests.integration.every_fact import CONTROL, a_rejected_order
from tests.support import a_decision, a_fill, a_quote, a_raw, a_trade, codec
from tests.unit.connectors.timescale import test_bulk
from tests.unit.connectors.timescale.later import Found, Stored

LATER = Path(__file__).with_name("later.py")
NOTE = {"name": "note", "type": "string", "default": ""}
FEE = {"name": "fee", "type": "Exact", "default": {"mantissa": 0, "scale": 0}}
# Where a class is, and the field that it gets.
FIELDS = {
    "order_rejected": ("hadron/orders/facts.py", "OrderRejected", NOTE, 'note: str = ""'),
    "order_filled": ("hadron/orders/facts.py", "OrderFilled", FEE, "fee: Decimal = Decimal(0)"),
    "record_poisoned": ("hadron/audit/facts.py", "RecordPoisoned", NOTE, 'note: str = ""'),
    "trading_halted": ("hadron/control/facts.py", "TradingHalted", NOTE, 'note: str = ""'),
}
# The same numbers as a wider type: columns and bytes as before, and another fingerprint.
WIDER = {
    "trade_printed": "raw_partition",
    "quote_changed": "raw_partition",
    "raw_received": "index",
}
[HALT] = [fact for fact in CONTROL if type(fact).__name__ == "TradingHalted"]
PLACE = Place("ticks.fast", 3, 7)
# A record that the archive could not read, which has this row instead of one of its own.
LETTER = dead_letter(names.Place(*PLACE), "why", process="archive", seen_ns=1, key=b"k", value=b"?")
SECOND = (
    *(a_trade("1.50", conditions=(3, -4)), a_trade("0.123456789"), a_quote(), a_raw(b'{"p": 1}')),
    *(a_fill(), a_rejected_order(), HALT, LETTER),
)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Found]:
    """What code with second versions finds, by fact as it is shown."""
    tree = tmp_path_factory.mktemp("later")
    _second_versions(tree)
    facts = [*SECOND, a_decision()]
    done = subprocess.run(
        [sys.executable, str(LATER)],
        input=pickle.dumps([tuple(_stored(fact)) for fact in facts]),
        env={**os.environ, "PYTHONPATH": str(tree)},
        cwd=tree,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr.decode()
    return dict(
        zip(map(repr, facts), (Found(*one) for one in pickle.loads(done.stdout)), strict=True)
    )


def _second_versions(tree: Path) -> None:
    """A copy of the code whose contracts have a second version, in the catalogue as in the tree."""
    for package in (hadron, connectors, schemas):  # from where they are installed
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(package.__path__[0], tree / package.__name__, ignore=ignored)
    for name, (file, kind, field, line) in FIELDS.items():
        _change(tree / f"schemas/avro/{name}.avsc", lambda fields, new=field: fields.append(new))
        path = tree / file
        head, begin, rest = path.read_text("utf-8").partition(f"class {kind}(")
        body, blank, others = rest.partition("\n\n\n")
        path.write_text(head + begin + body.rstrip() + f"\n    {line}" + (blank or "\n") + others)
    for name, field in WIDER.items():
        _change(tree / f"schemas/avro/{name}.avsc", lambda fields, of=field: _widen(fields, of))
    subprocess.run(
        [sys.executable, "-m", "schemas"],
        cwd=tree,
        check=True,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(tree)},
    )


def _change(path: Path, change: Any) -> None:
    schema = json.loads(path.read_text("utf-8"))
    change(schema["fields"])
    path.write_text(json.dumps(schema), "utf-8")


def _widen(fields: list[dict[str, Any]], name: str) -> None:
    [field] = [field for field in fields if field["name"] == name]
    assert field["type"] == "int"
    field["type"] = "long"


def _stored(fact: Any) -> Stored:
    value = codec().encode(fact)
    row = cells(fact, PLACE, value, codec())
    many = type(fact) in (TradePrinted, QuoteChanged, RawReceived) and row["record"] is None
    copied = test_bulk.row(fact, PLACE.offset) if many else b""
    later = test_bulk.row(fact, PLACE.offset, record=b"\2") if many else b""
    return Stored(PLACE, value, row, copied, later)


@pytest.mark.parametrize("fact", SECOND)
def test_a_row_of_the_first_version_is_whole_when_there_is_a_second(
    fact: Any, found: dict[str, Found]
) -> None:
    stored, one = _stored(fact), found[repr(fact)]
    leaves = Leaves(codec().fingerprint)
    leaf = (leaves.letter if fact == LETTER else leaves.record)(*PLACE, stored.value)

    assert (one.version, one.later_version) == (1, 2)
    assert one.reread == (LETTER.value if fact == LETTER else stored.value)
    assert one.leaf == leaf
    assert one.in_bulk == (leaf if stored.copied else b"")


@pytest.mark.parametrize("fact", SECOND)
def test_its_row_is_the_same_whoever_stores_it(fact: Any, found: dict[str, Found]) -> None:
    """So a table that is filled again from the log is equal to the one that was there."""
    stored = _stored(fact)

    changed = {
        name: cell for name, cell in found[repr(fact)].row.items() if cell != stored.row.get(name)
    }

    assert changed == {}


@pytest.mark.parametrize("fact", SECOND)
def test_a_row_of_the_second_version_says_so_in_one_byte(
    fact: Any, found: dict[str, Found]
) -> None:
    one, whole = found[repr(fact)], _stored(fact).row["record"] is not None

    assert one.later_row["record"] == (one.later if whole else b"\2")
    assert one.later_reread == (LETTER.value if fact == LETTER else one.later)
    assert one.later_leaf == one.later_leaf_wanted
    assert one.later_in_bulk == (one.later_leaf_wanted if _stored(fact).copied else b"")
    assert one.later != _stored(fact).value
    if one.hot:
        assert one.hot.endswith(one.later if whole else b"\0\0\0\1\2")


@pytest.mark.parametrize("fact", SECOND)
def test_nobody_can_claim_that_it_is_of_the_first(fact: Any, found: dict[str, Found]) -> None:
    one = found[repr(fact)]

    assert one.later_leaf_claimed_older != one.later_leaf


def test_a_contract_that_has_no_second_version_is_as_it_was(found: dict[str, Found]) -> None:
    one = found[repr(a_decision())]

    assert (one.version, one.later_version) == (1, 1)
    assert one.later_row["record"] is None


def test_the_facts_are_those_whose_contract_gets_a_second_version() -> None:
    assert {contract_name(type(fact)) for fact in SECOND} == {*FIELDS, *WIDER}
