"""Makes Redis anew from the log, beside a running `latest`, and tells what was wrong in it."""

from __future__ import annotations

import time

import msgspec

from connectors.kafka import connection
from connectors.redis.documents import instrument_of
from connectors.redis.hot import Hot
from connectors.redis.intake import Intake
from connectors.redis.latest import topics_of
from connectors.redis.past import Past
from connectors.redis.store import Store, store_of
from hadron.ports import Codec, Telemetry
from hadron.settings import Settings

_SCAN = 5_000


class Rebuilt(msgspec.Struct, frozen=True):
    """What a rebuild found; `differing` counts missing, wrong and foreign keys."""

    records: int  # read from the log
    keys: int  # that Redis is to have
    missing: int
    wrong: int
    foreign: int  # that no record of the last HADRON_HOT_TTL_S gives
    seconds: float

    @property
    def differing(self) -> int:
        """How many keys were not what the log says."""
        return self.missing + self.wrong + self.foreign


def rebuild(settings: Settings, *, codec: Codec, telemetry: Telemetry) -> Rebuilt:
    """Fold the log of the last HADRON_HOT_TTL_S, and make Redis equal to it.

    What `latest` writes meanwhile stays: only values that were compared are replaced. Raise
    SettingsError where no Redis is set, TransientError if Kafka or Redis does not answer.
    """
    began_s, store = time.monotonic(), store_of(settings)
    try:
        records, hot, found = _compared(settings, store, codec, telemetry)
        now_ms = time.time_ns() // 1_000_000
        hot.forget_expired(now_ms)
        entries = hot.entries
        missing = [key for key in entries if key not in found]
        foreign = [key for key in found if key not in entries]
        wrong = [
            k for k, entry in entries.items() if found.get(k, entry.document) != entry.document
        ]
        wanted = {key: (entries[key].document, entries[key].expires_ms) for key in missing + wrong}
        store.replace(found, wanted, gone=foreign)
    finally:
        store.close()
    return Rebuilt(
        records=records,
        keys=len(entries),
        missing=len(missing),
        wrong=len(wrong),
        foreign=len(foreign),
        seconds=round(time.monotonic() - began_s, 3),
    )


def _compared(
    settings: Settings, store: Store, codec: Codec, telemetry: Telemetry
) -> tuple[int, Hot, dict[str, bytes]]:
    """Records read, what is hot, and what Redis had: nothing in it is newer than what was read."""
    ttl_ms = settings.hot_ttl_s * 1000
    hot = Hot(ttl_ms)
    intake = Intake(hot, codec=codec, telemetry=telemetry)
    past = Past(connection.configuration(settings), ttl_ms=ttl_ms)
    places = [
        (topic, partition)
        for topic in topics_of(settings.prefix)
        for partition in range(settings.num_shards)
    ]
    ends_of = connection.patiently(past.ends)
    ends = ends_of(places)
    records = sum(past.fold(ends, intake))
    found = store.get(_keys(store))
    records += sum(past.between(ends, ends_of(places), intake))
    return records, hot, found


def _keys(store: Store) -> list[str]:
    """All keys of our kinds."""
    seen: set[str] = set()
    cursor, more = 0, True
    while more:
        cursor, keys = store.scan(cursor, most=_SCAN)
        seen.update(key for key in keys if instrument_of(key) is not None)
        more = cursor != 0
    return sorted(seen)
