"""The list of faults is read, or refused with every entry that is wrong."""

from __future__ import annotations

import pytest

from connectors.simulator.faults import Fault, faults
from hadron.errors import SettingsError


def test_faults_come_in_the_order_of_their_places() -> None:
    assert faults("silence@8000:3, drop@5000,bad-auth@1,garbage@100") == [
        Fault("bad-auth", 1),
        Fault("garbage", 100),
        Fault("drop", 5000),
        Fault("silence", 8000, 3.0),
    ]


def test_no_text_is_no_faults() -> None:
    assert faults("") == []


@pytest.mark.parametrize(
    "entry",
    [
        *("crash@1", "@1", "drop", "drop@", "drop@-1", "drop@x", "drop@1:2"),
        *("silence@1", "silence@1:x", "silence@1:0", "silence@1:nan", "hangup@0", "bad-auth@0"),
    ],
)
def test_an_entry_that_is_wrong_is_named(entry: str) -> None:
    with pytest.raises(SettingsError) as caught:
        faults(f"drop@1,{entry},nope@2")

    assert [repr(entry) in problem for problem in caught.value.problems] == [True, False]
