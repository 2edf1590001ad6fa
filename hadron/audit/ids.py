"""The ids that people meet, and what each of them names."""

from __future__ import annotations

import re

import msgspec

from hadron.audit.names import Name, Place

FORMS = (
    "h-intents-0-3 (client order id)",
    "decisions/0/5/0 (verdict id, or any fact's name: topic/partition/offset/index of its cause)",
    "orders/0/3 (topic/partition/offset of any fact)",
)
_PLACED = re.compile(r"(?P<topic>[\w.-]+)/(?P<partition>\d+)/(?P<offset>\d+)(/(?P<index>\d+))?")
_ORDER = re.compile(r"[\w.:-]+")


class OrderId(msgspec.Struct, frozen=True):
    """The id that we gave an order."""

    order: str

    def __str__(self) -> str:
        return self.order


Id = Place | Name | OrderId


def read(text: str) -> Id:
    """What an id names. Raise ValueError, with the forms there are, for what has none of them."""
    placed = _PLACED.fullmatch(text)
    if placed is None:
        if _ORDER.fullmatch(text):
            return OrderId(text)
        raise ValueError(f"{text!r} is no id; wanted {accepted()}")
    topic, partition, offset = placed["topic"], int(placed["partition"]), int(placed["offset"])
    if placed["index"] is None:
        return Place(topic, partition, offset)
    return Name(topic, partition, offset, int(placed["index"]))


def accepted() -> str:
    """The forms, for people."""
    return ", ".join(FORMS[:-1]) + f" or {FORMS[-1]}"
