"""Incremental fetch sessions (Kafka's KIP-227) for aiokafka, which names every partition each time.

A process reads 16 to 20 partitions, of which few have news: writing and reading of all the others
cost more than the records of a fetch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from aiokafka.protocol.fetch import FetchRequest

Place = tuple[str, int]
Asked = tuple[int, int]  # offset, and bytes at most

SINCE_VERSION = 7  # of the request
LAST_EPOCH = 2**31 - 1


class Ask(msgspec.Struct):
    """What a request says: the session, what is new in it, and what it is to forget."""

    id: int
    epoch: int  # 0 begins a session
    changed: Mapping[Place, Asked]
    forgotten: Iterable[Place]


class FetchSession:
    """One session with one broker, for one request at a time.

    A session whose last request was not answered is given up, for nobody knows what it holds; so is
    one that the broker does not know any more. The next request begins another.
    """

    def __init__(self) -> None:
        self._id, self._epoch = 0, 0
        self._held: dict[Place, Asked] = {}
        self._answered = True

    def ask(self, wanted: Mapping[Place, Asked]) -> Ask:
        """The next request, so that the session has the wanted partitions and no others."""
        if not self._answered:
            self._begin()
        held, self._held, self._answered = self._held, dict(wanted), False
        changed = {place: asked for place, asked in wanted.items() if held.get(place) != asked}
        return Ask(self._id, self._epoch, changed, held.keys() - wanted.keys())

    def answered(self, session_id: int, error: int) -> None:
        """Take the broker's word. It gives id 0 where it keeps no session."""
        if error or not session_id:
            self._begin()
            return
        self._answered, self._id = True, session_id
        self._epoch = self._epoch + 1 if self._epoch < LAST_EPOCH else 1

    def _begin(self) -> None:
        self._id, self._epoch = 0, 0
        self._held = {}
        self._answered = True


class SessionRequest(FetchRequest):  # type: ignore[misc]
    """aiokafka's request, said as a session has it. Its `topics` are still all that it asks for."""

    def __init__(self, request: Any, session: FetchSession) -> None:
        self.__dict__.update(request.__dict__)
        self._session = session

    def build(self, request_struct_class: Any) -> Any:
        """See FetchRequest."""
        if request_struct_class.API_VERSION < SINCE_VERSION:
            return super().build(request_struct_class)
        asked = {
            (topic, partition): (offset, most)
            for topic, partitions in self.topics
            for partition, offset, most in partitions
        }
        ask = self._session.ask(asked)
        struct = super().build(request_struct_class)
        struct.topics = [
            (topic, changed)
            for topic, partitions in struct.topics
            if (changed := [one for one in partitions if (topic, one[0]) in ask.changed])
        ]
        struct.session_id, struct.session_epoch = ask.id, ask.epoch
        struct.forgotten_topics_data = _by_topic(ask.forgotten)
        struct.RESPONSE_TYPE = _Answer(request_struct_class.RESPONSE_TYPE, self._session)
        return struct


class _Answer:
    """Decodes a response, and tells the session of it."""

    def __init__(self, kind: Any, session: FetchSession) -> None:
        self._kind = kind
        self._session = session

    def decode(self, data: Any) -> Any:
        response = self._kind.decode(data)
        self._session.answered(response.session_id, response.error_code)
        return response


def _by_topic(places: Iterable[Place]) -> Sequence[tuple[str, list[int]]]:
    topics: dict[str, list[int]] = {}
    for topic, partition in places:
        topics.setdefault(topic, []).append(partition)
    return list(topics.items())
