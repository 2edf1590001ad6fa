"""Settings are read once, checked all together, and documented as they are."""

from __future__ import annotations

import typing
from pathlib import Path

import pytest
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from hadron.errors import SettingsError
from hadron.settings import Settings, settings_from
from hadron.variables import variable

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"


def the_table() -> str:
    """The settings as docs/operations.md must show them."""
    hints = typing.get_type_hints(Settings, include_extras=True)
    rows = ["| variable | default | meaning |", "| --- | --- | --- |"]
    for name, field in Settings.__dataclass_fields__.items():
        [described] = [one for one in hints[name].__metadata__ if isinstance(one, FieldInfo)]
        meaning = str(described.description)
        if typing.get_origin(kind := hints[name].__origin__) is typing.Literal:
            meaning += f": {', '.join(f'`{each}`' for each in typing.get_args(kind))}"
        rows.append(f"| `{variable(name)}` | {_shown(name, field.default)} | {meaning} |")
    return "\n".join(rows)


def _shown(name: str, default: object) -> str:
    if name == "kafka":
        return "required"
    return "" if default in (None, "") else f"`{default}`"


def test_the_page_has_the_table_of_all_settings() -> None:
    page = PAGE.read_text("utf-8")

    table = page.partition("out of date -->\n")[2].partition("\n<!-- end -->")[0]

    assert table == the_table(), f"put this table into {PAGE.name}:\n{the_table()}"


def test_every_setting_can_be_given_by_its_variable() -> None:
    given = settings_from(
        {
            "HADRON_KAFKA": "broker:9092",
            "HADRON_NUM_SHARDS": "64",
            "HADRON_FETCH_RECORDS": "10000",
            "HADRON_QUEUE_SLICES": "100",
            "HADRON_BATCH_ROWS": "1000",
            "OTEL_TRACES_SAMPLER_ARG": "0.1",
            "UNRELATED": "x",
        }
    )

    assert (given.num_shards, given.fetch_records, given.queue_slices) == (64, 10_000, 100)
    assert (given.batch_rows, given.trace_ratio) == (1000, 0.1)


def test_what_nobody_gave_has_its_default() -> None:
    given = settings_from({"HADRON_KAFKA": "broker:9092", "HADRON_LOG_LEVEL": ""})

    assert (given.http_port, given.batch_rows, given.batch_s, given.hot_ttl_s) == (
        3002,
        100,
        1.0,
        900,
    )
    assert (given.pool_max, given.pool_acquire_s) == (20, 30.0)
    assert (given.pool_idle_s, given.pool_lifetime_s) == (600.0, 1800.0)
    assert given.log_level == "info"


def test_every_problem_is_told_at_once_with_what_was_seen() -> None:
    with pytest.raises(SettingsError) as refused:
        settings_from({"HADRON_NUM_SHARDS": "0", "HADRON_BATCH_S": "6", "HADRON_LOG_LEVEL": "loud"})

    text = str(refused.value)
    assert len(refused.value.problems) == 4
    assert "HADRON_KAFKA: is not set" in text
    assert "HADRON_NUM_SHARDS: '0'; " in text
    assert "HADRON_BATCH_S: '6'; " in text
    assert "HADRON_LOG_LEVEL: 'loud'; " in text


def test_secrets_are_not_shown() -> None:
    given = settings_from({"HADRON_KAFKA": "b:1", "HADRON_MASSIVE_KEY": "a-key-of-this-test"})

    assert given.massive_key == SecretStr("a-key-of-this-test")
    assert "a-key-of-this-test" not in repr(given)


def test_no_setting_switches_live_orders_on() -> None:
    assert [
        name for name in Settings.__dataclass_fields__ if "live" in name or "order" in name
    ] == []
