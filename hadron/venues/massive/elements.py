"""Massive's events as its server writes them; prices come as text, so that they stay exact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

# Letters of the participants (CTA and UTP plans) to Massive's exchange ids
# (`/v3/reference/exchanges`).
EXCHANGES: Mapping[str, int] = {
    "A": 1,
    "B": 2,
    "C": 3,
    "D": 4,
    "I": 6,
    "J": 7,
    "K": 8,
    "M": 9,
    "N": 10,
    "P": 11,
    "Q": 12,
    "T": 12,
    "S": 13,
    "L": 14,
    "V": 15,
    "W": 16,
    "X": 17,
    "Y": 18,
    "Z": 19,
    "H": 20,
    "U": 21,
}


def trade(
    symbol: str,
    price: str,
    size: int,
    *,
    at_ms: int,
    sequence: int,
    exchange: int,
    conditions: Sequence[int] = (),
) -> bytes:
    """A `T` event. Without conditions it has no `c`, as at the venue."""
    marks = f'"c":[{",".join(map(str, conditions))}],' if conditions else ""
    return (
        f'{{"ev":"T","sym":"{symbol}","x":{exchange},"i":"{sequence}","z":1,"p":{price},'
        f'"s":{size},{marks}"t":{at_ms},"q":{sequence}}}'
    ).encode()


def quote(
    symbol: str,
    bid: tuple[str, int] | None,
    ask: tuple[str, int] | None,
    *,
    at_ms: int,
    sequence: int,
    exchange: int,
    condition: int = 0,
) -> bytes:
    """A `Q` event of (price, size) pairs; a side that is None is not in it."""
    lower = f'"bx":{exchange},"bp":{bid[0]},"bs":{bid[1]},' if bid else ""
    upper = f'"ax":{exchange},"ap":{ask[0]},"as":{ask[1]},' if ask else ""
    return (
        f'{{"ev":"Q","sym":"{symbol}",{lower}{upper}"c":{condition},"t":{at_ms},"q":{sequence},"z":1}}'
    ).encode()
