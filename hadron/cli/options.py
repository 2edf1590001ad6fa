"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Directory = Annotated[
    Path | None,
    typer.Option(
        "--dir", help="Directory of the local stack.", show_default="the user's data directory"
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document, and no tables.")]
