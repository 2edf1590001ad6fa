"""Logs for people on call: one JSON object a line on stderr, whoever writes it."""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Iterable
from types import TracebackType
from typing import Any, TextIO

import structlog
from opentelemetry.trace import get_current_span
from pydantic import SecretStr

from connectors.telemetry.redaction import Event, Redaction
from hadron.settings import Settings

# Others' loggers that say at info what nobody on call wants to know.
_TALKATIVE = ("aiokafka", "alembic", "asyncio", "faust", "httpx", "mode", "urllib3", "websockets")


def configure(
    level: str,
    process: str,
    *,
    secrets: Iterable[SecretStr | None] = (),
    stream: TextIO | None = None,
) -> None:
    """Send structlog, the standard library's logging, warnings and crashes to `stream` (stderr).

    `secrets` never show, in whatever field or text. A second call replaces the first.
    Fields bound with `structlog.contextvars` (topic, partition, offset) and the current trace are
    on each line.
    """
    least = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*_said_by_all(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    _route(_formatter(process, secrets), least, stream or sys.stderr)


def secrets_of(settings: Settings) -> list[SecretStr]:
    """Every secret among the settings, for `configure`."""
    values = (getattr(settings, name) for name in Settings.__dataclass_fields__)
    return [value for value in values if isinstance(value, SecretStr)]


def _said_by_all() -> list[structlog.typing.Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _trace,
    ]


def _formatter(process: str, secrets: Iterable[SecretStr | None]) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_said_by_all(),
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            _of(process),
            Redaction(secrets),
            structlog.processors.JSONRenderer(serializer=json.dumps),
        ],
    )


def _route(formatter: logging.Formatter, least: int, stream: TextIO) -> None:
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    handler.addFilter(_readable)
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(least)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(
            max(least, logging.WARNING) if least > logging.DEBUG else least
        )
    logging.captureWarnings(True)
    sys.excepthook = _crashed
    threading.excepthook = _thread_crashed


def _of(process: str) -> structlog.typing.Processor:
    def add(_: Any, __: str, event: Event) -> Event:
        event["process"] = process
        return event

    return add


def _trace(_: Any, __: str, event: Event) -> Event:
    context = get_current_span().get_span_context()
    if context.trace_flags.sampled:
        event["trace_id"] = f"{context.trace_id:032x}"
        event["span_id"] = f"{context.span_id:016x}"
    return event


def _readable(record: logging.LogRecord) -> bool:
    """Mend a record whose arguments do not fit its text: logging would print a traceback."""
    try:
        record.getMessage()
    except Exception as error:
        record.msg = f"{record.msg!r} does not fit its arguments: {error}"
        record.args = None
    return True


def _crashed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("hadron").critical("crashed", exc_info=(kind, error, trace))


def _thread_crashed(crash: threading.ExceptHookArgs) -> None:
    if crash.exc_value is not None:
        _crashed(crash.exc_type, crash.exc_value, crash.exc_traceback)
