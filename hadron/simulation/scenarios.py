"""Bad days to test strategies on: generated markets to which something happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from hadron.errors import SettingsError
from hadron.market.facts import RawReceived
from hadron.reference.instruments import derived_id
from hadron.simulation.market import CENTS, Draw, market
from hadron.simulation.played import Played
from hadron.venues.massive import elements

MS = 1_000_000
VENUE = "massive"
BEGINS, ENDS = 0.4, 0.6  # of the whole: the part in which it happens
GAP_BPS = 500
CRASH_BPS = 1_500
LATE_MS = 30_000


class Event(msgspec.Struct):
    """One quote or trade, prices in cents: a trade has the same on both sides."""

    symbol: str
    trade: bool
    at_ms: int
    late_ms: int  # from the venue to us
    connection: int
    bid: int
    bid_size: int
    ask: int
    ask_size: int
    sequence: int
    exchange: int

    def move(self, bps: int) -> None:
        """Raise both prices by so much."""
        self.bid += self.bid * bps // 10_000
        self.ask += self.ask * bps // 10_000


# Changes an event at a share of the whole time, or drops it by returning False.
Effect = Callable[[Event, float], bool]


def scenario(
    name: str, draw: Draw, *, symbols: Sequence[str], start_ms: int, seconds: int, rate: float
) -> Iterator[RawReceived]:
    """Raw events of a generated market of `rate` events a second to which `name` happens.

    The same draws give the same bytes. Raise SettingsError for a name that is not known.
    """
    effect = SCENARIOS.get(name)
    if effect is None:
        raise SettingsError([f"--scenario: {name!r}; wanted one of {', '.join(SCENARIOS)}"])
    return _events(effect, market(symbols, draw, start_ms=start_ms, events_per_s=rate), seconds)


def _events(effect: Effect, played: Iterator[Played], seconds: int) -> Iterator[RawReceived]:
    begun_ms: int | None = None
    for frame, one in enumerate(played):
        begun_ms = one.at_ms if begun_ms is None else begun_ms
        share = (one.at_ms - begun_ms) / 1000 / seconds
        if share > 1:
            return
        event = _read(one)
        if effect(event, share):
            yield _raw(event, frame)


def _calm(event: Event, share: float) -> bool:
    return True


def _gap(event: Event, share: float) -> bool:
    """The feed is cut off; when it is back, the price is elsewhere."""
    if share >= ENDS:
        event.connection = 2
        event.move(-GAP_BPS)
    return not BEGINS <= share < ENDS


def _halt(event: Event, share: float) -> bool:
    """Trading stops: one quote without orders, then nothing, then a wide reopening."""
    if BEGINS <= share < ENDS:
        event.bid = event.ask = event.bid_size = event.ask_size = 0
        return not event.trade and share < BEGINS + 0.01
    if ENDS <= share < ENDS + 0.05 and not event.trade:
        event.bid, event.ask = event.bid * 99 // 100, event.ask * 101 // 100
    return True


def _flash_crash(event: Event, share: float) -> bool:
    """Down by 15 % and back, thin and wide."""
    if BEGINS <= share < ENDS:
        middle = (BEGINS + ENDS) / 2
        depth = 1 - abs(share - middle) / (ENDS - middle)
        event.move(-int(CRASH_BPS * depth))
        if not event.trade:
            event.bid -= int(20 * depth)
            event.ask += int(20 * depth)
            event.bid_size = event.ask_size = 100
    return True


def _stale_feed(event: Event, share: float) -> bool:
    """The venue's events reach us half a minute late."""
    if BEGINS <= share < ENDS:
        event.late_ms = LATE_MS
    return True


def _crossed_market(event: Event, share: float) -> bool:
    """Bids above asks."""
    if BEGINS <= share < ENDS and not event.trade:
        event.bid, event.ask = event.ask + 2, event.bid
    return True


SCENARIOS: Mapping[str, Effect] = {
    "calm": _calm,
    "gap": _gap,
    "halt": _halt,
    "flash-crash": _flash_crash,
    "stale-feed": _stale_feed,
    "crossed-market": _crossed_market,
}


def _read(played: Played) -> Event:
    found: dict[str, Any] = msgspec.json.decode(played.element)
    trade = found["ev"] == "T"
    bid, ask = (found["p"], found["p"]) if trade else (found["bp"], found["ap"])
    bid_size, ask_size = (found["s"], found["s"]) if trade else (found["bs"], found["as"])
    return Event(
        symbol=played.symbol,
        trade=trade,
        at_ms=played.at_ms,
        late_ms=0,
        connection=1,
        bid=round(bid * CENTS),
        bid_size=bid_size,
        ask=round(ask * CENTS),
        ask_size=ask_size,
        sequence=found["q"],
        exchange=found["x"] if trade else found["bx"],
    )


def _raw(event: Event, frame: int) -> RawReceived:
    shared: dict[str, Any] = {
        "at_ms": event.at_ms,
        "sequence": event.sequence,
        "exchange": event.exchange,
    }
    if event.trade:
        element = elements.trade(event.symbol, _text(event.bid), event.bid_size, **shared)
    else:
        bid = (_text(event.bid), event.bid_size) if event.bid else None
        ask = (_text(event.ask), event.ask_size) if event.ask else None
        element = elements.quote(event.symbol, bid, ask, **shared)
    return RawReceived(
        VENUE,
        event.symbol,
        derived_id(VENUE, event.symbol),
        event.connection,
        frame,
        0,
        (event.at_ms + event.late_ms) * MS,
        element,
    )


def _text(cents: int) -> str:
    return f"{cents // CENTS}.{cents % CENTS:02d}"
