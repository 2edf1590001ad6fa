"""A small day on the log, stored as the archive would store it: what queries are asked about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from msgspec.structs import replace
from psycopg_pool import ConnectionPool

from connectors.timescale import schema
from connectors.timescale.archiving.batch import Batch
from connectors.timescale.archiving.intake import Intake
from connectors.timescale.archiving.store import Store
from hadron import topics
from tests.integration.archiving import Counts
from tests.integration.every_fact import (
    a_cleared_alert,
    a_dismissal,
    a_rejected_intent,
    a_rejected_order,
    an_alert,
)
from tests.support import (
    T0_NS,
    a_decision,
    a_fill,
    a_position,
    a_quote,
    a_raw,
    a_trade,
    an_approved_intent,
    codec,
)

SECOND_NS = 10**9
# eq:AAPL ticks each second, eq:MSFT twice, eleven seconds apart.
APPLE = range(6)


class Message(NamedTuple):
    """A record as confluent-kafka hands it over, as far as the archive looks at it."""

    place: tuple[str, int, int]
    content: bytes

    def topic(self) -> str:
        return self.place[0]

    def partition(self) -> int:
        return self.place[1]

    def offset(self) -> int:
        return self.place[2]

    def value(self) -> bytes:
        return self.content

    def key(self) -> bytes:
        return b"key"

    def timestamp(self) -> tuple[int, int]:
        return 1, T0_NS // 1_000_000


def store(url: str, records: Mapping[str, Sequence[Any]]) -> None:
    """Migrate and write facts, each topic's at offsets 0, 1, ... of its partition 0."""
    schema.migrate(url)
    places = [(name, 0) for name in records]
    catalogue = {topic.name: topic for topic in topics.sink_topics() if topic.name in records}
    with ConnectionPool(url, min_size=1, max_size=1) as pool:
        target = Store(pool, codec())
        target.begin(dict.fromkeys(places, 0))
        batch = Batch()
        intake = Intake(catalogue, codec=codec(), telemetry=Counts())
        intake.take(list(_messages(records)), batch, dict.fromkeys(places, 0))
        batch.next = {place: len(records[place[0]]) for place in places}
        target.write(batch)


def _messages(records: Mapping[str, Sequence[Any]]) -> Iterable[Message]:
    for topic, facts in records.items():
        for offset, fact in enumerate(facts):
            yield Message((topic, 0, offset), codec().encode(fact))


def at_ns(second: int) -> int:
    """A time of the day."""
    return T0_NS + second * SECOND_NS


def facts() -> dict[str, tuple[Any, ...]]:
    """By topic.

    Decisions 0 to 4 are dismissed, rejected, filled 4 cents dearer, rejected by the venue, and
    filled for a cent more than the bid; the fifth is approved and in flight.
    """
    return {
        "ticks.warm": _ticks(),
        "decisions": _decisions(),
        "intents": _intents(),
        "orders": _orders(),
        "positions": _positions(),
        "alerts": _alerts(),
    }


def frames() -> tuple[Any, ...]:
    """The raw events of the ticks of eq:AAPL."""
    return tuple(
        a_raw(
            f'{{"ev":"T","sym":"AAPL","x":4,"i":"{n}","z":3,"p":100.0{n},"s":100,'
            f'"t":{at_ns(n) // 1_000_000},"q":{n + 1}}}'.encode(),
            frame=n,
            seen_ns=at_ns(n) + (n + 1) * 1_000_000,
        )
        for n in APPLE
    )


def _ticks() -> tuple[Any, ...]:
    apple = [
        a_trade(
            f"100.0{n}",
            at_ns=at_ns(n),
            seen_ns=at_ns(n) + (n + 1) * 1_000_000,
            raw_offset=n,
            sequence=n + 1,
            quality="gap" if n == 4 else "live",
        )
        for n in APPLE
    ]
    microsoft = [
        a_quote(
            instrument="eq:MSFT",
            at_ns=at_ns(second),
            seen_ns=at_ns(second) + 2_000_000,
            raw_offset=100 + second,
            quality=quality,
        )
        for second, quality in ((0, "late"), (11, "gap"))
    ]
    return (*apple, *microsoft)


def _decisions() -> tuple[Any, ...]:
    made = [
        a_decision(
            offset=n,
            raw_offset=n,
            at_ns=at_ns(n),
            seen_ns=at_ns(n) + 1,
            evidence={"sma": f"100.0{n}"},
        )
        for n in APPLE
    ]
    made[4] = replace(made[4], side="sell", strategy="cross")
    made[0] = replace(made[0], quantity=Decimal(0))
    return tuple(made)


def _intents() -> tuple[Any, ...]:
    said: list[Any] = [
        a_dismissal(source="decisions", at_ns=at_ns(0), reason="quantity is not above zero")
    ]
    limits = {"notional": "10001 of 100000", "position": "0+100 of 500"}
    for n in APPLE[1:]:
        named = {"source": "decisions", "offset": n, "at_ns": at_ns(n), "limits": limits}
        make = a_rejected_intent if n == 1 else an_approved_intent
        intent = make(**named, verdict=f"decisions/0/{n}/0")
        said.append(replace(intent, side="sell", strategy="cross") if n == 4 else intent)
    return tuple(said)


def _orders() -> tuple[Any, ...]:
    def named(n: int) -> dict[str, Any]:
        verdict = f"decisions/0/{n}/0"
        return {"offset": n, "order": f"h-intents-0-{n}", "verdict": verdict, "at_ns": at_ns(n)}

    return (
        a_fill(**named(2), price=Decimal("100.05")),
        a_rejected_order(**named(3)),
        a_fill(**named(4), side="sell", strategy="cross", price=Decimal("100"), price_from="bid"),
    )


def _alerts() -> tuple[Any, ...]:
    archive = {"subject": "archive/database", "process": "archive", "source": "process/archive"}
    return (
        an_alert(**archive, severity="critical", at_ns=at_ns(1)),
        an_alert(at_ns=at_ns(2)),
        a_cleared_alert(at_ns=at_ns(3)),
        an_alert(**archive, severity="critical", at_ns=at_ns(5)),
        a_cleared_alert(subject="archive/disk", at_ns=at_ns(6)),
    )


def _positions() -> tuple[Any, ...]:
    bought = {"source": "orders", "offset": 0, "at_ns": at_ns(2)}
    marked = {"source": "marks", "offset": 7, "at_ns": at_ns(3)}
    sold = {"source": "orders", "offset": 2, "at_ns": at_ns(4)}
    average = Decimal("100.05")
    return (
        a_position("100", **bought, average_price=average),
        a_position(
            "100", **marked, average_price=average, mark=Decimal("100.1"), unrealised=Decimal("5")
        ),
        a_position("-100", **sold, strategy="cross", average_price=Decimal(100)),
        a_position("0.00000000", source="orders", offset=9, at_ns=at_ns(9), realised=Decimal(12)),
    )
