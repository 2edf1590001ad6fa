"""What a command takes for the catalogue of topics."""

from __future__ import annotations

from hadron import topics
from hadron.cli.opening import declared
from hadron.settings import settings_from

NOBODY = {"HADRON_KAFKA": "127.0.0.1:1"}


def test_the_live_run_has_all_topics() -> None:
    assert declared(settings_from(NOBODY)) == list(topics.ALL)


def test_a_run_under_a_prefix_has_its_own_and_no_shadows() -> None:
    names = [
        topic.name for topic in declared(settings_from({**NOBODY, "HADRON_PREFIX": "replay.mine."}))
    ]

    assert "replay.mine.decisions" in names
    assert all(name.startswith("replay.mine.") for name in names)
    assert not [name for name in names if "shadow" in name]
