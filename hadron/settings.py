"""Settings, read once from environment variables; every problem is reported at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, SecretStr, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from hadron.errors import SettingsError
from hadron.variables import variable


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Settings:
    """Each field is the environment variable HADRON_<NAME>."""

    kafka: Annotated[str, Field(description="Bootstrap servers, host:port,host:port")]
    database: Annotated[
        SecretStr | None,
        Field(description="PostgreSQL or TimescaleDB, postgresql:// URL of the role that writes"),
    ] = None
    database_read: Annotated[
        SecretStr | None,
        Field(description="The same of the role that reads; none: HADRON_DATABASE"),
    ] = None
    database_audit: Annotated[
        SecretStr | None,
        Field(description="The same of the role that verifies; none: HADRON_DATABASE_READ"),
    ] = None
    database_migrate: Annotated[
        SecretStr | None,
        Field(description="The same of a role that may make tables; none: HADRON_DATABASE"),
    ] = None
    database_retire: Annotated[
        SecretStr | None,
        Field(
            description="The same of the role that lets old rows go; none: HADRON_DATABASE_MIGRATE"
        ),
    ] = None
    role_prefix: Annotated[
        str,
        Field(pattern="^[a-z_][a-z0-9_]{0,40}$", description="Before the names of database roles"),
    ] = "hadron_"
    migrator_password: Annotated[
        SecretStr | None, Field(description="`hadron migrate` gives it to the role migrator")
    ] = None
    sink_password: Annotated[
        SecretStr | None, Field(description="`hadron migrate` gives it to the role sink")
    ] = None
    reader_password: Annotated[
        SecretStr | None, Field(description="`hadron migrate` gives it to the role reader")
    ] = None
    auditor_password: Annotated[
        SecretStr | None, Field(description="`hadron migrate` gives it to the role auditor")
    ] = None
    retirer_password: Annotated[
        SecretStr | None, Field(description="`hadron migrate` gives it to the role retirer")
    ] = None
    redis: Annotated[SecretStr | None, Field(description="Redis or Valkey, as a redis:// URL")] = (
        None
    )
    registry: Annotated[
        str | None, Field(description="Schema registry (Confluent API); none: the catalogue's ids")
    ] = None
    num_shards: Annotated[int, Field(ge=1, le=1024, description="Partitions of every topic")] = 4
    replication: Annotated[int, Field(ge=1, le=9, description="Copies of each partition")] = 1
    kafka_security: Annotated[
        Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"],
        Field(description="Security protocol of Kafka"),
    ] = "PLAINTEXT"
    kafka_username: Annotated[str | None, Field(description="SASL/SCRAM-SHA-512 user")] = None
    kafka_password: Annotated[SecretStr | None, Field(description="SASL password")] = None
    kafka_ca: Annotated[str | None, Field(description="File of the CA that signed Kafka")] = None
    prefix: Annotated[str, Field(description="Put before output topics and groups (replay)")] = ""
    replay_raw: Annotated[
        Literal["live", "copied"],
        Field(description="Of a replay: read raw events as they are, or its own paced copies"),
    ] = "live"
    massive_key: Annotated[SecretStr | None, Field(description="API key of Massive")] = None
    massive_url: Annotated[
        str | None, Field(description="WebSocket of Massive; none: chosen by websocket_mode")
    ] = None
    websocket_mode: Annotated[
        Literal["delayed", "realtime"], Field(description="Which public host of Massive")
    ] = "delayed"
    coinbase_url: Annotated[str, Field(description="WebSocket of Coinbase market data")] = (
        "wss://advanced-trade-ws.coinbase.com"
    )
    symbols: Annotated[str, Field(description="Symbols that a feed subscribes to, by comma")] = ""
    stale_after_s: Annotated[
        float, Field(gt=0, description="Seconds of silence until a feed reconnects")
    ] = 30.0
    nice: Annotated[
        int | None,
        Field(
            ge=0,
            le=19,
            description="Lowers the process's priority by so much; none: by 10 where no order waits"
            " for it (archive, latest, simulator)",
        ),
    ] = None
    session_s: Annotated[
        float, Field(ge=1, le=300, description="Silence after which a process's partitions move")
    ] = 10.0
    linger_ms: Annotated[
        float, Field(ge=0, le=1000, description="Wait of the producers for more records")
    ] = 0.0
    checkpoint_s: Annotated[float, Field(gt=0, le=60, description="Time between checkpoints")] = 1.0
    hash_entries: Annotated[
        int,
        Field(ge=0, description="Entries of engine's journal between hashes of its state; 0: none"),
    ] = 10_000
    fetch_records: Annotated[
        int, Field(ge=1, le=100_000, description="Most records of one fetch of a stream")
    ] = 1000
    queue_slices: Annotated[
        int, Field(ge=1, le=10_000, description="Most fetched slices that wait in a stream")
    ] = 32
    batch_rows: Annotated[int, Field(ge=1, description="Rows that make the archive write")] = 100
    batch_s: Annotated[
        float, Field(gt=0, le=5, description="Seconds after which the archive writes anyway")
    ] = 1.0
    pool_max: Annotated[int, Field(ge=1, description="Database connections at most")] = 20
    pool_acquire_s: Annotated[float, Field(gt=0, description="Wait for a connection")] = 30.0
    pool_idle_s: Annotated[float, Field(gt=0, description="Close connections idle so long")] = 600.0
    pool_lifetime_s: Annotated[float, Field(gt=0, description="Replace connections after")] = 1800.0
    anchor_key_file: Annotated[
        str | None,
        Field(description="Private key (PEM) that signs the heads of the chains; none: unsigned"),
    ] = None
    anchor_file: Annotated[
        str | None,
        Field(description="File of signed heads; none: anchors.jsonl in the user's data directory"),
    ] = None
    anchor_s: Annotated[float, Field(gt=0, description="Time between signed heads")] = 60.0
    keep_raw_days: Annotated[
        int | None,
        Field(ge=2, description="Days that raw events are kept once stored; none: for ever"),
    ] = None
    keep_ticks_days: Annotated[
        int | None, Field(ge=2, description="Days that ticks are kept once stored; none: for ever")
    ] = None
    keep_audit_days: Annotated[
        int | None,
        Field(ge=1827, description="The same of all other facts, 5 years at least"),
    ] = None
    subject_keys: Annotated[
        str | None,
        Field(description="Folder of keys that seal people's names; none: not sealed"),
    ] = None
    alert_lag: Annotated[
        int, Field(ge=1, description="Records a process may be behind until people are told")
    ] = 100_000
    alert_slow_s: Annotated[
        float, Field(gt=0, description="The same of seconds that one write to the database takes")
    ] = 5.0
    alert_feed_s: Annotated[
        float, Field(gt=0, description="The same of seconds that a feed is not connected")
    ] = 10.0
    alert_clock_s: Annotated[
        float | None,
        Field(gt=0, description="The same of seconds that a feed's clock may be off; none: not"),
    ] = None
    alert_refusals: Annotated[
        int, Field(ge=1, description="The same of orders refused in a row")
    ] = 10
    hot_ttl_s: Annotated[int, Field(ge=1, description="Life of keys in Redis")] = 900
    cache_ttl_s: Annotated[
        int, Field(ge=1, description="Life in Redis of answers that the database gave")
    ] = 60
    simulator_host: Annotated[str, Field(description="Address of the venue simulator")] = (
        "127.0.0.1"
    )
    simulator_port: Annotated[
        int, Field(ge=0, le=65535, description="Its port; 0: any free one")
    ] = 3100
    http_host: Annotated[str, Field(description="Address of /health, /ready and /metrics")] = (
        "127.0.0.1"
    )
    http_port: Annotated[int, Field(ge=0, le=65535, description="Its port; 0: any free one")] = 3002
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Field(description="Least severe log line")
    ] = "info"
    otlp_endpoint: Annotated[str | None, Field(description="Where traces go; none: no traces")] = (
        None
    )
    trace_ratio: Annotated[
        float, Field(ge=0, le=1, description="Share of frames whose trace is kept")
    ] = 1.0


def settings_from(environment: Mapping[str, str]) -> Settings:
    """Read the settings. Raise SettingsError naming every variable that is wrong or missing."""
    names = {variable(name): name for name in Settings.__dataclass_fields__}
    known: dict[str, Any] = {
        names[key]: value for key, value in environment.items() if key in names and value != ""
    }
    try:
        return TypeAdapter(Settings).validate_python(known)
    except ValidationError as error:
        raise SettingsError([_sentence(problem, known) for problem in error.errors()]) from None


def _sentence(problem: Any, known: Mapping[str, Any]) -> str:
    name = str(problem["loc"][0])
    secret = "SecretStr" in str(Settings.__annotations__.get(name, ""))
    seen = "is not set" if name not in known else "is hidden" if secret else repr(known[name])
    return f"{variable(name)}: {seen}; {problem['msg'][0].lower()}{problem['msg'][1:]}"
