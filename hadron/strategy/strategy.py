"""What a strategy is: write a class like this, and the engine runs it on every instrument."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar, Protocol, get_args

import msgspec

from hadron.errors import ContractError
from hadron.market.facts import Quality, QuoteChanged, TradePrinted
from hadron.strategy.facts import Side
from hadron.values import parts

# Ticks in the order of their time and not flagged. Who wants others must say so.
IN_ORDER: frozenset[Quality] = frozenset({"live", "gap", "stale"})
SIDES: tuple[Side, ...] = get_args(Side)


def check_quantity(quantity: Decimal) -> None:
    """Raise ValueError if it is not above 0, or too long to be written exactly."""
    try:
        parts(quantity)
    except ContractError as error:
        raise ValueError(f"quantity: {error}") from None
    if quantity <= 0:
        raise ValueError(f"quantity is {quantity}; wanted more than 0")


class Book(Protocol):
    """The last real prices of the instrument, the present tick's included; None if none is known.

    Each side stands alone: bid and ask may come from different quotes.
    """

    @property
    def bid(self) -> Decimal | None: ...

    @property
    def ask(self) -> Decimal | None: ...

    @property
    def last(self) -> Decimal | None: ...


class Signal(msgspec.Struct, frozen=True):
    """A wish to trade, and the numbers that led to it, as exact text.

    Raises ValueError or ContractError if it could not be written to the log.
    """

    side: Side
    quantity: Decimal
    confidence: Decimal  # 0 to 1
    limit_price: Decimal | None = None  # None: at the market
    evidence: dict[str, str] = {}
    metadata: dict[str, str] = {}

    def __post_init__(self) -> None:
        if self.side not in SIDES:
            raise ValueError(f"side is {self.side!r}; wanted one of {SIDES}")
        check_quantity(self.quantity)
        for number in (self.confidence, self.limit_price):
            if number is not None:
                parts(number)
        if not 0 <= self.confidence <= 1:
            raise ValueError(f"confidence is {self.confidence}; wanted 0 to 1")
        if self.limit_price is not None and self.limit_price <= 0:
            raise ValueError(f"limit_price is {self.limit_price}; wanted more than 0, or None")
        for texts in (self.evidence, self.metadata):
            if not all(type(text) is str for pair in texts.items() for text in pair):
                raise ValueError("evidence and metadata are text by text")


class Strategy(Protocol):
    """One strategy on one instrument.

    The engine makes an object for each instrument and gives it a State of its own, so instruments
    cannot mix. `state` is all that outlives a crash: keep nothing else that a tick can change.
    Read no clock and draw no chance: the same ticks must give the same signals. A strategy that
    raises is quarantined on that instrument until it is configured again.
    """

    version: ClassVar[str]  # raise it when the rules or the State change; states begin anew
    models: ClassVar[tuple[str, ...]] = ()  # files beside the module that it reads, if any
    accepts: ClassVar[frozenset[Quality]] = IN_ORDER  # ticks of other qualities are not shown
    Parameters: ClassVar[type[msgspec.Struct]]  # frozen, with forbid_unknown_fields
    State: ClassVar[type[Any]]  # State() is an instrument never seen; any type msgspec can write

    state: Any

    def __init__(self, parameters: Any, state: Any) -> None:
        """Keep both; `state` as self.state."""

    def on_trade(self, trade: TradePrinted, book: Book) -> Signal | None:
        """Take a trade. Return a signal, or None for none."""

    def on_quote(self, quote: QuoteChanged, book: Book) -> Signal | None:
        """Take a quote. Leave it out, and quotes cost nothing."""
        return None
