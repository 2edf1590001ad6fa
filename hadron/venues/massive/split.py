"""A frame of Massive into its elements, their bytes untouched."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Raw, Struct

from hadron.venues.protocol import UNREADABLE, Element


class Status(Struct, frozen=True):
    """What the venue says about the session."""

    status: str = ""
    message: str = ""


class _Head(Struct, gc=False):
    ev: str = ""
    sym: str = ""
    T: str = ""  # where LULD, NOI and V have their ticker


_elements = msgspec.json.Decoder(list[Raw]).decode
_head = msgspec.json.Decoder(_Head).decode
_status = msgspec.json.Decoder(Status).decode
_CANNOT_READ = (msgspec.MsgspecError, UnicodeDecodeError)


def split(frame: bytes) -> tuple[Sequence[Element], Sequence[Status]]:
    """The events and the statuses of a frame, each in their order.

    What cannot be read becomes an element of the symbol UNREADABLE: the whole frame, if it is no
    array.
    """
    try:
        parts = _elements(frame)
    except _CANNOT_READ:
        return [Element(UNREADABLE, frame, 0)], ()
    events: list[Element] = []
    statuses: list[Status] = []
    for index, part in enumerate(parts):
        payload = bytes(part)
        try:
            head = _head(payload)
            if head.ev == "status":
                statuses.append(_status(payload))
                continue
            symbol = head.sym or head.T or UNREADABLE
        except _CANNOT_READ:
            symbol = UNREADABLE
        events.append(Element(symbol, payload, index))
    return events, statuses
