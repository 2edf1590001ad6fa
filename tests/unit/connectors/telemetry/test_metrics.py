"""Metrics are declared, and can be read back."""

from __future__ import annotations

import pytest

from connectors.telemetry.metrics import PrometheusTelemetry
from connectors.telemetry.reading import scraped
from hadron import metrics
from hadron.errors import HadronError


def test_what_was_counted_is_in_the_exposition() -> None:
    telemetry = PrometheusTelemetry()

    telemetry.count(metrics.RECORDS_IN, 3, process="engine", topic="ticks.warm")
    telemetry.count(metrics.RECORDS_IN, process="engine", topic="ticks.warm")
    telemetry.gauge(metrics.SHARDS, 4, process="engine")

    text = telemetry.exposition().decode()
    assert 'hadron_records_in_total{process="engine",topic="ticks.warm"} 4.0\n' in text
    assert 'hadron_shards{process="engine"} 4.0\n' in text


def test_the_order_of_labels_does_not_matter() -> None:
    telemetry = PrometheusTelemetry()

    telemetry.count(metrics.RECORDS_IN, process="a", topic="b")
    telemetry.count(metrics.RECORDS_IN, topic="b", process="a")
    telemetry.count(metrics.RECORDS_IN, topic="a", process="b")

    assert telemetry.read().value(metrics.RECORDS_IN, process="a", topic="b") == 2
    assert telemetry.read().value(metrics.RECORDS_IN, process="b", topic="a") == 1


@pytest.mark.parametrize(
    ("name", "labels", "complaint"),
    [
        ("hadron_made_up_total", {}, "not declared"),
        (metrics.SHARDS, {"process": "engine"}, "is a gauge, not a counter"),
        (metrics.POISONED, {}, "has labels"),
        (metrics.POISONED, {"process": "engine", "topic": "raw"}, "has labels"),
    ],
)
def test_a_metric_that_is_not_declared_so_raises(
    name: str, labels: dict[str, str], complaint: str
) -> None:
    telemetry = PrometheusTelemetry()

    with pytest.raises(HadronError, match=complaint):
        telemetry.count(name, 1, **labels)


def test_every_declared_metric_takes_a_value() -> None:
    telemetry = PrometheusTelemetry()

    for name, metric in metrics.ALL.items():
        labels = dict.fromkeys(metric.labels, "x")
        match metric.kind:
            case "counter":
                telemetry.count(name, 1, **labels)
            case "gauge":
                telemetry.gauge(name, 1, **labels)
            case "histogram":
                telemetry.observe(name, 1, **labels)

    reading = scraped(telemetry.exposition().decode())
    series = {
        name: f"{name}_count" if metric.kind == "histogram" else name
        for name, metric in metrics.ALL.items()
    }
    assert {name: reading.value(s) for name, s in series.items()} == dict.fromkeys(series, 1)


def test_the_process_describes_itself_and_nobody_is_told_when_a_series_was_made() -> None:
    telemetry = PrometheusTelemetry()
    telemetry.count(metrics.POISONED, process="engine")

    text = telemetry.exposition().decode()

    assert "python_info{" in text
    assert "python_gc_collections_total{" in text
    assert "_created" not in text


def test_a_quantile_lies_in_the_bucket_of_the_truth() -> None:
    telemetry = PrometheusTelemetry()
    for milliseconds in range(1, 101):
        telemetry.observe(metrics.HOP_SECONDS, milliseconds / 1000, process="normalize")

    half = telemetry.quantile(metrics.HOP_SECONDS, 0.5, process="normalize")
    most = telemetry.quantile(metrics.HOP_SECONDS, 0.99, process="normalize")

    assert half == pytest.approx(0.05)
    assert most == pytest.approx(0.099)


def test_a_quantile_is_taken_over_all_processes_unless_one_is_named() -> None:
    fast, slow = PrometheusTelemetry(), PrometheusTelemetry()
    fast.observe(metrics.HOP_SECONDS, 0.001, process="normalize")
    slow.observe(metrics.HOP_SECONDS, 5, process="engine")

    reading = scraped(fast.exposition().decode(), slow.exposition().decode())

    assert reading.quantile(metrics.HOP_SECONDS, 1) == 5
    assert reading.quantile(metrics.HOP_SECONDS, 1, process="normalize") == 0.001
    assert reading.quantile(metrics.HOP_SECONDS, 1, process="desk") is None


def test_above_the_last_bound_a_quantile_is_that_bound() -> None:
    telemetry = PrometheusTelemetry()

    telemetry.observe(metrics.RESTORE_SECONDS, 60, process="engine")

    assert telemetry.quantile(metrics.RESTORE_SECONDS, 0.5) == 10


def test_sizes_of_slices_have_buckets_of_their_own() -> None:
    telemetry = PrometheusTelemetry()

    telemetry.observe(metrics.STEP_RECORDS, 2000, process="engine", lane="fast")

    assert telemetry.quantile(metrics.STEP_RECORDS, 1, lane="fast") == 2000


def test_a_quantile_outside_0_to_1_is_refused() -> None:
    with pytest.raises(ValueError, match="not within"):
        PrometheusTelemetry().quantile(metrics.HOP_SECONDS, 99)


def test_values_are_summed_by_a_label() -> None:
    telemetry = PrometheusTelemetry()
    telemetry.count(metrics.FACTS_OUT, 2, process="normalize", topic="ticks.fast")
    telemetry.count(metrics.FACTS_OUT, 3, process="normalize", topic="ticks.cold")
    telemetry.count(metrics.FACTS_OUT, 4, process="other", topic="ticks.cold")

    by_topic = telemetry.read().by(metrics.FACTS_OUT, "topic")

    assert by_topic == {"ticks.fast": 2, "ticks.cold": 7}
