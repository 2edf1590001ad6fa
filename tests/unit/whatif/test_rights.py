"""What a shadow is allowed on Kafka is no more than it needs."""

from __future__ import annotations

import json

import pytest

from hadron.__main__ import run
from hadron.flow import FLOW
from hadron.whatif.rights import shadow_rights


def test_it_reads_what_the_engine_takes_and_says_and_nothing_behind_it() -> None:
    read = {one.name for one in shadow_rights() if one.operation == "READ"}

    assert read == {
        *FLOW["engine"].sources,
        *("journal.engine", "state.engine", "decisions", "shadow."),
    }
    assert read.isdisjoint({"intents", "orders", "journal.desk"})


def test_it_writes_topics_of_shadows_alone() -> None:
    written = [one for one in shadow_rights() if one.operation == "WRITE"]

    assert [(one.resource, one.name, one.prefixed) for one in written] == [
        ("TOPIC", "shadow.", True)
    ]


def test_its_groups_are_its_own() -> None:
    groups = [one for one in shadow_rights() if one.resource == "GROUP"]

    assert [(one.operation, one.name, one.prefixed) for one in groups] == [
        ("READ", "shadow.", True)
    ]


def test_they_are_shown_as_kafkas_tool_takes_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["topics", "acls", "User:shadow"], {}) == 0

    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(shadow_rights())
    assert lines[-2].strip() == (
        "--add --allow-principal User:shadow --operation Write --topic shadow."
        " --resource-pattern-type prefixed"
    )


def test_they_are_shown_to_programs(capsys: pytest.CaptureFixture[str]) -> None:
    run(["topics", "acls", "User:shadow", "--json"], {})

    shown = json.loads(capsys.readouterr().out)
    assert shown["principal"] == "User:shadow"
    assert shown["rights"][0].keys() == {"operation", "resource", "name", "prefixed"}
