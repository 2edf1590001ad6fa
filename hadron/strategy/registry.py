"""Which kinds of strategy there are, and how a configuration becomes a running one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import msgspec

from hadron.control.facts import StrategyConfigured
from hadron.errors import ContractError, ImpossibleTransition
from hadron.strategy.crossover import Crossover
from hadron.strategy.sma import SimpleSMA
from hadron.strategy.sma_cross import SMACross
from hadron.strategy.strategy import Strategy
from hadron.strategy.versions import UNREAD, Code, deployed

_encode = msgspec.msgpack.Encoder(order="deterministic").encode
KINDS: Mapping[str, type[Strategy]] = {
    "SimpleSMA": SimpleSMA,
    "Crossover": Crossover,
    "SMACross": SMACross,
}
NO_CODES: Mapping[str, Code] = {}


class Deployment:
    """One strategy as it was configured.

    `version` names all that it is made of and stands on its decisions. `edition` is what its states
    belong to: what its class calls its version, and all parameters. So new code goes on with the
    states of the code before, unless its class says otherwise.
    """

    def __init__(
        self,
        configured: StrategyConfigured,
        kind: type[Strategy],
        parameters: msgspec.Struct,
        *,
        code: Code,
    ) -> None:
        self.configured = configured
        self.name = configured.name
        self.accepts = kind.accepts
        self.hears_quotes = getattr(kind, "on_quote", Strategy.on_quote) is not Strategy.on_quote
        self.edition = f"{kind.version}-{_digest(configured.kind, parameters)}"
        self.made_of = deployed(configured.kind, parameters, code, at_ns=configured.at_ns)
        self.version = self.made_of.version
        self._kind = kind
        self._parameters = parameters
        self._state = msgspec.msgpack.Decoder(kind.State)
        self._instruments = frozenset(configured.instruments)

    def runs_on(self, instrument: str) -> bool:
        """Whether it is switched on for an instrument."""
        return self.configured.enabled and (
            not self._instruments or instrument in self._instruments
        )

    def start(self) -> Strategy:
        """The strategy on an instrument that it never saw."""
        return self._kind(self._parameters, self._kind.State())

    def resume(self, state: bytes) -> Strategy:
        """The strategy on an instrument as `saved` left it, by the same edition.

        Raise ImpossibleTransition if the state is not one of this edition's.
        """
        try:
            return self._kind(self._parameters, self._state.decode(state))
        except msgspec.DecodeError as error:
            raise ImpossibleTransition(
                f"strategy {self.name!r} {self.edition}: its stored state cannot be read: {error}"
            ) from error

    def saved(self, strategy: Strategy) -> bytes:
        """What `resume` needs of a strategy. Raise ImpossibleTransition if it cannot be written."""
        try:
            return _encode(strategy.state)
        except (TypeError, ValueError, OverflowError) as error:
            raise ImpossibleTransition(
                f"strategy {self.name!r} {self.edition}: its state cannot be written: {error}"
            ) from error


def build(
    configured: StrategyConfigured,
    kinds: Mapping[str, type[Strategy]] = KINDS,
    codes: Mapping[str, Code] = NO_CODES,
) -> Deployment:
    """Raise ContractError naming the kind or the parameter that is wrong.

    Without the code of a kind the version is one of its parameters alone.
    """
    kind = kinds.get(configured.kind)
    if kind is None:
        raise ContractError(
            f"strategy {configured.name!r}: kind is {configured.kind!r};"
            f" wanted one of {sorted(kinds)}"
        )
    try:
        parameters = msgspec.convert(configured.parameters, kind.Parameters, strict=False)
    except msgspec.ValidationError as error:
        raise ContractError(
            f"strategy {configured.name!r} ({configured.kind}): {_sentence(configured, error)}"
        ) from error
    code = codes.get(configured.kind, UNREAD)
    deployment = Deployment(configured, kind, parameters, code=code)
    _try(deployment)
    return deployment


def _try(deployment: Deployment) -> None:
    """Start it once, so that no tick meets a strategy that cannot be made or stored."""
    try:
        deployment.resume(deployment.saved(deployment.start()))
    except MemoryError:
        raise
    except Exception as error:  # a user's code raises whatever it likes
        kind = type(error).__name__
        raise ContractError(
            f"strategy {deployment.name!r} cannot be started: {kind}: {error}"
        ) from error


def _sentence(configured: StrategyConfigured, error: msgspec.ValidationError) -> str:
    problem, _, name = str(error).partition(" - at `$.")
    name = name.rstrip("`")
    if not name:
        return problem
    wanted = problem[0].lower() + problem[1:]
    return f"parameter {name} is {configured.parameters.get(name)!r}; {wanted}"


def _digest(kind: str, parameters: msgspec.Struct) -> str:
    """Twelve hex digits of the SHA-256 of the kind and of all parameters, defaults included."""
    text = msgspec.json.encode([kind, parameters], order="deterministic")
    return hashlib.sha256(text).hexdigest()[:12]
