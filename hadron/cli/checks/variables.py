"""The environment: settings that are wrong, misspelt or missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from hadron.cli.checks.finding import Finding, error, listed, note, sound, warning
from hadron.errors import SettingsError
from hadron.settings import Settings
from hadron.variables import PREFIX, variable

# How alike a name must be to be a slip: HADRON_DATABASE_PORT, as Kubernetes makes, is none.
_ALIKE = 0.8


def problems(found: SettingsError) -> list[Finding]:
    """One finding for each setting that is wrong."""
    return [
        error("settings", line, wanted="a valid value", remedy=f"correct {line.partition(':')[0]}")
        for line in found.problems
    ]


def unknown(environ: Mapping[str, str]) -> Finding:
    """Variables that look like ours and that nobody reads."""
    known = [variable(name) for name in Settings.__dataclass_fields__]
    strange = sorted(name for name in environ if name.startswith(PREFIX) and name not in known)
    slips = {name: near for name in strange if (near := _nearest(name, known))}
    wanted = "variables that Hadron reads"
    if slips:
        meant = listed(f"rename {name} to {near}" for name, near in slips.items())
        return error("variables", f"unknown: {listed(strange)}", wanted=wanted, remedy=meant)
    if strange:
        remedy = "unset them, if they are meant for Hadron: they have no effect"
        return warning("variables", f"unknown: {listed(strange)}", wanted=wanted, remedy=remedy)
    return sound("variables", "all known")


def massive_key(settings: Settings) -> Finding:
    """The feed of Massive needs a key; all else works without."""
    if settings.massive_key is None:
        name = variable("massive_key")
        return note(
            "massive key",
            f"{name} is not set",
            wanted="a key, if the feed of Massive is to run",
            remedy=f"set {name}, or use `hadron run feed --venue coinbase`, which needs no key",
        )
    return sound("massive key", "set")


def _nearest(name: str, known: Sequence[str]) -> str | None:
    # Without the prefix that they share, or all names would be alike.
    ours = {other.removeprefix(PREFIX): other for other in known}
    near = get_close_matches(name.removeprefix(PREFIX), list(ours), n=1, cutoff=_ALIKE)
    return ours[near[0]] if near else None
