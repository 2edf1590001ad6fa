"""Which strategy is tried, and whether the code that is here is the version that was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from hadron.cli.backtest.strategies import kinds_of, pairs
from hadron.cli.defaults import PORTFOLIO
from hadron.control.facts import StrategyConfigured
from hadron.errors import ContractError, SettingsError
from hadron.ports import Codec, Reading
from hadron.strategy.registry import KINDS, Deployment, build
from hadron.strategy.strategy import Strategy
from hadron.strategy.versions import Code
from hadron.topics import CONTROL, LIVE
from hadron.wiring.sources import codes_of


class Asked(msgspec.Struct, frozen=True):
    """What the command line says: `text` is NAME or NAME@VERSION."""

    text: str
    kind: str | None
    parameters: Sequence[str]


class Chosen(msgspec.Struct, frozen=True):
    """A strategy as it is to be tried. `is_live`: live has one of that name."""

    deployment: Deployment
    kinds: Mapping[str, type[Strategy]]
    codes: Mapping[str, Code]
    is_live: bool


def chosen(asked: Asked, reader: Reading, codec: Codec) -> Chosen:
    """Live's strategy of that name, with kind and parameters replaced where others are given.

    Raise SettingsError if there is none, or if its version is not the one that was asked for.
    """
    name, at, version = asked.text.partition("@")
    if at and not version:
        raise SettingsError([f"STRATEGY: {asked.text!r}; wanted a version behind the @, or no @"])
    known = _configured(reader, codec)
    live = known.get(name)
    if live is None and asked.kind is None:
        names = ", ".join(sorted(known)) or "none"
        raise SettingsError(
            [f"STRATEGY: {name!r} is not configured; wanted one of live's ({names}), or a --kind"]
        )
    kind, kinds = (live.kind, KINDS) if asked.kind is None and live else kinds_of(asked.kind or "")
    kept = live.parameters if live is not None and live.kind == kind else {}
    wanted = msgspec.structs.replace(
        live or StrategyConfigured("", "", 0, 0, name, kind, True, PORTFOLIO, [], {}),
        kind=kind,
        parameters={**kept, **pairs("--set", asked.parameters)},
    )
    try:
        codes = codes_of({kind: kinds[kind]} if kind in kinds else {})
        deployment = build(wanted, kinds, codes)
    except ContractError as error:
        raise SettingsError([f"STRATEGY: {error}"]) from None
    if not deployment.version.startswith(version):
        raise SettingsError(
            [
                f"STRATEGY: {asked.text!r}; the code and parameters here make it"
                f" {name}@{deployment.version}, wanted {name}@{version}: install that version, or"
                " give its parameters by --set"
            ]
        )
    return Chosen(deployment, kinds, codes, live is not None)


def _configured(reader: Reading, codec: Codec) -> dict[str, StrategyConfigured]:
    """Live's strategies, as the first partition of control has them: it has every change."""
    place = (LIVE.read(CONTROL.name), 0)
    start, end = reader.starts([place])[place], reader.ends([place])[place]
    found: dict[str, StrategyConfigured] = {}
    for record in reader.read(*place, start=start, end=end):
        fact = codec.decode(record.value) if record.value is not None else None
        if isinstance(fact, StrategyConfigured):
            found[fact.name] = fact
    return found
