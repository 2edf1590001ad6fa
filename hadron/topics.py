"""The catalogue of topics. Creation, checks, sinks and documentation derive from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from hadron.audit.facts import (
    AlertCleared,
    AlertRaised,
    CheckpointTaken,
    HeadsAnchored,
    RecordPoisoned,
    SlicesSequenced,
    StateHashed,
)
from hadron.control.facts import (
    LimitsChanged,
    RulesChanged,
    StrategyConfigured,
    TradingHalted,
    TradingResumed,
)
from hadron.desk.facts import DecisionDismissed, IntentApproved, IntentRejected
from hadron.market.facts import PriceMarked, QuoteChanged, RawReceived, TradePrinted
from hadron.orders.facts import OrderFilled, OrderRejected
from hadron.portfolio.facts import PositionChanged
from hadron.reference.facts import InstrumentListed
from hadron.strategy.facts import DecisionMade, StrategyDeployed

DAY_MS = 86_400_000
# Key of tombstones in a restored log, at offsets that compaction had emptied before.
FILLER = b"hadron.filler"


class Topic(msgspec.Struct, frozen=True):
    """One topic. `everywhere` means that each record is written to every partition."""

    name: str
    key: str  # what the key is, in words
    facts: tuple[type[Any], ...]
    retention_ms: int = 7 * DAY_MS
    compacted: bool = False
    whole_ms: int = 0  # so long a compacted topic keeps every record
    everywhere: bool = False

    def configuration(self) -> dict[str, str]:
        """The settings that the broker must show for it."""
        if self.compacted:
            return {
                "cleanup.policy": "compact",
                "max.message.bytes": "16777216",
                "min.compaction.lag.ms": str(self.whole_ms),
            }
        return {"cleanup.policy": "delete", "retention.ms": str(self.retention_ms)}


SHADOW = "shadow."


class ShadowTopic(Topic, frozen=True):
    """A topic that a shadow may write. Raises ValueError for the name of any other."""

    def __post_init__(self) -> None:
        if not self.name.startswith(SHADOW):
            raise ValueError(f"topic {self.name!r}; wanted one of {SHADOW}*")


VENUES = ("massive", "coinbase")
RAW: Mapping[str, Topic] = {
    venue: Topic(f"raw.{venue}", "instrument", (RawReceived,)) for venue in VENUES
}
TICKS: Mapping[str, Topic] = {
    lane: Topic(f"ticks.{lane}", "instrument", (TradePrinted, QuoteChanged))
    for lane in ("fast", "warm", "cold")
}
DECISIONS = Topic("decisions", "portfolio", (DecisionMade,), 90 * DAY_MS)
INTENTS = Topic(
    "intents", "portfolio", (IntentApproved, IntentRejected, DecisionDismissed), 90 * DAY_MS
)
ORDERS = Topic("orders", "portfolio", (OrderFilled, OrderRejected), 90 * DAY_MS)
# In the partition of their instrument, so that the shard that routes it knows what is held.
POSITIONS = Topic(
    "positions",
    "portfolio/strategy/instrument",
    (PositionChanged,),
    compacted=True,
    whole_ms=7 * DAY_MS,  # a journal speaks of each of them, as of ticks
)
MARKS = Topic("marks", "instrument", (PriceMarked,), DAY_MS, everywhere=True)
CONTROL = Topic(
    "control",
    "subject",
    (RulesChanged, StrategyConfigured, LimitsChanged, TradingHalted, TradingResumed),
    compacted=True,
    whole_ms=7 * DAY_MS,
    everywhere=True,
)
# What each version of a strategy was made of; kept as long as a decision may name it.
STRATEGIES = Topic("strategies", "version", (StrategyDeployed,), compacted=True)
INSTRUMENTS = Topic("instruments", "venue:symbol", (InstrumentListed,), compacted=True)
ALERTS = Topic("alerts", "subject", (AlertRaised, AlertCleared), 90 * DAY_MS)
DEAD = Topic("dead", "source", (RecordPoisoned,), 90 * DAY_MS)
# Signed heads of the chains of what is stored. They stay outside of the database that they judge.
ANCHORS = Topic("anchors", "signing key", (HeadsAnchored,), 5 * 365 * DAY_MS)

# What a strategy that is tried beside live would have said. Nobody but people reads it.
SHADOW_DECISIONS = ShadowTopic(SHADOW + DECISIONS.name, DECISIONS.key, DECISIONS.facts)
SHADOW_DEAD = ShadowTopic(SHADOW + DEAD.name, DEAD.key, DEAD.facts)

# The fold that keeps state in a topic of its own, by process.
STATE: Mapping[str, Topic] = {
    process: Topic(f"state.{process}", "slot of the shard", (CheckpointTaken,), compacted=True)
    for process in ("normalize", "engine", "desk", "portfolio")
}

# In which order a fold steps what, by process. Kept as long as what it speaks of.
JOURNAL: Mapping[str, Topic] = {
    process: Topic(f"journal.{process}", "process", (SlicesSequenced,))
    for process in ("engine", "desk", "portfolio")
}

# What states and decisions come to, for who looks where two runs part.
HASHES = Topic("hashes.engine", "entries", (StateHashed,), 90 * DAY_MS)

ALL: tuple[Topic, ...] = (
    *RAW.values(),
    *TICKS.values(),
    DECISIONS,
    INTENTS,
    ORDERS,
    POSITIONS,
    MARKS,
    CONTROL,
    STRATEGIES,
    INSTRUMENTS,
    ALERTS,
    DEAD,
    ANCHORS,
    SHADOW_DECISIONS,
    SHADOW_DEAD,
    *STATE.values(),
    *JOURNAL.values(),
    HASHES,
)

# Every fact but ticks (whose lane chooses the topic), raw events and state has one home.
HOME: Mapping[type[Any], Topic] = {
    fact: topic
    for topic in ALL
    if topic.name.partition(".")[0] not in ("raw", "ticks", "state", "journal", "hashes", "shadow")
    for fact in topic.facts
}

_KEY: Mapping[type[Any], Callable[[Any], str]] = {
    RawReceived: lambda fact: str(fact.instrument),
    TradePrinted: lambda fact: str(fact.instrument),
    QuoteChanged: lambda fact: str(fact.instrument),
    PriceMarked: lambda fact: str(fact.instrument),
    DecisionMade: lambda fact: str(fact.portfolio),
    IntentApproved: lambda fact: str(fact.portfolio),
    IntentRejected: lambda fact: str(fact.portfolio),
    DecisionDismissed: lambda fact: str(fact.portfolio),
    OrderFilled: lambda fact: str(fact.portfolio),
    OrderRejected: lambda fact: str(fact.portfolio),
    PositionChanged: lambda fact: f"{fact.portfolio}/{fact.strategy}/{fact.instrument}",
    RulesChanged: lambda _: "rules",
    StrategyConfigured: lambda fact: f"strategy/{fact.name}",
    LimitsChanged: lambda fact: f"limits/{fact.portfolio}",
    TradingHalted: lambda _: "trading",
    TradingResumed: lambda _: "trading",
    StrategyDeployed: lambda fact: str(fact.version),
    InstrumentListed: lambda fact: f"{fact.venue}:{fact.symbol}",
    AlertRaised: lambda fact: str(fact.subject),
    AlertCleared: lambda fact: str(fact.subject),
    RecordPoisoned: lambda fact: f"{fact.source}/{fact.partition}",
    HeadsAnchored: lambda fact: str(fact.key),
}


def topic_of(fact: Any) -> Topic:
    """Where a fact goes. Raise KeyError for a class that is no fact of the flow."""
    kind = type(fact)
    if kind is TradePrinted or kind is QuoteChanged:
        return TICKS[fact.lane]
    if kind is RawReceived:
        return RAW[fact.venue]
    return HOME[kind]


def key_of(fact: Any) -> str:
    """The Kafka key of a fact."""
    return _KEY[type(fact)](fact)


def partition_key_of(fact: Any) -> str:
    """What chooses the partition: the key, but for positions, which lie with their instrument."""
    return str(fact.instrument) if type(fact) is PositionChanged else key_of(fact)


def sink_topics() -> tuple[Topic, ...]:
    """What the archive stores: every topic but checkpoints, journals, hashes, anchors and shadows.

    A checkpoint says nothing that the log does not: it is a fold of the facts before it, is
    replaced within a minute, and is thrown away when its topic is compacted. A journal says in
    which order facts were taken, and adds none; nor does a hash of what followed. What a shadow
    says did not happen.
    """
    shadows = (SHADOW_DECISIONS, SHADOW_DEAD)
    own = (*STATE.values(), *JOURNAL.values(), HASHES, ANCHORS, *shadows)
    return tuple(topic for topic in ALL if topic not in own)


class Names(msgspec.Struct, frozen=True):
    """What topics are called in one run. A replay writes under a prefix and reads `live` as is."""

    prefix: str = ""
    live: frozenset[str] = frozenset()

    def write(self, topic: str) -> str:
        """The name that a logical topic is written to under."""
        return self.prefix + topic

    def read(self, topic: str) -> str:
        """The name that a logical topic is read under."""
        return topic if topic in self.live else self.prefix + topic

    def logical(self, name: str) -> str:
        """The logical topic of a name."""
        return name.removeprefix(self.prefix) if self.prefix else name

    def group(self, process: str) -> str:
        """The consumer group of a process in this run."""
        return f"{self.prefix}hadron.{process}"


LIVE = Names()
# Of what shadows write, and of their groups.
SHADOWS = Names(SHADOW)


def replay_names(run: str) -> Names:
    """The names of a replay: raw events, positions and instruments are live, all else its own."""
    shared = (*RAW.values(), POSITIONS, INSTRUMENTS)
    return Names(f"replay.{run}.", frozenset(topic.name for topic in shared))


def paced_names(run: str) -> Names:
    """The names of a replay that reads copies of the raw events, made at the pace it wants."""
    names = replay_names(run)
    return Names(names.prefix, names.live - {topic.name for topic in RAW.values()})
