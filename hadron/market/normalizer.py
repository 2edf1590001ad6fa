"""From raw events to ticks with a quality and a lane."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from hadron.control.facts import RulesChanged
from hadron.control.refused import refused
from hadron.errors import ContractError, ImpossibleTransition
from hadron.fold import Received, Slice
from hadron.market import holdings
from hadron.market.facts import Quality, QuoteChanged, RawReceived, TradePrinted
from hadron.market.holdings import Holdings
from hadron.market.listing import Listing
from hadron.market.poison import unreadable
from hadron.market.quality import Line, is_sane, judge
from hadron.market.rules import NO_RULES, Route, Rules
from hadron.market.volatility import observe
from hadron.venues.parsed import ParsedQuote, ParsedTrade, Parser

RAW = "raw."
LISTING = "listing/"
RULES = "rules"
# Qualities of ticks that came in the order of their time, so that windows may take them.
IN_ORDER: frozenset[Quality] = frozenset({"live", "gap", "stale"})

_encode = msgspec.msgpack.encode
_listing = msgspec.msgpack.Decoder(Listing).decode
_rules = msgspec.msgpack.Decoder(RulesChanged).decode


class Normalizer:
    """A fold of `raw.<venue>`, `control` and `positions`; emits ticks and RecordPoisoned.

    Each tick is named by its raw record. Parts of the snapshot: `rules`, `held/<instrument>` and
    `listing/<venue>/<instrument>`.
    """

    superseded = 0  # every fact counts

    def __init__(self, parsers: Mapping[str, Parser], *, process: str = "normalize") -> None:
        self._parsers = parsers
        self._process = process
        self._rules = Rules(NO_RULES)
        self._rules_touched = False
        self._holdings = Holdings()
        self._listings: dict[str, dict[str, Listing]] = {venue: {} for venue in parsers}
        self._touched: set[Listing] = set()
        # Where an instrument goes (calm, volatile), until the rules or its holders change.
        self._routes: dict[str, tuple[Route, Route]] = {}

    def step(self, slice: Slice, /) -> list[Any]:
        """Raise ImpossibleTransition for a topic that this fold does not take."""
        if slice.topic.startswith(RAW):
            return self._normalize(slice)
        if slice.topic == "control":
            return self._follow(slice)
        if slice.topic == "positions":
            for record in slice.records:
                if self._holdings.follow(record.fact):
                    self._routes.pop(record.fact.instrument, None)
            return []
        raise ImpossibleTransition(f"{self._process} does not read topic {slice.topic!r}")

    def snapshot(self) -> list[tuple[str, bytes]]:
        """The parts that changed since the last call; empty bytes for a part that went."""
        parts = sorted(
            (f"{LISTING}{of.venue}/{of.instrument}", _encode(of)) for of in self._touched
        )
        self._touched.clear()
        parts += self._holdings.snapshot()
        if self._rules_touched:
            parts.append((RULES, _encode(self._rules.fact)))
            self._rules_touched = False
        return parts

    def restore(self, parts: Iterable[tuple[str, bytes]]) -> None:
        """Take the parts of a snapshot, into a fold that has not stepped yet."""
        for name, value in parts:
            if name == RULES:
                self._rules = Rules(_rules(value))
            elif name.startswith(holdings.PREFIX):
                self._holdings.restore(name, value)
            else:
                listing = _listing(value)
                self._listings.setdefault(listing.venue, {})[listing.instrument] = listing

    def _normalize(self, slice: Slice) -> list[Any]:
        venue = slice.topic.removeprefix(RAW)
        if venue not in self._parsers:
            wanted = ", ".join(sorted(self._parsers))
            raise ImpossibleTransition(f"no parser for topic {slice.topic!r}; wanted {wanted}")
        parse, listings = self._parsers[venue], self._listings[venue]
        partition, trade, quote = slice.partition, self._trade, self._quote
        facts: list[Any] = []
        for record in slice.records:
            try:
                parsed = parse(record.fact.payload)
            except ContractError as error:
                facts.append(unreadable(slice, record, process=self._process, error=error))
                continue
            if parsed is None:
                continue
            listing = listings.get(record.fact.instrument) or self._list(venue, record.fact)
            if isinstance(parsed, ParsedTrade):
                facts.append(trade(listing, parsed, record, partition))
            else:
                facts.append(quote(listing, parsed, record, partition))
        return facts

    def _list(self, venue: str, raw: RawReceived) -> Listing:
        listing = Listing(venue, raw.instrument, Line(raw.connection))
        self._listings[venue][raw.instrument] = listing
        return listing

    # The two below run for each event: positional arguments, no objects but the tick.
    def _trade(
        self, listing: Listing, parsed: ParsedTrade, record: Received, partition: int
    ) -> TradePrinted:
        self._touched.add(listing)
        rules, raw, line = self._rules, record.fact, listing.line
        at_ns = parsed.at_ns or raw.seen_ns
        quality = judge(line, line.trade, parsed, raw, rules.stale_after_ns)
        if rules.volatile_bps and quality in IN_ORDER and is_sane(at_ns, raw):
            observe(listing.range, at_ns, parsed.price, parsed.price_scale, rules)
        lane, reason = self._route(listing, at_ns)
        return TradePrinted(
            listing.instrument,
            listing.venue,
            partition,
            parsed.price_scale,
            parsed.size_scale,
            parsed.conditions,
            quality,
            lane,
            reason,
            record.offset,
            at_ns,
            raw.seen_ns,
            parsed.sequence,
            parsed.price,
            parsed.size,
        )

    def _quote(
        self, listing: Listing, parsed: ParsedQuote, record: Received, partition: int
    ) -> QuoteChanged:
        self._touched.add(listing)
        raw, line = record.fact, listing.line
        at_ns = parsed.at_ns or raw.seen_ns
        quality = judge(line, line.quote, parsed, raw, self._rules.stale_after_ns)
        lane, reason = self._route(listing, at_ns)
        return QuoteChanged(
            listing.instrument,
            listing.venue,
            partition,
            parsed.price_scale,
            parsed.size_scale,
            quality,
            lane,
            reason,
            record.offset,
            at_ns,
            raw.seen_ns,
            parsed.sequence,
            parsed.bid,
            parsed.ask,
            parsed.bid_size,
            parsed.ask_size,
        )

    def _route(self, listing: Listing, at_ns: int) -> Route:
        routes = self._routes.get(listing.instrument)
        if routes is None:
            routes = self._rules.routes(
                listing.instrument, held=self._holdings.holds(listing.instrument)
            )
            self._routes[listing.instrument] = routes
        return routes[at_ns < listing.range.volatile_until_ns]

    def _follow(self, slice: Slice) -> list[Any]:
        facts: list[Any] = []
        for record in slice.records:
            if isinstance(record.fact, RulesChanged):
                try:
                    self._rules = Rules(record.fact)
                except ContractError as error:
                    facts.append(refused(slice, record, process=self._process, error=error))
                    continue
                self._rules_touched = True
                self._routes.clear()
        return facts
