"""A derived fact is named by its cause: source topic, partition, offset, index."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from hadron.market.facts import QuoteChanged, TradePrinted


class Name(msgspec.Struct, frozen=True, order=True):
    """Processing the same cause again gives the same name, so a repetition is recognised."""

    source: str
    partition: int
    offset: int
    index: int

    def __str__(self) -> str:
        return f"{self.source}/{self.partition}/{self.offset}/{self.index}"


# What is on the log already: by name, the partitions of its topic where a fact lies.
Written = Mapping[Name, Collection[int]]
NOTHING: Written = MappingProxyType({})


class Place(msgspec.Struct, frozen=True, order=True):
    """Where a record lies on the log."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


def name_of(fact: Any) -> Name:
    """The name of any fact that follows from another. Raise AttributeError for the others."""
    if isinstance(fact, TradePrinted | QuoteChanged):
        return Name(f"raw.{fact.venue}", fact.raw_partition, fact.raw_offset, 0)
    return Name(fact.source, fact.partition, fact.offset, fact.index)
