"""Names of all metrics, with what they mean and their labels. Nothing else may invent one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec


class Metric(msgspec.Struct, frozen=True):
    """How a metric is exported to Prometheus."""

    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()


FEED_FRAMES = "hadron_feed_frames_total"
FEED_EVENTS = "hadron_feed_events_total"
FEED_CONNECTIONS = "hadron_feed_connections_total"
FEED_STATE = "hadron_feed_state"
FEED_STALE = "hadron_feed_stale_total"
FEED_REFUSED = "hadron_feed_refused_topics_total"
FEED_EVICTED = "hadron_feed_evictions_total"
FEED_FATAL = "hadron_feed_fatal_total"
FEED_UNREADABLE = "hadron_feed_unreadable_total"
RECORDS_IN = "hadron_records_in_total"
FACTS_OUT = "hadron_facts_out_total"
POISONED = "hadron_records_poisoned_total"
REPEATED = "hadron_records_repeated"
SUPPRESSED = "hadron_facts_suppressed"
SUPERSEDED = "hadron_ticks_superseded"
STEP_SECONDS = "hadron_step_seconds"
STEP_RECORDS = "hadron_step_records"
QUEUE_RECORDS = "hadron_queue_records"
QUEUE_SHARE = "hadron_queue_utilisation"
LAG_RECORDS = "hadron_consumer_lag_records"
CHECKPOINT_SECONDS = "hadron_checkpoint_seconds"
CHECKPOINT_BYTES = "hadron_checkpoint_bytes_total"
RESTORE_SECONDS = "hadron_restore_seconds"
SHARDS = "hadron_shards"
HOP_SECONDS = "hadron_hop_seconds"
FRAME_TO_INTENT_SECONDS = "hadron_frame_to_intent_seconds"
ARCHIVE_ROWS = "hadron_archive_rows_total"
ARCHIVE_BATCHES = "hadron_archive_batches_total"
ARCHIVE_REPEATED = "hadron_archive_rows_repeated_total"
ARCHIVE_BATCH_SECONDS = "hadron_archive_batch_seconds"
ARCHIVE_UP = "hadron_archive_database_up"
ANCHORS = "hadron_anchors_total"
DATABASE_TIMEOUTS = "hadron_database_acquire_timeouts_total"
DATABASE_CONNECTIONS = "hadron_database_connections"
LATEST_WRITES = "hadron_latest_writes_total"
LATEST_UP = "hadron_latest_redis_up"
LATEST_REPAIRED = "hadron_latest_repaired_total"
LATEST_REBUILD_SECONDS = "hadron_latest_rebuild_seconds"
CACHE_READS = "hadron_cache_reads_total"
ORDERS = "hadron_orders_total"
ALERTS = "hadron_alerts_total"
ALERT_RAISED = "hadron_alert_raised"
CLOCK_ERROR = "hadron_clock_error_seconds"
SIMULATOR_EVENTS = "hadron_simulator_events_total"
SIMULATOR_FINISHED = "hadron_simulator_finished"

ALL: Mapping[str, Metric] = {
    FEED_FRAMES: Metric("counter", "Frames received from a venue", ("venue",)),
    FEED_EVENTS: Metric("counter", "Events appended to raw.<venue>", ("venue",)),
    FEED_CONNECTIONS: Metric("counter", "Connections opened to a venue", ("venue",)),
    FEED_STATE: Metric("gauge", "1 while subscribed, else 0", ("venue",)),
    FEED_STALE: Metric("counter", "Connections closed by the watchdog: silent", ("venue",)),
    FEED_REFUSED: Metric("counter", "Topics that the venue refused", ("venue",)),
    FEED_EVICTED: Metric(
        "counter", "Times that the venue asked us to wait: another connection?", ("venue",)
    ),
    FEED_FATAL: Metric("counter", "Connections refused for good: a wrong key", ("venue",)),
    FEED_UNREADABLE: Metric("counter", "Events appended that could not be read", ("venue",)),
    RECORDS_IN: Metric("counter", "Records stepped", ("process", "topic")),
    FACTS_OUT: Metric("counter", "Facts appended", ("process", "topic")),
    POISONED: Metric("counter", "Records dead-lettered", ("process",)),
    REPEATED: Metric("gauge", "Records delivered again and skipped, by our shards", ("process",)),
    SUPPRESSED: Metric("gauge", "Facts already on the log, kept back by our shards", ("process",)),
    SUPERSEDED: Metric("gauge", "Ticks older than one applied, not shown", ("process",)),
    STEP_SECONDS: Metric("histogram", "Time to step one slice (budget a)", ("process", "lane")),
    STEP_RECORDS: Metric("histogram", "Records in one stepped slice", ("process", "lane")),
    QUEUE_RECORDS: Metric("gauge", "Records fetched and waiting", ("process", "lane")),
    QUEUE_SHARE: Metric("gauge", "Waiting records as a share of the bound", ("process", "lane")),
    LAG_RECORDS: Metric("gauge", "Records on the log and not stepped", ("process", "topic")),
    CHECKPOINT_SECONDS: Metric("histogram", "Time from snapshot to stored", ("process",)),
    CHECKPOINT_BYTES: Metric("counter", "Bytes of state written", ("process",)),
    RESTORE_SECONDS: Metric("histogram", "Time to restore one shard", ("process",)),
    SHARDS: Metric("gauge", "Shards that this process owns", ("process",)),
    HOP_SECONDS: Metric(
        "histogram",
        "From a record's append until what follows is handed to Kafka (b)",
        ("process",),
    ),
    FRAME_TO_INTENT_SECONDS: Metric(
        "histogram", "From a frame's receipt to the intent's append (c)", ("process",)
    ),
    ARCHIVE_ROWS: Metric("counter", "Rows committed", ("table",)),
    ARCHIVE_BATCHES: Metric("counter", "Transactions, straight in or checked", ("way",)),
    ARCHIVE_REPEATED: Metric("counter", "Rows that were in the database already"),
    ARCHIVE_BATCH_SECONDS: Metric("histogram", "Time of one database transaction", ()),
    ARCHIVE_UP: Metric("gauge", "1 while the database answers", ()),
    ANCHORS: Metric("counter", "Signed heads of the chains, written to topic and file", ()),
    DATABASE_TIMEOUTS: Metric(
        "counter", "Times that no connection to the database was had in time", ("pool",)
    ),
    DATABASE_CONNECTIONS: Metric(
        "gauge", "Connections that a pool holds, used or idle", ("pool", "state")
    ),
    LATEST_WRITES: Metric("counter", "Keys written to Redis", ("kind",)),
    LATEST_UP: Metric("gauge", "1 while Redis answers", ()),
    LATEST_REPAIRED: Metric(
        "counter", "Keys that were missing, wrong or foreign in Redis, mended", ("reason",)
    ),
    LATEST_REBUILD_SECONDS: Metric("histogram", "Time to fold all hot keys from the log", ()),
    CACHE_READS: Metric("counter", "Documents asked of Redis: hit, miss, away", ("result",)),
    ALERTS: Metric("counter", "Alerts appended to the log", ("subject", "severity")),
    ALERT_RAISED: Metric(
        "gauge", "1 while this process says that something is wrong", ("subject",)
    ),
    CLOCK_ERROR: Metric(
        "gauge", "Most that this machine's clock may be off; NaN: not synchronised"
    ),
    SIMULATOR_EVENTS: Metric("counter", "Events that the venue simulator has sent"),
    SIMULATOR_FINISHED: Metric("gauge", "1 once the simulator's market is over"),
    ORDERS: Metric("counter", "Orders by what became of them", ("outcome",)),
}
