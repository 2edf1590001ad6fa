"""A Faust app of ours leaves nothing on the disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from hadron.settings import settings_from
from streams.app import make_app


def test_no_folder_is_made_for_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = settings_from({"HADRON_KAFKA": "localhost:9092"})
    app = make_app("hadron.normalize", settings, client_id="here-1")

    app._create_directories()  # as Faust does when it starts

    assert not app.conf.datadir.exists()
    assert list(tmp_path.iterdir()) == []
