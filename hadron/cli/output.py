"""Results go to stdout, as tables or as one JSON document; all else goes to stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

# Where nobody watches there is no width to keep to, and a cut-off name is of no use.
_WIDTH_OF_FILES = 200


def show(document: Any, *tables: RenderableType, as_json: bool) -> None:
    """Print a result: the document, or the tables that show the same to people."""
    if as_json:
        text = msgspec.json.format(msgspec.json.encode(_plain(document)), indent=2)
        sys.stdout.write(text.decode() + "\n")
        return
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else _WIDTH_OF_FILES)
    for table in tables:
        console.print(table)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """A table of plain text: nothing in a cell is taken for markup."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    made = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else Text(_text(cell)) for cell in row))
    return made


def say(line: str) -> None:
    """Tell the person at the terminal what goes on."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def _text(cell: object) -> str:
    return "-" if cell is None else str(cell)


def _plain(document: Any) -> Any:
    """What JSON has, with exact numbers as their digits: `1E-8` would be read as a float's."""
    match msgspec.to_builtins(document, builtin_types=(Decimal,)):
        case Decimal() as number:
            return format(number, "f")
        case list() as items:
            return [_plain(item) for item in items]
        case dict() as entries:
            return {name: _plain(entry) for name, entry in entries.items()}
        case other:
            return other
