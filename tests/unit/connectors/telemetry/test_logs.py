"""Every line that a process writes is JSON, and no secret is in one."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from textwrap import dedent
from typing import Any

from pydantic import SecretStr

from connectors.telemetry.logs import secrets_of
from connectors.telemetry.redaction import MASK, Redaction
from hadron.settings import settings_from

PREAMBLE = """
import asyncio, logging, threading, warnings
import structlog
from pydantic import SecretStr
from connectors.telemetry.logs import configure

SECRETS = [SecretStr("hunter2hunter2"), SecretStr("postgresql://app:p%40ssw0rd@db/hadron"), None]
configure("info", "engine", secrets=SECRETS)
log = structlog.get_logger("hadron.test")
"""


def lines_of(program: str, *, code: int = 0) -> list[dict[str, Any]]:
    """What a process of its own logs to its real stderr; every line must parse."""
    run = subprocess.run(
        [sys.executable, "-c", PREAMBLE + dedent(program)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (run.returncode, run.stdout) == (code, ""), run.stderr
    assert "hunter2" not in run.stderr
    assert "ssw0rd" not in run.stderr
    return [json.loads(line) for line in run.stderr.splitlines()]


def test_a_line_has_its_event_its_fields_and_who_said_it_when() -> None:
    [line] = lines_of("log.info('shard restored', partition=3, seconds=0.25)")

    at = datetime.fromisoformat(line.pop("timestamp"))
    assert at.tzinfo == UTC
    assert line == {
        "event": "shard restored",
        "partition": 3,
        "seconds": 0.25,
        "level": "info",
        "logger": "hadron.test",
        "process": "engine",
    }


def test_lines_of_other_libraries_are_the_same_json() -> None:
    lines = lines_of("""
        for name in ("faust", "aiokafka.consumer", "alembic.runtime", "websockets.client", "mode"):
            logging.getLogger(name).warning("two\\nlines of %s", name)
            logging.getLogger(name).info("chatter")
        logging.getLogger("library").info("with extra", extra={"shard": 1})
        warnings.warn("be warned")
    """)

    assert [line["logger"] for line in lines] == [
        "faust",
        "aiokafka.consumer",
        "alembic.runtime",
        "websockets.client",
        "mode",
        "library",
        "py.warnings",
    ]
    assert lines[0]["event"] == "two\nlines of faust"
    assert lines[5]["shard"] == 1
    assert {line["process"] for line in lines} == {"engine"}


def test_a_secret_shows_in_no_field_text_argument_or_traceback() -> None:
    lines = lines_of("""
        secret = SECRETS[0].get_secret_value()
        url = SECRETS[1].get_secret_value()
        log.info("field", value=secret, kafka_password="short", password=b"short")
        log.info("typed", key=SECRETS[0], settings=[SECRETS[1]])
        log.info("nested", headers={"Authorization": "Bearer abc", "list": [{"x": secret}]})
        log.info("sent " + secret, bytes=secret.encode(), **{secret: 1})
        log.info("a url", database=url, other="redis://user:ssw0rd@host:6379/0")
        logging.getLogger("library").warning("connecting to %s with %r", url, SECRETS[0])
        try:
            raise ConnectionError(f"cannot connect to {url} as p@ssw0rd")
        except ConnectionError:
            log.exception("failed")
            logging.getLogger("library").exception("failed")
    """)

    assert lines[0]["value"] == lines[0]["kafka_password"] == lines[0]["password"] == MASK
    assert lines[2]["headers"] == {"Authorization": MASK, "list": [{"x": MASK}]}
    assert lines[4]["other"] == f"redis://{MASK}@host:6379/0"
    assert "ConnectionError" in lines[-1]["exception"]
    assert len(lines) == 8


def test_whatever_a_field_holds_the_line_parses() -> None:
    lines = lines_of("""
        class Silent:
            def __str__(self):
                raise RuntimeError("no")

        loop = []
        loop.append(loop)
        log.info("odd", silent=Silent(), loop=loop, nan=float("nan"), raw=b"\\xff")
        log.info("half a pair", text="\\ud800")
        log.info("kinds", pair=(1, 2), kind=ValueError("x"), none=None, yes=True)
        logging.getLogger("library").warning("%d items", "many")
    """)

    assert lines[0]["nan"] == "nan"
    assert lines[0]["raw"] == "\\xff"
    assert lines[2]["pair"] == [1, 2]
    assert "does not fit its arguments" in lines[3]["event"]


def test_crashes_are_lines_too() -> None:
    lines = lines_of(
        """
        thread = threading.Thread(target=lambda: 1 / 0)
        thread.start()
        thread.join()
        raise ValueError("hunter2hunter2 is wrong")
        """,
        code=1,
    )

    assert [line["event"] for line in lines] == ["crashed", "crashed"]
    assert "ZeroDivisionError" in lines[0]["exception"]
    assert f"ValueError: {MASK} is wrong" in lines[1]["exception"]


def test_lines_carry_coordinates_and_the_trace_they_belong_to() -> None:
    [inside, foreign, outside] = lines_of("""
        from opentelemetry.sdk.trace import TracerProvider

        tracer = TracerProvider(shutdown_on_exit=False).get_tracer("test")
        with structlog.contextvars.bound_contextvars(topic="raw.massive", partition=1, offset=42):
            with tracer.start_as_current_span("slice"):
                log.warning("poison")
                logging.getLogger("library").warning("poison")
        log.info("done")
    """)

    assert (inside["topic"], inside["partition"], inside["offset"]) == ("raw.massive", 1, 42)
    assert len(inside["trace_id"]) == 32
    assert len(inside["span_id"]) == 16
    assert (foreign["offset"], foreign["trace_id"]) == (42, inside["trace_id"])
    assert not {"topic", "trace_id"} & outside.keys()


def test_less_severe_lines_are_left_out_and_a_second_call_replaces_the_first() -> None:
    lines = lines_of("""
        log.debug("no")
        configure("debug", "desk")
        log.debug("yes")
        logging.getLogger("aiokafka").debug("yes")
        configure("error", "desk")
        log.warning("no")
        logging.getLogger("aiokafka").warning("no")
    """)

    assert [(line["event"], line["process"]) for line in lines] == [("yes", "desk")] * 2


def test_the_secrets_of_settings_are_all_found() -> None:
    settings = settings_from(
        {
            "HADRON_KAFKA": "k:9092",
            "HADRON_DATABASE": "postgresql://a:b@c/d",
            "HADRON_MASSIVE_KEY": "abcdefgh",
        }
    )

    found = {secret.get_secret_value() for secret in secrets_of(settings)}

    assert found == {"postgresql://a:b@c/d", "abcdefgh"}


def test_ordinary_names_keep_their_values() -> None:
    redact = Redaction([SecretStr("abc")])

    event = {"key": "eq:AAPL", "partition_key": "x", "keys": 3, "url": "http://host/a@b"}

    assert redact(None, "info", dict(event)) == event
