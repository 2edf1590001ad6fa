"""The core reads no clock, chance, environment, locale, hash seed or set order."""

from __future__ import annotations

from pathlib import Path

import pytest

import hadron
from tests.purity import findings

ROOT = Path(hadron.__path__[0])
# Where core, streams and connectors meet.
DOORS = {"__main__.py", "archive.py", "cli", "wiring"}
CORE = {
    f"hadron/{path.relative_to(ROOT)}": path.read_text("utf-8")
    for path in sorted(ROOT.rglob("*.py"))
    if path.relative_to(ROOT).parts[0] not in DOORS
}

PLANTED = {
    # a clock
    "import time\nnow = time.time()": "imports time",
    "from time import monotonic": "imports time",
    "def f():\n    import time": "imports time",
    "from datetime import UTC, datetime\nx = datetime.now(UTC)": "now reads a clock",
    "import datetime\nx = datetime.datetime.utcnow()": "utcnow reads a clock",
    "import datetime\nx = datetime.date.today": "today reads a clock",
    # the time zone and the locale of the machine
    "from datetime import datetime\nx = datetime.fromtimestamp(0)": "time zone",
    "from datetime import datetime\ndef f(x: datetime):\n    return x.astimezone()": "time zone",
    "def f(x):\n    return x.strftime('%d %B')": "locale",
    "def f(x):\n    return f'{x:.2n}'": "locale",
    "import locale": "imports locale",
    # chance
    "import random": "imports random",
    "from secrets import token_hex": "imports secrets",
    "import uuid\nx = uuid.uuid4()": "imports uuid",
    "from os import urandom": "imports os",
    # the environment
    "import os\nx = os.environ['HOME']": "imports os",
    "from os import getenv": "imports os",
    "import sys": "imports sys",
    "from importlib.metadata import version": "imports importlib.metadata",
    "x = open('limits.json')": "open() does I/O",
    "x = __import__('time')": "__import__() hides",
    "x = eval('1 + 1')": "eval() hides",
    # the hash seed and addresses
    "def f(key: str) -> int:\n    return hash(key) % 8": "hash() differs",
    "def f(one):\n    return id(one)": "id() differs",
    "f = hash": "hash() differs",
    # decimal's context, which all share
    "import decimal\ndecimal.getcontext().prec = 6": "getcontext",
    "from decimal import setcontext": "setcontext",
    # the order of sets
    "for one in {1, 2}:\n    f(one)": "goes over a set",
    "def f(names: set[str]):\n    return [one for one in names]": "goes over a set",
    "def f(names: frozenset[str] | None):\n    return list(names or ())": "list takes a set",
    "def f(rows):\n    names = {row.name for row in rows}\n    return ''.join(names)": "join takes",
    "def f(a: dict, b: dict):\n    for one in a.keys() - b.keys():\n        yield one": "goes over",
    "class A:\n    x: set[int]\n    def f(self):\n        return {i: 1 for i in self.x}": "over a",
    "def f(self):\n    self.x: set[int] = set()\n    yield from self.x": "yields a set",
    "def f(names: set[str]):\n    return names.pop()": "pops from a set",
    "def f(names: set[str]):\n    first, *rest = names": "unpacks a set",
    "def f(names: set[str]):\n    return [*names]": "unpacks a set",
    "def f(names: set[str]):\n    return f'{names}'": "writes a set",
    "def f(sums: set[float]):\n    return sum(sums)": "sum takes a set",
    "def f(names: set[str], k):\n    return min(names, key=k)": "min takes a set",
    "def f(a, b):\n    both = set(a) & set(b)\n    return tuple(both)": "tuple takes a set",
    "def g() -> set[int]: ...\ndef f():\n    return next(iter(g()))": "iter takes a set",
    "x: dict[str, set[int]] = {}\ndef f(k):\n    for one in x[k]:\n        g(one)": "goes over",
    "x: dict[str, set[int]] = {}\ndef f(k):\n    return list(x.get(k, ()))": "list takes a set",
    "def f(x: set[int]):\n    old, x = x, set()\n    return [one for one in old]": "goes over",
}
HARMLESS = (
    "def f(names: set[str]):\n    return sorted(names)",
    "def f(names: set[str]):\n    return [one for one in sorted(names)]",
    "def f(names: set[str]):\n    return any(one.isupper() for one in names)",
    "def f(names: set[str]):\n    return {one.upper() for one in names}",
    "def f(names: set[str]):\n    return sorted((one, 1) for one in names)",
    "def f(names: set[str], k):\n    return max(names), len(names), k in names",
    "def f(names: set[str]):\n    names = sorted(names)\n    return list(names)",
    "def f(names: set[str]):\n    old, names = sorted(names), set()\n    return list(old)",
    "def f(names: list[str]):\n    return names.pop(), ','.join(names)",
    "def f(a: dict):\n    return list(a.keys())",
    "from hashlib import sha256\ndef hash_of(x: bytes):\n    return sha256(x).digest()",
)


def test_there_is_a_core_to_read() -> None:
    assert len(CORE) > 90


def test_the_core_does_nothing_that_could_differ_between_runs() -> None:
    assert findings(CORE) == []


@pytest.mark.parametrize("planted", PLANTED)
def test_what_is_planted_in_the_core_is_found(planted: str) -> None:
    name = "hadron/market/rules.py"

    found = findings({name: f"{CORE[name]}\n{planted}\n"})

    assert found
    assert all(one.startswith(f"{name}:") for one in found)
    assert PLANTED[planted] in "\n".join(found)


def test_a_set_is_known_in_other_modules_too() -> None:
    sources = {
        "hadron/a.py": "class A:\n    names: frozenset[str]\ndef made() -> set[int]: ...",
        "hadron/b.py": "def f(a):\n    for one in a.names:\n        g(one)\n    list(made())",
    }

    assert [one.partition(" ")[0] for one in findings(sources)] == [
        "hadron/b.py:2:",
        "hadron/b.py:4:",
    ]


@pytest.mark.parametrize("harmless", HARMLESS)
def test_what_cannot_differ_is_left_alone(harmless: str) -> None:
    assert findings({"hadron/market/harmless.py": harmless}) == []
