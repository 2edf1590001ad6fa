"""One shard's journal stepped again, entry by entry, and what followed from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import msgspec

from hadron.audit.checkpoints import Recovered
from hadron.audit.names import Name, name_of
from hadron.desk.desk import Desk
from hadron.fold import Fold
from hadron.portfolio.portfolio import Portfolio
from hadron.ports import Codec, Reading
from hadron.strategy.engine import Engine
from hadron.strategy.registry import KINDS
from hadron.topics import DECISIONS, INTENTS, JOURNAL, POSITIONS, Names, topic_of
from hadron.wiring.strategies import installed
from streams.restoring import Followed, follow
from streams.shard import Place, Shard

# Whose journals there are: the fold, and the topic that is compared.
FOLDS: Mapping[str, tuple[Callable[[], Fold], str]] = {
    "engine": (lambda: Engine(KINDS, installed()), DECISIONS.name),
    "desk": (Desk, INTENTS.name),
    "portfolio": (Portfolio, POSITIONS.name),
}


class Range(msgspec.Struct, frozen=True):
    """Entries of one shard's journal: stepped from `first`, compared from `begin`, until `end`."""

    first: int
    begin: int
    end: int


class Run(msgspec.Struct, frozen=True):
    """What is stepped again."""

    process: str
    partitions: int
    names: Names

    @property
    def topic(self) -> str:
        """What is compared."""
        return self.names.write(FOLDS[self.process][1])

    @property
    def journal(self) -> str:
        """What says the order."""
        return self.names.write(JOURNAL[self.process].name)


class Stepped:
    """What followed from the entries of one shard, and which records they were about."""

    def __init__(self, run: Run, partition: int, codec: Codec) -> None:
        self.partition = partition
        self.records = 0
        self.covered: dict[str, tuple[int, int]] = {}  # what was read, by topic
        self.made: dict[Name, tuple[int, bytes]] = {}  # the entry, and the fact
        self._ends: dict[str, int] = {}
        self._compared = FOLDS[run.process][1]
        self._codec = codec

    def pass_over(self, each: Followed) -> None:
        """Take an entry that is not compared."""
        for slice in each.entry.slices:
            self._ends[slice.topic] = max(self._ends.get(slice.topic, 0), slice.end)

    def add(self, each: Followed) -> None:
        """Keep what of it is compared."""
        for slice in each.entry.slices:
            # One that was frozen may say again what another has said: nothing follows from it.
            begin = max(slice.first, self._ends.get(slice.topic, 0))
            if begin < slice.end:
                first, _ = self.covered.get(slice.topic, (begin, 0))
                self.covered[slice.topic] = first, slice.end
                self.records += slice.end - begin
        self.pass_over(each)
        for fact in each.facts:
            if topic_of(fact).name == self._compared:
                self.made[name_of(fact)] = each.record.offset, self._codec.encode(fact)


class Again:
    """A shard on its way through its journal, from the first entry on, in a fold of its own.

    Nothing is written anywhere. An entry that is not taken yet has no effect on what is compared.
    """

    def __init__(
        self, run: Run, partition: int, bounds: Range, *, log: Reading, codec: Codec
    ) -> None:
        self._run = run
        self.partition = partition
        self._bounds = bounds
        self._log = log
        self._codec = codec
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget all, and go to the first entry."""
        self.stepped = Stepped(self._run, self.partition, self._codec)
        self._at = self._bounds.first
        self._entries = self._followed()
        self._next: Followed | None = None
        self._opened = False

    @property
    def next(self) -> Followed | None:
        """The entry that will be taken, with what follows from it; None behind the last.

        Reads the log where it must.
        """
        if not self._opened:
            self._opened = True
            self._advance()
        return self._next

    @property
    def at(self) -> int:
        """The offset of the entry that will be taken, as far as it is known without reading."""
        return self._at

    @property
    def stamp_ms(self) -> int | None:
        """The stamp of that entry; None if nothing was read for it yet, or it is the end."""
        return self._next.record.timestamp_ms if self._next else None

    def take(self) -> None:
        """Keep what followed from the next entry, if it is to be compared, and step on."""
        each = self.next
        assert each is not None
        if each.record.offset >= self._bounds.begin:
            self.stepped.add(each)
        else:
            self.stepped.pass_over(each)
        self._advance()

    def _advance(self) -> None:
        self._next = next(self._entries, None)
        self._at = self._next.record.offset if self._next else self._bounds.end

    def _followed(self) -> Iterator[Followed]:
        run = self._run
        place = Place(run.process, run.partitions, run.names)
        shard = Shard(place, self.partition, FOLDS[run.process][0](), Recovered())
        return follow(shard, place, log=self._log, codec=self._codec, end=self._bounds.end)
