"""Sealed fields: nobody reads them without the key, and nobody at all once it is destroyed."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import schemas
from connectors.sealing import GONE, PREFIX, Seals
from hadron.audit.sensitive import opened, sealed, sensitive_fields
from hadron.contracts import CLASS_OF
from hadron.control.facts import TradingHalted
from hadron.errors import ContractError, SettingsError
from tests.support import codec

HALT = TradingHalted(author="ann", reason="wrong prices", at_ns=1, version=1)
FIELDS = sensitive_fields(schemas.load("trading_halted"))


def test_a_sealed_fact_hides_its_author_on_the_log_and_shows_it_to_who_has_the_key(
    tmp_path: Path,
) -> None:
    seals = Seals(tmp_path)

    hidden = sealed(HALT, FIELDS, seals.seal)
    value = codec().encode(hidden)

    assert b"ann" not in value
    assert hidden.author.startswith(PREFIX)
    assert opened(codec().decode(value), FIELDS, Seals(tmp_path).open) == HALT


def test_a_forgotten_subject_is_redacted_and_the_bytes_stay_what_they_were(tmp_path: Path) -> None:
    seals = Seals(tmp_path)
    value = codec().encode(sealed(HALT, FIELDS, seals.seal))
    other = sealed(HALT, FIELDS, lambda _, text, about: seals.seal("bob", text, about))

    assert seals.forget("ann")
    assert not seals.forget("ann")

    assert opened(codec().decode(value), FIELDS, seals.open).author == GONE
    assert codec().encode(codec().decode(value)) == value
    assert opened(other, FIELDS, seals.open) == HALT
    assert not any(b"ann" in path.read_bytes() for path in tmp_path.iterdir())


def test_who_comes_back_gets_another_key_which_does_not_open_what_was_forgotten(
    tmp_path: Path,
) -> None:
    seals = Seals(tmp_path)
    before = seals.seal("ann", "ann", "x")
    seals.forget("ann")
    after = seals.seal("ann", "ann", "x")

    assert (seals.open(before, "x"), seals.open(after, "x")) == (GONE, "ann")


@given(subject=st.text(max_size=40), text=st.text(max_size=200))
def test_any_text_comes_back(
    tmp_path_factory: pytest.TempPathFactory, subject: str, text: str
) -> None:
    seals = Seals(tmp_path_factory.mktemp("keys"))

    assert seals.open(seals.seal(subject, text, "fact.field"), "fact.field") == text


def test_the_same_text_is_sealed_differently_each_time(tmp_path: Path) -> None:
    seals = Seals(tmp_path)

    assert seals.seal("ann", "ann", "x") != seals.seal("ann", "ann", "x")
    assert seals.subjects() == ["ann"]


def test_a_sealed_text_cannot_be_moved_to_another_field_nor_changed(tmp_path: Path) -> None:
    seals = Seals(tmp_path)
    text = seals.seal("ann", "ann", "TradingHalted.author")

    with pytest.raises(ContractError, match=r"TradingResumed\.author: not what key"):
        seals.open(text, "TradingResumed.author")
    with pytest.raises(ContractError, match="not what key"):
        seals.open(text[:-4] + "AAAA", "TradingHalted.author")


def test_keys_are_for_their_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    Seals(folder).seal("ann", "ann", "x")

    [key] = folder.iterdir()

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert "ann" not in key.name


def test_a_key_that_cannot_be_read_is_named_and_not_shown(tmp_path: Path) -> None:
    (tmp_path / "0.json").write_text('{"id": "7", "key": "not a key"}')

    with pytest.raises(SettingsError, match=r"0\.json: no key of a subject") as caught:
        Seals(tmp_path).subjects()
    assert "not a key" not in str(caught.value)


def test_plain_text_of_before_is_shown_as_it_is(tmp_path: Path) -> None:
    assert Seals(tmp_path).open("ann", "x") == "ann"


def test_every_author_on_the_log_is_marked_and_every_mark_names_a_text_and_its_subject() -> None:
    for name in schemas.names():
        fields = CLASS_OF[name].__struct_fields__
        marked = sensitive_fields(schemas.load(name))
        types = {field["name"]: field["type"] for field in schemas.load(name)["fields"]}

        assert ("author" in fields) == (marked.get("author") == "author"), name
        assert all(types[one] == "string" and marked[one] in fields for one in marked), name
