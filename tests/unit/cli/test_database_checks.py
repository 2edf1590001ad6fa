"""What doctor makes of the role that processes write as."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from connectors.timescale.access.standing import Standing
from hadron.cli.checks import database

SINK = Standing("hadron_sink", False, False, local=False, migrated=True, differences=())


def standing(**changes: Any) -> Standing:
    return msgspec.structs.replace(SINK, **changes)


@pytest.mark.parametrize("power", ["superuser", "owner"])
def test_a_role_that_may_change_rows_is_an_error_where_others_reach_the_server(power: str) -> None:
    found = database.role(standing(role="app", **{power: True}))

    assert found.failed
    assert "processes write as app" in found.seen
    assert "HADRON_DATABASE=postgresql://hadron_sink" in found.remedy


@pytest.mark.parametrize("power", ["superuser", "owner"])
def test_on_this_machine_it_is_told_and_no_fault(power: str) -> None:
    found = database.role(standing(local=True, **{power: True}))

    assert (found.ok, found.severity) == (False, "info")


def test_the_sink_is_sound() -> None:
    assert database.role(SINK).ok
    assert database.guards(SINK).ok


def test_a_guard_that_somebody_changed_is_an_error() -> None:
    found = database.guards(standing(differences=["trigger immutable of ticks is missing"]))

    assert found.failed
    assert found.seen == "trigger immutable of ticks is missing"
    assert "hadron migrate" in found.remedy


def test_before_the_first_migration_there_is_nothing_to_guard() -> None:
    assert database.guards(standing(migrated=False, differences=["roles are missing"])).ok
