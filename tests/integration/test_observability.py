"""What a process shows of itself, scraped over a real socket."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from connectors.http.health import Health
from connectors.http.server import http_server
from connectors.telemetry.metrics import PrometheusTelemetry
from connectors.telemetry.reading import scraped
from hadron import metrics

# What a histogram adds to its labels, by the ending of its series.
ENDINGS = {"_bucket": {"le"}, "_sum": set[str](), "_count": set[str]()}


@pytest.fixture
def telemetry() -> PrometheusTelemetry:
    return PrometheusTelemetry()


@pytest.fixture
def url(telemetry: PrometheusTelemetry) -> Iterator[str]:
    health = Health("engine", "0.1.0")
    with http_server(health, telemetry.exposition, host="127.0.0.1", port=0) as port:
        yield f"http://127.0.0.1:{port}/metrics"


def scrape(url: str) -> str:
    with urlopen(url, timeout=10) as answer:
        return bytes(answer.read()).decode()


def use_all(telemetry: PrometheusTelemetry) -> None:
    act: Mapping[str, Callable[..., None]] = {
        "counter": telemetry.count,
        "gauge": telemetry.gauge,
        "histogram": telemetry.observe,
    }
    for name, metric in metrics.ALL.items():
        act[metric.kind](name, 1, **dict.fromkeys(metric.labels, "x"))


def test_every_declared_metric_is_scraped_with_its_kind_before_its_first_value(url: str) -> None:
    families = {f.name: f.type for f in text_string_to_metric_families(scrape(url))}

    ours = {name: kind for name, kind in families.items() if name.startswith("hadron_")}
    assert ours == {name.removesuffix("_total"): m.kind for name, m in metrics.ALL.items()}


def test_series_have_the_declared_names_and_labels_and_no_others(
    telemetry: PrometheusTelemetry, url: str
) -> None:
    use_all(telemetry)

    seen = {
        (sample.name, frozenset(sample.labels))
        for family in text_string_to_metric_families(scrape(url))
        for sample in family.samples
        if sample.name.startswith("hadron_")
    }

    frozen = {
        (name + ending, frozenset(metric.labels) | added)
        for name, metric in metrics.ALL.items()
        for ending, added in (ENDINGS if metric.kind == "histogram" else {"": set()}).items()
    }
    assert seen == frozen


def test_the_process_itself_is_scraped_too(url: str) -> None:
    reading = scraped(scrape(url))

    assert reading.value("process_resident_memory_bytes") > 0
    assert reading.value("python_info") == 1


def test_a_quantile_is_the_same_inside_and_after_the_scrape(
    telemetry: PrometheusTelemetry, url: str
) -> None:
    for microseconds in range(100, 5000, 7):
        telemetry.observe(metrics.STEP_SECONDS, microseconds / 1e6, process="engine", lane="fast")

    reading = scraped(scrape(url))

    for q in (0.5, 0.95, 0.99):
        inside = telemetry.quantile(metrics.STEP_SECONDS, q, process="engine")
        assert reading.quantile(metrics.STEP_SECONDS, q, lane="fast") == inside is not None
