"""Runs of repeated fields are told from what is behind them, however alike they begin."""

from __future__ import annotations

import pytest

from hadron.avro import runs
from hadron.avro.runs import BEGINNING, Runs
from hadron.errors import ContractError
from tests.support import a_trade, codec

SHARED = b"event contracts: " + b"."


class Learning:
    """Takes all up to the first blank behind what all begin with, and remembers it was asked."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []

    def __call__(self, record: bytes) -> tuple[bytes, str]:
        self.asked.append(record)
        run = SHARED + record[len(SHARED) :].split(b" ")[0] + b" "
        return run, run.decode()


def test_runs_that_begin_alike_are_learned_once_and_found_by_their_length() -> None:
    learning = Learning()
    known: Runs[str] = Runs(learning)
    records = [SHARED + b"%d rest %d" % (number % 1000, number) for number in range(3000)]
    assert len(SHARED) > BEGINNING

    made, rests = known.split(records)

    assert made == [SHARED.decode() + f"{number % 1000} " for number in range(3000)]
    assert rests == [b"rest %d" % number for number in range(3000)]
    assert len(learning.asked) == 1000
    # What is tried of a record is as many as there are lengths, not as there are runs.
    assert [len(tried) for tried in known._lengths.values()] == [3]


def test_they_are_forgotten_before_they_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "MOST_RUNS", 2)
    learning = Learning()
    known: Runs[str] = Runs(learning)
    records = [SHARED + b"%d rest" % number for number in (1, 2, 3, 1, 3)]

    made, _ = known.split(records)

    assert made == [SHARED.decode() + f"{number} " for number in (1, 2, 3, 1, 3)]
    assert len(learning.asked) == 4


def test_a_run_that_another_wrote_is_refused() -> None:
    known: Runs[str] = Runs(lambda _: (b"ours", "ours"))

    with pytest.raises(ContractError, match="not written as we write them"):
        known.split([b"theirs"])


def test_contracts_on_one_event_come_back_each_as_itself() -> None:
    trades = [a_trade("0.45", instrument=f"event:ELECTION-2028-{n % 70}") for n in range(200)]
    values = [codec().encode(trade) for trade in trades]

    assert codec().decode_many(values) == trades
