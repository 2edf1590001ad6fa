"""Follows a frame through the log: W3C trace context in headers of records, spans to OTLP."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import (
    Link,
    SpanContext,
    SpanKind,
    get_current_span,
    use_span,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from hadron.ports import Tracer

Headers = list[tuple[str, bytes]]

# The SDK keeps as many links of a span (OpenTelemetry specification, "Span Limits").
MOST_LINKS = 128
_CARRIED = ("traceparent", "tracestate")
_W3C = TraceContextTextMapPropagator()


class NoTracer:
    """Tracing that is off: looks at no header and makes nothing."""

    def slice_span(
        self, process: str, headers: Iterable[Sequence[tuple[str, bytes]]]
    ) -> AbstractContextManager[Headers | None]:
        """Yields None."""
        return _NOTHING


_NOTHING: AbstractContextManager[None] = nullcontext()


class OtlpTracer:
    """Sends one span for each slice to an OTLP collector over HTTP, in the background.

    `ratio` of the traces are sampled, decided where they start. Export failures are logged and
    lose spans, never records.
    """

    def __init__(
        self,
        endpoint: str,
        process: str,
        *,
        version: str,
        ratio: float = 1.0,
        timeout_s: float = 5.0,
    ) -> None:
        described = {"service.name": f"hadron-{process}", "service.version": version}
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(ratio)),
            resource=Resource.create(described),
            shutdown_on_exit=False,
        )
        exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=timeout_s)
        self._processor = BatchSpanProcessor(exporter)
        self._provider.add_span_processor(self._processor)
        self._tracer = self._provider.get_tracer("hadron", version)

    @contextmanager
    def slice_span(
        self, process: str, headers: Iterable[Sequence[tuple[str, bytes]]]
    ) -> Iterator[Headers | None]:
        """A span whose parent is the first trace among the records; it links to the others.

        Without records (a frame from outside) it starts a trace. Yields None where the trace is
        not sampled, or where no record belongs to one, so that the fast way out stays open.
        """
        records, contexts = _contexts(headers)
        if records and not contexts:
            yield None
            return
        parent, *others = contexts or [Context()]
        span = self._tracer.start_span(
            f"{process} slice" if records else f"{process} frame",
            parent,
            kind=SpanKind.CONSUMER if records else SpanKind.PRODUCER,
            links=[Link(_span_context(other)) for other in others[:MOST_LINKS]],
            attributes={"messaging.system": "kafka", "messaging.batch.message_count": records},
        )
        with use_span(span, end_on_exit=True):
            yield injected() if span.is_recording() else None

    def close(self) -> None:
        """Send what is left. Gives up after `timeout_s`."""
        self._provider.shutdown()


@contextmanager
def tracer(
    process: str, endpoint: str | None, *, version: str = "", ratio: float = 1.0
) -> Iterator[Tracer]:
    """Traces to the collector at `endpoint`, a base URL; none, at no cost, where it is None.

    Sends what is left at the end.
    """
    if endpoint is None:
        yield NoTracer()
        return
    tracing = OtlpTracer(endpoint, process, version=version, ratio=ratio)
    try:
        yield tracing
    finally:
        tracing.close()


def injected() -> Headers:
    """The current span's context as headers of a record; empty without a span."""
    carrier: dict[str, str] = {}
    _W3C.inject(carrier)
    return [(name, value.encode()) for name, value in carrier.items()]


def extracted(headers: Sequence[tuple[str, bytes]]) -> Context | None:
    """The context that a record carries; None if it carries none, or a broken one."""
    carrier = {
        name: value.decode("ascii", "replace") for name, value in headers if name in _CARRIED
    }
    if "traceparent" not in carrier:
        return None
    context = _W3C.extract(carrier, Context())
    return context if _span_context(context).is_valid else None


def _span_context(context: Context) -> SpanContext:
    return get_current_span(context).get_span_context()


def _contexts(headers: Iterable[Sequence[tuple[str, bytes]]]) -> tuple[int, list[Context]]:
    """How many records, and their sampled contexts, each once, in the order of the records."""
    seen: dict[tuple[tuple[str, bytes], ...], None] = {}
    records = 0
    for each in headers:
        records += 1
        if each:
            seen[tuple(each)] = None
    contexts = map(extracted, seen)
    return records, [c for c in contexts if c and _span_context(c).trace_flags.sampled]
