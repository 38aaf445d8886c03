"""How long requests take, as a Prometheus histogram.

The client library's own takes locks and walks the buckets; every order that is entered waits for
it. Here all are counted by the one loop that serves them.
"""

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate

from prometheus_client.metrics_core import HistogramMetricFamily
from prometheus_client.registry import Collector

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_NAMES = (*map(str, BOUNDS), "+Inf")


class Timings(Collector):
    """Requests by method, route and status."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str, int], list[int]] = {}
        self._sums: dict[tuple[str, str, int], float] = {}

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request. Labels are few."""
        labels = (method, route, status)
        counts = self._counts.get(labels)
        if counts is None:
            counts = self._counts[labels] = [0] * len(_NAMES)
            self._sums[labels] = 0.0
        counts[bisect_left(BOUNDS, seconds)] += 1
        self._sums[labels] += seconds

    def describe(self) -> list[HistogramMetricFamily]:
        return [_family()]

    def collect(self) -> Iterator[HistogramMetricFamily]:
        family = _family()
        for labels, counts in self._counts.items():
            buckets = list(zip(_NAMES, map(float, accumulate(counts)), strict=True))
            family.add_metric([str(label) for label in labels], buckets, self._sums[labels])
        yield family


def _family() -> HistogramMetricFamily:
    return HistogramMetricFamily(
        "slipstream_request_seconds",
        "Time from a request's first byte to the end of its answer.",
        labels=("method", "route", "status"),
    )
