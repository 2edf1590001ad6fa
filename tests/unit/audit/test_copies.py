"""From a copy back to the record that it was made of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hadron.audit.copies import Copies


@given(st.sets(st.integers(min_value=0, max_value=200), min_size=1))
def test_every_copy_leads_back_to_its_original(offsets: set[int]) -> None:
    copies = Copies()
    for offset in sorted(offsets):
        copies.add(offset)

    assert [copies.original(copy) for copy in range(copies.count)] == sorted(offsets)


@pytest.mark.parametrize("copy", [-1, 1])
def test_a_copy_that_was_not_made_leads_nowhere(copy: int) -> None:
    copies = Copies()
    copies.add(5)

    with pytest.raises(IndexError, match=f"copy {copy}; wanted 0 to 0"):
        copies.original(copy)
