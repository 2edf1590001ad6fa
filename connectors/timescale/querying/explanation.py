"""Walks from one fact back to the venue's frames, and on to what became of it."""

from __future__ import annotations

from typing import Any

from connectors.timescale.querying.lineage import Found, Guess, Lineage
from hadron.audit.content import hash_of
from hadron.audit.ids import Id, OrderId, accepted
from hadron.audit.names import Name, Place
from hadron.audit.story import FOLLOWING, Share, Step, causes_of, is_intent, share_of
from hadron.desk.facts import IntentApproved
from hadron.errors import ContractError, HadronError
from hadron.market.facts import RawReceived
from hadron.orders.fills import intent_of
from hadron.ports import Codec
from hadron.strategy.facts import DecisionMade
from hadron.topics import INTENTS, ORDERS


class UnknownId(HadronError):
    """Nothing that is stored, or on the log, has this id."""


class Explainer:
    """Tells stories; each record is looked up and read once."""

    def __init__(self, lineage: Lineage, codec: Codec) -> None:
        self._lineage = lineage
        self._codec = codec
        self._known: dict[Place, Found | None] = {}

    def explain(self, asked: Id) -> Step:
        """The story of a fact, with all that led to it and all that followed.

        Of an order with several events it begins with the last one. Raise UnknownId.
        """
        found = self._subject(asked)
        fact = self._fact(found)
        return self._step(
            found,
            causes=tuple(self._back(cause, fact, found.place) for cause in causes_of(fact)),
            effects=tuple(self._on(one) for one in self._following(found.place, fact)),
        )

    def _subject(self, asked: Id) -> Found:
        match asked:
            case OrderId(order):
                events = self._lineage.of_order(order)
                intent = intent_of(order)
                if not events and intent is not None:  # in flight, or refused by nobody yet
                    found = self._at(Place(INTENTS.name, *intent))
                    events = [found] if found else []
            case Name():
                events = self._lineage.named(asked)
            case _:
                found = self._at(asked)
                events = [found] if found else []
        if not events:
            raise UnknownId(f"nothing is known of {asked}; accepted are {accepted()}")
        self._known[events[-1].place] = events[-1]
        return events[-1]

    def _back(self, place: Place, effect: Any, origin: Place) -> Step:
        """The step that lies there and all before it."""
        found = self._at(place, effect)
        if found is None:
            causes: tuple[Step, ...] = ()
            if isinstance(effect, DecisionMade):  # it knows its raw event, too
                raw = Place(effect.raw_topic, effect.raw_partition, effect.raw_offset)
                causes = (self._back(raw, None, place),)
            return Step("unknown", str(place), "nowhere", causes=causes)
        fact = self._fact(found)
        others = self._lineage.following(place, ORDERS) if isinstance(fact, IntentApproved) else []
        return self._step(
            found,
            causes=tuple(self._back(cause, fact, place) for cause in causes_of(fact)),
            effects=tuple(self._step(one) for one in others if one.place != origin),
        )

    def _on(self, found: Found) -> Step:
        """The step and all after it."""
        effects = self._following(found.place, self._fact(found))
        return self._step(found, effects=tuple(self._on(one) for one in effects))

    def _following(self, place: Place, fact: Any) -> list[Found]:
        if isinstance(fact, RawReceived):
            return self._lineage.ticks_of(place, fact)
        topic = FOLLOWING.get(type(fact))
        return self._lineage.following(place, topic) if topic else []

    def _step(
        self, found: Found, *, causes: tuple[Step, ...] = (), effects: tuple[Step, ...] = ()
    ) -> Step:
        fact = self._fact(found)
        return Step(
            kind="unknown" if fact is None else type(fact).__name__,
            place=str(found.place),
            found=found.where,
            content_hash=hash_of(found.value, self._codec).hex(),
            fact=fact,
            frame=_text(fact.payload) if isinstance(fact, RawReceived) else None,
            shares=tuple(self._shares(fact)) if is_intent(fact) else (),
            causes=causes,
            effects=effects,
        )

    def _shares(self, intent: Any) -> list[Share]:
        shares = []
        for place in causes_of(intent):
            found = self._at(place, intent)
            decision = self._fact(found) if found else None
            if isinstance(decision, DecisionMade):
                shares.append(share_of(decision, place))
        return shares

    def _at(self, place: Place, effect: Any = None) -> Found | None:
        if place not in self._known:
            self._known[place] = self._lineage.at(place, _guess(place, effect))
        return self._known[place]

    def _fact(self, found: Found) -> Any:
        try:
            return self._codec.decode(found.value)
        except ContractError:
            return None


def _guess(place: Place, effect: Any) -> Guess | None:
    """What follows from a tick has its time and instrument; a raw event has that of receipt."""
    is_raw = place.topic.startswith("raw.")
    at_ns = getattr(effect, "seen_ns" if is_raw else "at_ns", None)
    instrument = getattr(effect, "instrument", None)
    return None if at_ns is None or instrument is None else Guess(at_ns, instrument)


def _text(payload: bytes) -> str | None:
    try:
        return payload.decode()
    except UnicodeDecodeError:
        return None
