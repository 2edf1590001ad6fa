"""Roles are told in the documentation as they are declared in the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.timescale.access.roles import (
    APPEND_ONLY,
    CALLERS,
    KINDS,
    LOGINS,
    RIGHTS,
    RUNTIME,
    Access,
    Kind,
    Role,
    access_of,
    kind_of,
    url_as,
)
from hadron.errors import SettingsError
from hadron.settings import settings_from

PAGE = Path(__file__).parents[4] / "docs" / "operations.md"
SHOWN = {
    Kind.AUDIT: "audit tables",
    Kind.CHAIN: "`audit_chain`",
    Kind.CERTIFICATES: "`rows_retired`",
    Kind.OFFSETS: "`consumer_offsets`",
    Kind.SCHEMA: "`alembic_version`",
    Kind.VIEW: "views",
}


def the_table() -> str:
    """The rights as docs/operations.md must show them."""
    rows = [
        f"| role | {' | '.join(SHOWN.values())} |",
        f"| --- | {' | '.join('---' for _ in SHOWN)} |",
    ]
    for role in RUNTIME:
        rights = [", ".join(sorted(RIGHTS[kind][role])) or "nothing" for kind in SHOWN]
        rows.append(f"| `{Access().name(role)}` | {' | '.join(rights)} |")
    return "\n".join(rows)


def test_the_page_has_the_table_of_rights() -> None:
    page = PAGE.read_text("utf-8")

    table = page.partition("<!-- rights -->\n")[2].partition("\n<!-- end -->")[0]

    assert table == the_table(), f"put this table into {PAGE.name}:\n{the_table()}"


def test_no_role_that_runs_may_change_what_is_written() -> None:
    for kind in APPEND_ONLY:
        for role in RUNTIME:
            assert RIGHTS[kind][role] <= {"INSERT", "SELECT"}
    assert {role for role in RUNTIME if "INSERT" in RIGHTS[Kind.AUDIT][role]} == {Role.SINK}
    assert all(set(RIGHTS[kind]) == set(RUNTIME) for kind in Kind)


def test_only_who_lets_rows_go_may_certify_that_and_call_what_drops_them() -> None:
    adds = [role for role in RUNTIME if "INSERT" in RIGHTS[Kind.CERTIFICATES][role]]

    assert adds == [CALLERS["drop_retired"]] == [Role.RETIRER]
    assert RIGHTS[Kind.AUDIT][Role.RETIRER] == RIGHTS[Kind.CHAIN][Role.RETIRER] == {"SELECT"}


def test_a_table_that_nobody_thought_of_is_closed() -> None:
    assert kind_of("of tomorrow", view=False) in APPEND_ONLY
    assert kind_of("consumer_offsets", view=False) is Kind.OFFSETS
    assert kind_of("candles_1m", view=True) is Kind.VIEW
    assert Kind.AUDIT not in KINDS.values()


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("postgresql://postgres@127.0.0.1:5/h", "postgresql://snk:p%40%2F@127.0.0.1:5/h"),
        ("postgresql://a:b@db/h?sslmode=require", "postgresql://snk:p%40%2F@db/h?sslmode=require"),
        ("postgresql://db/h", "postgresql://snk:p%40%2F@db/h"),
    ],
)
def test_another_user_of_the_same_database(url: str, wanted: str) -> None:
    assert url_as(url, "snk", "p@/") == wanted
    assert url_as(url, "snk") == wanted.replace(":p%40%2F", "")


def test_names_and_passwords_come_from_settings() -> None:
    given = {"HADRON_KAFKA": "k:1", "HADRON_ROLE_PREFIX": "desk_", "HADRON_SINK_PASSWORD": "hush-1"}

    access = access_of(settings_from(given))

    assert access.name(Role.SINK) == "desk_sink"
    assert set(access.passwords) == {Role.SINK}
    assert "hush-1" not in repr(access)
    assert set(LOGINS) == set(Role) - {Role.OWNER}


@pytest.mark.parametrize("prefix", ["Desk_", "1", 'x"; DROP', ""])
def test_a_prefix_that_is_no_name_is_refused(prefix: str) -> None:
    given = {"HADRON_KAFKA": "k:1", "HADRON_ROLE_PREFIX": prefix}
    if prefix:
        with pytest.raises(SettingsError, match="HADRON_ROLE_PREFIX"):
            settings_from(given)
    else:
        assert settings_from(given).role_prefix == "hadron_"  # empty is not set
