"""What the processes of a replay are told: where Kafka is, and nothing that leads elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import SecretStr

from hadron.topics import Names
from hadron.variables import variable

if TYPE_CHECKING:
    from hadron.settings import Settings

# What Python needs to run at all.
_PLAIN = frozenset(
    [
        "PATH",
        "HOME",
        "LANG",
        "TZ",
        "TMPDIR",
        "VIRTUAL_ENV",
        "LD_LIBRARY_PATH",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
    ]
)
_PLAIN_PREFIXES = ("LC_", "PYTHON")
# Settings that normalize and engine work with. Venues, database and Redis are none of them.
_SETTINGS = (
    *("kafka", "kafka_security", "kafka_username", "kafka_password", "kafka_ca", "registry"),
    *("num_shards", "replication", "linger_ms", "checkpoint_s", "session_s", "fetch_records"),
    "hash_entries",
    *("queue_slices", "log_level"),
)


def environment(
    settings: Settings, environ: Mapping[str, str], *, names: Names, raw: str
) -> dict[str, str]:
    """The whole environment of a replay's process; what is not named here is not passed on."""
    theirs = {
        key: value
        for key, value in environ.items()
        if key in _PLAIN or key.startswith(_PLAIN_PREFIXES)
    }
    for name in _SETTINGS:
        value = getattr(settings, name)
        if value is not None:
            theirs[variable(name)] = (
                value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            )
    return {
        **theirs,
        variable("prefix"): names.prefix,
        variable("replay_raw"): raw,
        variable("http_host"): "127.0.0.1",
        variable("http_port"): "0",
    }
