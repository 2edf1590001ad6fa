"""One trace follows a frame from process to process, over OTLP to a real receiver."""

from __future__ import annotations

import asyncio
import gzip
import socket
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from threading import Thread

import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from connectors.telemetry.tracing import OtlpTracer, extracted, tracer

TRACEPARENT = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
UNSAMPLED = TRACEPARENT[:-2] + b"00"


class Receiver:
    """An OTLP collector that keeps spans by the name of their service."""

    def __init__(self) -> None:
        self.spans: dict[str, list[Span]] = defaultdict(list)

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        if body[:2] == b"\x1f\x8b":
            body = gzip.decompress(body)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            [service] = [
                attribute.value.string_value
                for attribute in resource.resource.attributes
                if attribute.key == "service.name"
            ]
            for scope in resource.scope_spans:
                self.spans[service] += scope.spans
        return web.Response(
            body=ExportTraceServiceResponse().SerializeToString(),
            content_type="application/x-protobuf",
        )


@contextmanager
def listening(receiver: Receiver) -> Iterator[str]:
    """The base URL of the receiver on a loopback socket."""
    bound: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event, int]] = Future()

    async def serve() -> None:
        application = web.Application()
        application.router.add_post("/v1/traces", receiver.take)
        runner = web.AppRunner(application, access_log=None, handle_signals=False)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        done = asyncio.Event()
        bound.set_result((asyncio.get_running_loop(), done, runner.addresses[0][1]))
        await done.wait()
        await runner.cleanup()

    thread = Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    loop, done, port = bound.result(10)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join(10)


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def endpoint(receiver: Receiver) -> Iterator[str]:
    with listening(receiver) as url:
        yield url


def test_raw_tick_and_decision_are_in_one_trace(receiver: Receiver, endpoint: str) -> None:
    feed, normalize, engine = (
        OtlpTracer(endpoint, name, version="1") for name in ("feed", "normalize", "engine")
    )

    with feed.slice_span("feed", []) as raw:
        assert raw is not None
    with normalize.slice_span("normalize", [raw, raw]) as tick:
        assert tick is not None
    with engine.slice_span("engine", [tick]) as decision:
        assert decision is not None
    for process in (feed, normalize, engine):
        process.close()

    [[root], [middle], [last]] = (
        receiver.spans[service] for service in ("hadron-feed", "hadron-normalize", "hadron-engine")
    )
    assert root.trace_id == middle.trace_id == last.trace_id
    assert (root.parent_span_id, middle.parent_span_id, last.parent_span_id) == (
        b"",
        root.span_id,
        middle.span_id,
    )
    assert list(middle.links) == []
    version, trace, span, flags = dict(decision)["traceparent"].decode().split("-")
    assert (version, trace, span) == ("00", last.trace_id.hex(), last.span_id.hex())
    assert int(flags, 16) & 1


def test_other_traces_of_a_slice_are_linked(receiver: Receiver, endpoint: str) -> None:
    feed = OtlpTracer(endpoint, "feed", version="1")
    frames = []
    for _ in range(3):
        with feed.slice_span("feed", []) as headers:
            frames.append(headers or [])

    with feed.slice_span("normalize", iter([*frames, *frames])):
        pass
    feed.close()

    *roots, step = receiver.spans["hadron-feed"]
    assert step.trace_id == roots[0].trace_id
    assert [link.trace_id for link in step.links] == [root.trace_id for root in roots[1:]]


def test_more_traces_than_a_span_may_link_to_do_no_harm(receiver: Receiver, endpoint: str) -> None:
    process = OtlpTracer(endpoint, "engine", version="1")
    many = [[("traceparent", b"00-%032x-%016x-01" % (n, n))] for n in range(1, 1000)]

    with process.slice_span("engine", many) as outgoing:
        assert outgoing is not None
    process.close()

    [span] = receiver.spans["hadron-engine"]
    assert int(span.trace_id.hex(), 16) == 1
    assert len(span.links) == 128


def test_a_trace_that_is_not_sampled_costs_no_header_and_no_span(
    receiver: Receiver, endpoint: str
) -> None:
    process = OtlpTracer(endpoint, "feed", version="1", ratio=0)

    with process.slice_span("feed", []) as raw:
        pass
    with process.slice_span("normalize", [()]) as untraced:
        pass
    with process.slice_span("normalize", [[("traceparent", UNSAMPLED)]]) as unsampled:
        pass
    process.close()

    assert (raw, untraced, unsampled) == (None, None, None)
    assert not receiver.spans


def test_one_sampled_record_among_others_makes_the_slice_part_of_its_trace(
    receiver: Receiver, endpoint: str
) -> None:
    process = OtlpTracer(endpoint, "engine", version="1", ratio=0)

    with process.slice_span(
        "engine", [(), [("traceparent", UNSAMPLED)], [("traceparent", TRACEPARENT)]]
    ):
        pass
    process.close()

    [span] = receiver.spans["hadron-engine"]
    assert span.trace_id.hex() == "0af7651916cd43dd8448eb211c80319c"


def test_an_error_in_a_step_is_on_its_span(receiver: Receiver, endpoint: str) -> None:
    process = OtlpTracer(endpoint, "engine", version="1")

    with pytest.raises(ValueError, match="bad"), process.slice_span("engine", []):
        raise ValueError("bad")
    process.close()

    [span] = receiver.spans["hadron-engine"]
    assert [event.name for event in span.events] == ["exception"]


@pytest.mark.parametrize(
    "value",
    [b"", b"garbage", b"\xff\xfe", b"00-" + b"0" * 32 + b"-b7ad6b7169203331-01", TRACEPARENT[:-1]],
)
def test_a_broken_header_is_no_trace(value: bytes) -> None:
    assert extracted([("traceparent", value)]) is None


def test_other_headers_are_left_alone() -> None:
    assert extracted([("colour", b"\xff"), ("run", b"7")]) is None


def test_without_an_endpoint_nothing_is_looked_at() -> None:
    headers: Iterator[list[tuple[str, bytes]]] = iter([[("traceparent", TRACEPARENT)]])
    with tracer("engine", None) as off, off.slice_span("engine", headers) as outgoing:
        assert outgoing is None

    assert len(list(headers)) == 1


def test_what_is_left_is_sent_at_the_end(receiver: Receiver, endpoint: str) -> None:
    with tracer("desk", endpoint) as on, on.slice_span("desk", []):
        pass

    assert [span.name for span in receiver.spans["hadron-desk"]] == ["desk frame"]


@pytest.mark.timeout(20)
def test_a_collector_that_is_away_holds_up_neither_work_nor_the_end() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        process = OtlpTracer(f"http://127.0.0.1:{port}", "engine", version="1", timeout_s=0.2)

        with process.slice_span("engine", []):
            pass
        process.close()
