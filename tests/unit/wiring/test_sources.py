"""What a strategy is made of, read from files."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from hadron.errors import SettingsError
from hadron.strategy.registry import KINDS, build
from hadron.strategy.versions import Code
from hadron.wiring.sources import code_of, imports
from hadron.wiring.strategies import installed, resolve
from tests.support import a_strategy

FILES = {
    "house/__init__.py": "",
    "house/follow.py": (
        "from __future__ import annotations\n"
        "from typing import TYPE_CHECKING\n"
        "import numpy\n"
        "from house.averages import average\n"
        "from . import levels\n"
        "if TYPE_CHECKING:\n"
        "    from house import typed\n"
        "class Follow:\n"
        "    models = ('follow.bin',)\n"
        "    def decide(self):\n"
        "        from house import late\n"
        "        return average(late.ONE)\n"
    ),
    "house/averages.py": "import loose\ndef average(one):\n    return loose.SUM\n",
    "house/levels.py": "LEVEL = 1\n",
    "house/late.py": "ONE = 1\n",
    "house/typed.py": "T = 1\n",
    "house/unused.py": "NOTHING = 1\n",
    "loose.py": "SUM = 1\n",
}


class House:
    """Files of a package on the path, imported anew each time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, text in FILES.items():
            self.write(name, text.encode())
        self.write("house/follow.bin", b"weights")

    def write(self, name: str, data: bytes) -> None:
        (self.folder / name).parent.mkdir(exist_ok=True)
        (self.folder / name).write_bytes(data)

    def code(self) -> Code:
        _forget()
        kind: Any = importlib.import_module("house.follow").Follow
        return code_of(kind)


def _forget() -> None:
    importlib.invalidate_caches()
    for name in [name for name in sys.modules if name.partition(".")[0] in ("house", "loose")]:
        del sys.modules[name]


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield House(tmp_path)
    _forget()


def test_its_own_modules_are_taken_as_far_as_they_are_run(house: House) -> None:
    code = house.code()

    assert sorted(code.modules) == [
        *("house", "house.averages", "house.follow", "house.late", "house.levels", "loose")
    ]
    assert code.entry == "house.follow:Follow"
    assert set(code.distributions) == {"hadron-platform", "numpy", "python"}


@pytest.mark.parametrize(
    "name",
    ["house/follow.py", "house/averages.py", "house/late.py", "house/__init__.py", "loose.py"],
)
def test_one_more_line_changes_it(house: House, name: str) -> None:
    before = house.code()

    house.write(name, FILES[name].encode() + b"MORE = 2\n")

    assert house.code() != before


@pytest.mark.parametrize("name", ["house/typed.py", "house/unused.py"])
def test_a_line_that_does_not_run_does_not_change_it(house: House, name: str) -> None:
    before = house.code()

    house.write(name, b"OTHER = 3\n")

    assert house.code() == before


def test_the_bytes_of_a_model_change_it_and_one_that_is_missing_is_named(house: House) -> None:
    before = house.code()
    house.write("house/follow.bin", b"weight5")

    assert house.code().models.keys() == before.models.keys() == {"follow.bin"}
    assert house.code().models != before.models

    (house.folder / "house/follow.bin").unlink()
    with pytest.raises(SettingsError, match=r"model 'follow\.bin' of Follow: .*wanted a file"):
        house.code()


def test_line_endings_and_the_folder_do_not_change_it(
    house: House, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = house.code()
    other = House(tmp_path_factory.mktemp("elsewhere"))
    for name, text in FILES.items():
        other.write(name, text.replace("\n", "\r\n").encode())
    monkeypatch.setattr(sys, "path", [str(other.folder), *sys.path])

    assert other.code() == before


def test_the_versions_of_what_it_imports_are_taken(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hadron.wiring import sources

    before = house.code()
    monkeypatch.setattr(sources, "version", lambda name: "9" if name == "numpy" else "1")

    assert before.distributions["numpy"] != "9" == house.code().distributions["numpy"]


def test_imports_are_found_wherever_they_stand() -> None:
    source = "import a.b\ndef f():\n    from .c import d\n    from .. import e\n"

    assert list(imports(source, "x.y.z")) == ["a.b", "x.y.c", "x.y.c.d", "x", "x.e"]
    assert list(imports("from . import d", "x.y", is_package=True)) == ["x.y", "x.y.d"]


def test_every_strategy_of_the_house_has_its_own_module_among_its_sources() -> None:
    codes: Mapping[str, Code] = installed()

    for name, kind in KINDS.items():
        assert f"class {kind.__name__}(" in codes[name].modules[kind.__module__]
        assert {"hadron.values", "hadron.strategy.strategy"} <= codes[name].modules.keys()


def test_a_name_leads_to_the_version_that_live_stamps() -> None:
    configured = a_strategy(name="mine", parameters={"threshold_bps": "7"})

    found = resolve("mine", {"strategy/mine": configured})

    assert found.version == build(configured, KINDS, installed()).version
    assert found.made_of.parameters["threshold_bps"] == "7"
    with pytest.raises(SettingsError, match="STRATEGY: 'other'; wanted one of mine"):
        resolve("other", {"strategy/mine": configured})
