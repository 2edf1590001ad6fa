"""Files hold records exactly, and appear when they are whole."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.parquet import extra
from connectors.parquet.checking import check
from connectors.parquet.columns import Row, batch_of, rows_of
from connectors.parquet.day import DayFile, last_row, name_of, number_of, rows
from connectors.parquet.manifest import Exported, Manifest, Range, alone, load, save
from hadron.errors import HadronError

maybe_bytes = st.none() | st.binary(max_size=20)
a_row = st.builds(
    Row,
    offset=st.integers(0, 2**62),
    timestamp_ms=st.integers(-1, 2**40),
    timestamp_type=st.sampled_from(["create", "append", "none"]),
    key=maybe_bytes,
    value=maybe_bytes,
    headers=st.lists(st.tuples(st.text(max_size=5), maybe_bytes), max_size=3).map(tuple),
)


@given(st.lists(a_row, max_size=6))
def test_a_row_comes_back_from_its_columns(some: list[Row]) -> None:
    assert list(rows_of(batch_of(some))) == some


def a_file(directory: Path, *offsets: int, day: int = 19_700) -> Manifest:
    file = DayFile(directory, "t", 0, day)
    for offset in offsets:
        file.add(Row(offset, day * 86_400_000, "create", b"k", b"value", ()))
    manifest = Manifest(topics={"t": Exported({}, [Range(offsets[0], offsets[-1] + 1)])})
    manifest.files.append(file.finish())
    save(directory, manifest)
    return manifest


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    file = DayFile(tmp_path, "t", 0, 19_700)
    file.add(Row(0, 1, "create", None, b"v", ()))
    assert list(tmp_path.rglob("*.parquet")) == []

    day = file.finish()

    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [
        "2023-12-09_0-0.parquet"
    ]
    assert list(rows(tmp_path / day.path)) == [last_row(tmp_path / day.path)]


def test_a_manifest_that_was_changed_is_found(tmp_path: Path) -> None:
    manifest = a_file(tmp_path, 3, 4, 5)
    assert check(tmp_path)[1] == []
    path = tmp_path / "manifest.json"

    path.write_text(path.read_text().replace('"records": 3', '"records": 2'))

    problems = [finding.problem for finding in check(tmp_path)[1]]
    assert "records is '3', the manifest has 2" in problems
    assert manifest.of("t", 0)[0].records == 3


def test_a_file_that_the_manifest_has_twice_is_found(tmp_path: Path) -> None:
    manifest = a_file(tmp_path, 3, 4, 5)
    manifest.files *= 2
    save(tmp_path, manifest)

    [finding] = check(tmp_path)[1]

    assert finding.problem.startswith("does not come after t/0/2023-12-09_3-5.parquet")


def test_days_are_counted_from_the_epoch() -> None:
    assert (name_of(0), name_of(19_700)) == ("1970-01-01", "2023-12-09")
    assert number_of("2023-12-09") == 19_700


def test_one_export_at_a_time_writes_to_a_directory(tmp_path: Path) -> None:
    with alone(tmp_path), pytest.raises(HadronError, match="another export"), alone(tmp_path):
        pass


def test_a_directory_without_a_manifest_is_no_export(tmp_path: Path) -> None:
    with pytest.raises(HadronError, match=r"is no export: it has no manifest\.json"):
        load(tmp_path)


def test_a_missing_pyarrow_names_the_extra() -> None:
    with pytest.raises(HadronError, match=r"install hadron-platform\[arrow\]"):
        extra.demand("no_such_pyarrow")
