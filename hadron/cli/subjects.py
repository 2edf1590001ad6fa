"""`hadron subjects`: people whose names are sealed on the log, and how they are forgotten."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import msgspec
import typer

from hadron.audit.sensitive import opened, sealed, sensitive_fields
from hadron.cli import options, output
from hadron.cli.environment import settings_of
from hadron.contracts import contract_name
from hadron.errors import HadronError, SettingsError
from hadron.variables import variable

if TYPE_CHECKING:
    from connectors.sealing import Seals
    from hadron.settings import Settings

F = TypeVar("F", bound=msgspec.Struct)

app = typer.Typer(
    help="Whose names are sealed on the log; forget one for good.", no_args_is_help=True
)


class Subjects:
    """Hides and shows the sensitive fields of facts; without keys they stay as they are."""

    def __init__(self, seals: Seals | None) -> None:
        self._seals = seals

    def hidden(self, fact: F) -> F:
        """The fact as it is to be written."""
        if self._seals is None:
            return fact
        return sealed(fact, _sensitive(type(fact)), self._seals.seal)

    def shown(self, fact: F) -> F:
        """The fact for people to read: `(redacted)` where a key is gone."""
        if self._seals is None:
            return fact
        return opened(fact, _sensitive(type(fact)), self._seals.open)


def subjects_of(settings: Settings) -> Subjects:
    """The subjects whose keys are where the settings say."""
    return Subjects(_seals(settings) if settings.subject_keys else None)


@app.command("list")
def list_(
    context: typer.Context, directory: options.Directory = None, json: options.Json = False
) -> None:
    """Show those whose keys are here."""
    names = _seals(settings_of(context, directory)).subjects()
    output.show(
        {"subjects": names}, output.table("", ("subject",), [(n,) for n in names]), as_json=json
    )


@app.command()
def forget(
    context: typer.Context,
    subject: Annotated[str, typer.Argument(help="Whose name; as in `hadron subjects list`.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    directory: options.Directory = None,
    json: options.Json = False,
) -> None:
    """Destroy a key: all that it sealed is unreadable from then on, wherever it lies.

    Rows, chains and proofs stay as they are, and still verify.
    """
    seals = _seals(settings_of(context, directory))
    if subject not in seals.subjects():
        raise HadronError(
            f"no key of {subject!r} here; `hadron subjects list` shows those there are"
        )
    if not yes:
        typer.confirm(f"Forget {subject!r}? This cannot be undone", abort=True, err=True)
    seals.forget(subject)
    output.show({"forgotten": subject}, f"{subject} is forgotten", as_json=json)


def _seals(settings: Settings) -> Seals:
    from connectors.sealing import Seals

    if not settings.subject_keys:
        wanted = "the folder of the subjects' keys"
        raise SettingsError([f"{variable('subject_keys')}: is not set; wanted {wanted}"])
    return Seals(Path(settings.subject_keys))


@cache
def _sensitive(kind: type[Any]) -> dict[str, str]:
    import schemas

    return dict(sensitive_fields(schemas.load(contract_name(kind))))
