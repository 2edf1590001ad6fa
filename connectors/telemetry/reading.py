"""Reads numbers back out of metrics, of this process or of the scraped text of others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import chain

from prometheus_client.metrics_core import Metric as Family
from prometheus_client.parser import text_string_to_metric_families


class Reading:
    """The values of metrics at one moment; of several processes, if several were given."""

    def __init__(self, *families: Iterable[Family]) -> None:
        self._samples: dict[str, list[tuple[Mapping[str, str], float]]] = defaultdict(list)
        for family in chain(*families):
            for sample in family.samples:
                self._samples[sample.name].append((sample.labels, float(sample.value)))

    def value(self, name: str, **labels: str) -> float:
        """The sum of all series of a counter or gauge that have these labels; 0 without any."""
        return sum(value for _, value in self._matching(name, labels))

    def by(self, name: str, label: str) -> dict[str, float]:
        """The sums of a counter or gauge by the values of one label."""
        sums: dict[str, float] = defaultdict(float)
        for labels, value in self._matching(name, {}):
            sums[labels.get(label, "")] += value
        return dict(sums)

    def quantile(self, name: str, q: float, **labels: str) -> float | None:
        """Estimate a histogram's quantile over all series with these labels; None if empty.

        Linear within the bucket that it falls into, as Prometheus' histogram_quantile does: the
        truth is in the same bucket. Above the last finite bound that bound is returned.
        """
        if not 0 <= q <= 1:
            raise ValueError(f"quantile {q} is not within 0 to 1")
        counts: dict[float, float] = defaultdict(float)
        for sample_labels, value in self._matching(f"{name}_bucket", labels):
            counts[float(sample_labels["le"])] += value
        return _interpolated(sorted(counts.items()), q)

    def _matching(
        self, name: str, labels: Mapping[str, str]
    ) -> Iterable[tuple[Mapping[str, str], float]]:
        wanted = labels.items()
        return (sample for sample in self._samples[name] if wanted <= sample[0].items())


def scraped(*expositions: str) -> Reading:
    """Read what one or several processes answered on /metrics."""
    return Reading(*map(text_string_to_metric_families, expositions))


def _interpolated(cumulated: list[tuple[float, float]], q: float) -> float | None:
    """`cumulated`: (upper bound, observations up to it), the last bound infinite."""
    if not cumulated or cumulated[-1][1] == 0:
        return None
    rank = q * cumulated[-1][1]
    lower, below = 0.0, 0.0
    for upper, count in cumulated:
        if count >= rank and count > below:
            if upper == float("inf"):
                return lower
            return lower + (upper - lower) * (rank - below) / (count - below)
        lower, below = upper, count
    return lower
