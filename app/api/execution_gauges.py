"""How the machine worked in the last minutes, for Prometheus."""

from collections.abc import Callable, Mapping
from typing import Any

from prometheus_client import Gauge

Make = Callable[[str, str, tuple[str, ...]], Gauge]


class ExecutionGauges:
    """Set anew whenever somebody asks. What nothing supports is not shown."""

    def __init__(self, make: Make) -> None:
        window = ("window",)
        self._backlog = make("backlog", "What waits now, by what it waits for.", ("what",))
        self._orders = make("order_success_ratio", "Filled of finished orders.", window)
        self._children = make("child_success_ratio", "Children taken of those answered.", window)
        self._pace = make("children_per_second", "Children decided a second.", window)
        self._send = make(
            "send_seconds", "From the committed intent to the answer.", ("quantile", "window")
        )

    def set(self, execution: Mapping[str, Any]) -> None:
        for what, count in execution["backlog"].items():
            self._backlog.labels(what).set(count)
        for gauge in (self._orders, self._children, self._pace, self._send):
            gauge.clear()
        for name, shown in execution["windows"].items():
            now = shown["current"]
            _set(self._orders, now["orders"]["success_rate"], 1, name)
            _set(self._children, now["children"]["success_rate"], 1, name)
            _set(self._pace, now["children"]["per_second"], 1, name)
            _set(self._send, now["send_latency"]["p50_ms"], 1_000, "0.5", name)
            _set(self._send, now["send_latency"]["p99_ms"], 1_000, "0.99", name)


def _set(gauge: Gauge, value: str | None, by: float, *labels: str) -> None:
    if value is not None:
        gauge.labels(*labels).set(float(value) / by)
