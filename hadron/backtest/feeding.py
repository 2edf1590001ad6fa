"""Events of any source as the batches of a backtest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from typing import Any

from hadron.backtest.batches import Batch, Controls, Placed, Raws, Ticks, ticks_at
from hadron.control.facts import (
    LimitsChanged,
    RulesChanged,
    StrategyConfigured,
    TradingHalted,
    TradingResumed,
)
from hadron.errors import ContractError
from hadron.fold import Received
from hadron.market.facts import QuoteChanged, RawReceived, TradePrinted
from hadron.partitions import partition_of
from hadron.ports import Codec, Record
from hadron.reference.instruments import derived_id
from hadron.simulation.played import Played
from hadron.topics import RAW

SIZE = 4_096  # events of a batch
MS = 1_000_000
CONTROLS = (LimitsChanged, RulesChanged, StrategyConfigured, TradingHalted, TradingResumed)


def recorded(events: Iterable[Played]) -> Iterator[RawReceived]:
    """Events of Massive as its feed would have recorded them, each received when it happened."""
    for frame, (at_ms, topic, element) in enumerate(events):
        symbol = topic.partition(".")[2]
        instrument = derived_id("massive", symbol)
        yield RawReceived("massive", symbol, instrument, 1, frame, 0, at_ms * MS, element)


def appended(events: Iterable[RawReceived], *, partitions: int) -> Iterator[Raws]:
    """Raw events at the places that they would have on an empty log."""
    ends: Counter[tuple[str, int]] = Counter()
    events = iter(events)
    while some := list(islice(events, SIZE)):
        placed = []
        for raw in some:
            place = RAW[raw.venue].name, partition_of(raw.instrument, partitions)
            placed.append(Placed(*place, Received(ends[place], raw)))
            ends[place] += 1
        yield Raws(placed)


def decoded(records: Iterable[Record], codec: Codec) -> Iterator[Batch]:
    """Records of raw.*, ticks.* and control, by their logical topics, as batches in their order.

    Raise ContractError naming the place of one that cannot be read.
    """
    records = iter(records)
    while some := list(islice(records, SIZE)):
        facts = _decoded([record for record in some if record.value is not None], codec)
        for kind, found in groupby(facts, key=_kind):
            yield _batch(kind, list(found))


def _decoded(records: Sequence[Record], codec: Codec) -> list[Placed]:
    values = [record.value or b"" for record in records]
    try:
        facts = codec.decode_many(values)
    except ContractError:
        facts = [_one(record, codec) for record in records]
    return [
        Placed(record.topic, record.partition, Received(record.offset, fact))
        for record, fact in zip(records, facts, strict=True)
    ]


def _one(record: Record, codec: Codec) -> Any:
    try:
        return codec.decode(record.value or b"")
    except ContractError as error:
        place = f"{record.topic}/{record.partition}/{record.offset}"
        raise ContractError(f"{place}: {error}", record=error.record) from error


def _kind(placed: Placed) -> type[Batch]:
    fact = placed.received.fact
    if isinstance(fact, TradePrinted | QuoteChanged):
        return Ticks
    if isinstance(fact, RawReceived):
        return Raws
    if isinstance(fact, CONTROLS):
        return Controls
    raise ContractError(
        f"{placed.topic}: {type(fact).__name__} is not what a backtest is fed; wanted raw events,"
        " ticks or control"
    )


def _batch(kind: type[Batch], placed: Sequence[Placed]) -> Batch:
    if kind is Raws:
        return Raws(placed)
    facts = [one.received.fact for one in placed]
    if kind is Ticks:
        return ticks_at(facts, [one.received.offset for one in placed])
    return Controls(facts)
