"""`hadron replay` as it is refused, without any server."""

from __future__ import annotations

import pytest

from hadron.__main__ import run

NOBODY = {"HADRON_KAFKA": "127.0.0.1:1"}


def test_a_replay_of_a_replay_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["replay", "--from", "beginning"], {**NOBODY, "HADRON_PREFIX": "replay.a."})

    assert code == 4
    assert "HADRON_PREFIX: 'replay.a.'; wanted nothing" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--from", "noon"], "Invalid value for '--from': 'noon'; wanted beginning"),
        (["--from", "beginning", "--to", "beginning"], "'--to': 'beginning'; wanted end"),
        (["--from", "beginning", "--run", "a.b"], "'--run': 'a.b'; wanted 1 to 64 letters"),
        (["--from", "beginning", "--speed", "2x"], "'2x' is not one of '1x', '10x', '100x', 'max'"),
        (
            ["--from", "beginning", "--warm-up", "-1"],
            "'--warm-up': '-1'; wanted seconds, 0 or more",
        ),
        (["--from", "beginning", "--warm-up", "nan"], "'--warm-up': 'nan'; wanted seconds"),
        (["--from", "beginning", "--warm-up", "long"], "'--warm-up': 'long'; wanted seconds"),
        ([], "Missing option '--from'"),
    ],
)
def test_a_wrong_option_is_named_with_what_was_seen_and_what_is_wanted(
    capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    code = run(["replay", *arguments], NOBODY)

    told = " ".join(capsys.readouterr().err.replace("\u2502", " ").split())
    assert code == 2
    assert said in told
