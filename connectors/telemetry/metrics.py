"""Metrics as Prometheus wants them: every name declared before its first value."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from connectors.telemetry.reading import Reading
from hadron.errors import HadronError
from hadron.metrics import ALL, Metric

# 50 us to 10 s, so fine that an estimated quantile is at most a factor of 2 off.
SECONDS = (
    *(0.00005, 0.0001, 0.0002, 0.0003, 0.0005, 0.001, 0.002, 0.003, 0.005),
    *(0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0),
)
RECORDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)

_Update = Callable[[float], None]
_ACT: Mapping[str, str] = {"counter": "inc", "gauge": "set", "histogram": "observe"}


class PrometheusTelemetry:
    """The metrics of one process, in a registry of its own. Safe to use from any thread.

    A name that is not declared, or other labels than declared, raise HadronError.
    """

    def __init__(self, metrics: Mapping[str, Metric] = ALL) -> None:
        self.registry = CollectorRegistry()
        self._metrics = metrics
        self._declared = {
            name: _declared(name, metric, self.registry) for name, metric in metrics.items()
        }
        self._updates: dict[tuple[str, ...], _Update] = {}
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)

    # The key holds label names and values in the caller's order: a caller with another order gets
    # an entry of its own for the same series, and nobody pays for sorting.
    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        """Add to a counter."""
        key = (name, *labels, *labels.values())
        (self._updates.get(key) or self._bound("counter", key, labels))(amount)

    def gauge(self, name: str, value: float, **labels: str) -> None:
        """Set a gauge."""
        key = (name, *labels, *labels.values())
        (self._updates.get(key) or self._bound("gauge", key, labels))(value)

    def observe(self, name: str, value: float, **labels: str) -> None:
        """Put a value into a histogram: seconds, or a number of records."""
        key = (name, *labels, *labels.values())
        (self._updates.get(key) or self._bound("histogram", key, labels))(value)

    def exposition(self) -> bytes:
        """All series in Prometheus' text format, version 0.0.4."""
        return generate_latest(_WithoutCreated(self.registry))

    def read(self) -> Reading:
        """The values as they are now."""
        return Reading(self.registry.collect())

    def quantile(self, name: str, q: float, **labels: str) -> float | None:
        """See `Reading.quantile`: an estimate from the buckets, None without observations."""
        return self.read().quantile(name, q, **labels)

    def _bound(self, kind: str, key: tuple[str, ...], labels: Mapping[str, str]) -> _Update:
        name = key[0]
        metric = self._metrics.get(name)
        if metric is None:
            raise HadronError(f"metric {name!r} is not declared in hadron.metrics")
        if metric.kind != kind:
            raise HadronError(f"metric {name} is a {metric.kind}, not a {kind}")
        if set(labels) != set(metric.labels):
            raise HadronError(f"metric {name} has labels {metric.labels}, got {tuple(labels)}")
        declared = self._declared[name]
        child = declared.labels(**labels) if labels else declared
        update: _Update = getattr(child, _ACT[kind])
        self._updates[key] = update
        return update


class _WithoutCreated:
    """Leaves out the `_created` series, which double the scrape and which nobody reads."""

    def __init__(self, registry: Collector) -> None:
        self._registry = registry

    def collect(self) -> Iterable[Family]:
        for family in self._registry.collect():
            created = f"{family.name}_created"
            family.samples = [sample for sample in family.samples if sample.name != created]
            yield family


def _declared(
    name: str, metric: Metric, registry: CollectorRegistry
) -> Counter | Gauge | Histogram:
    if metric.kind == "counter":
        return Counter(name, metric.help, metric.labels, registry=registry)
    if metric.kind == "gauge":
        return Gauge(name, metric.help, metric.labels, registry=registry)
    buckets = RECORDS if name.endswith("_records") else SECONDS
    return Histogram(name, metric.help, metric.labels, registry=registry, buckets=buckets)
