"""What a compiler would change without a word stays Python in the copy that is compiled."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import msgspec
import pytest

from tests.benchmarks.compiling import HOT, parted

TEXT = """
from dataclasses import dataclass
import msgspec
from msgspec import Meta
from typing import Annotated

MOST = 9
UNUSED = 1
Small = Annotated[int, Meta(le=MOST)]
OTHERS = [msgspec.defstruct("Other", [])]

class Kept(msgspec.Struct, array_like=True):
    small: Small

@dataclass(slots=True)
class State:
    at: int = 0

class Fold:
    def encode(self) -> bytes:
        return msgspec.json.encode([Kept(MOST), State(UNUSED)])
"""


def test_classes_that_msgspec_reads_stay_python_and_mean_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, moved = parted(TEXT, "beside_it")
    (tmp_path / "compiled_one.py").write_text(kept)
    (tmp_path / "beside_it.py").write_text(moved)
    monkeypatch.syspath_prepend(tmp_path)

    made = import_module("compiled_one")

    assert made.Fold().encode() == b'[[9],{"at":1}]'
    assert made.Fold.__module__ == "compiled_one"
    assert {one.__module__ for one in (made.Kept, made.State, *made.OTHERS)} == {"beside_it"}
    assert msgspec.json.decode(b"[9]", type=made.Kept).small == 9
    with pytest.raises(msgspec.ValidationError, match="<= 9"):
        msgspec.json.decode(b"[10]", type=made.Kept)
    for name in ("compiled_one", "beside_it"):
        del sys.modules[name]


def test_a_module_without_such_classes_is_left_as_it_is() -> None:
    assert parted("A = 1  # as it was\n", "beside_it") == ("A = 1  # as it was\n", "")


@pytest.mark.parametrize("module", HOT)
def test_no_class_with_keywords_or_decorators_is_left_to_the_compiler(module: str) -> None:
    found = find_spec(module)
    assert found is not None
    assert found.origin is not None
    text = Path(found.origin).read_text("utf-8")

    kept, _ = parted(text, "beside_it")

    assert parted(kept, "again") == (kept, "")
