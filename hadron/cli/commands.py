"""The commands of `hadron`, imported as they are asked for: none waits for those of others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import typer
from typer.main import get_command

# Where each is: a function, or a Typer that has more of them.
PLACES = {
    "demo": "hadron.cli.demo.command.demo",
    "up": "hadron.cli.stack.up",
    "down": "hadron.cli.stack.down",
    "status": "hadron.cli.status.status",
    "doctor": "hadron.cli.doctor.doctor",
    "run": "hadron.cli.run.run",
    "migrate": "hadron.cli.migrate.migrate",
    "rebuild": "hadron.cli.rebuild.rebuild",
    "verify": "hadron.cli.verify.command.verify",
    "prove": "hadron.cli.verify.proofs.prove",
    "verify-proof": "hadron.cli.verify.proofs.verify_proof",
    "replay": "hadron.cli.replay.command.replay",
    "counterfactual": "hadron.cli.whatif.counterfactual.counterfactual",
    "shadow": "hadron.cli.whatif.shadow.shadow",
    "record": "hadron.cli.diff.command.record",
    "diff": "hadron.cli.diff.command.diff",
    "explain": "hadron.cli.explain.command.explain",
    "version": "hadron.cli.version.version",
    "topics": "hadron.cli.topics.app",
    "query": "hadron.cli.query.app",
    "control": "hadron.cli.control.app",
    "strategy": "hadron.cli.versions.app",
    "keys": "hadron.cli.keys.app",
    "archive": "hadron.cli.archive.app",
    "storage": "hadron.cli.storage.app",
    "subjects": "hadron.cli.subjects.app",
    "backtest": "hadron.cli.backtest.group.app",
}


class Commands(Mapping[str, Any]):
    """Click commands by name, in the order of the help."""

    def __init__(self) -> None:
        self._known: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._known:
            self._known[name] = _command(name, PLACES[name])
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(PLACES)

    def __len__(self) -> int:
        return len(PLACES)

    def __contains__(self, name: object) -> bool:
        return name in PLACES


def _command(name: str, place: str) -> Any:
    module, _, attribute = place.rpartition(".")
    found = getattr(import_module(module), attribute)
    # A command or a group is only what it is within another group.
    around = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode="rich")
    around.callback()(lambda: None)
    if isinstance(found, typer.Typer):
        around.add_typer(found, name=name)
    else:
        around.command(name)(found)
    whole: Any = get_command(around)
    return whole.commands[name]
