"""Prometheus metrics of one app, in a registry of its own."""

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from app.api.execution_gauges import ExecutionGauges
from app.api.timings import Timings
from app.engine.vitals import Vitals


class Metrics:
    """Counts requests as they pass; the rest is read when somebody asks."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Timings()
        self._registry.register(self.requests)
        self._orders = self._gauge("orders", "Parent orders.", ("status",))
        self._children = self._gauge("child_orders", "Child orders.", ("status",))
        self._fills = self._gauge("fills", "Fills booked.")
        self._clients = self._gauge("stream_clients", "Subscriptions to the event stream.")
        self._lag = self._gauge(
            "stream_lag_seconds", "Age of the oldest transaction that holds back the stream."
        )
        self._clock_age = self._gauge(
            "market_clock_age_seconds", "Since a worker last told the market time."
        )

        self._execution = ExecutionGauges(self._gauge)

    def page(self, vitals: Vitals) -> bytes:
        for gauge, counts in (
            (self._orders, vitals.statistics["orders"]),
            (self._children, vitals.statistics["children"]),
        ):
            gauge.clear()
            for status, count in counts.items():
                gauge.labels(status).set(count)
        self._fills.set(vitals.statistics["fills"])
        self._clients.set(vitals.stream_clients)
        self._lag.set(vitals.stream_lag_seconds)
        age = vitals.clock_age_seconds
        self._clock_age.set(age if age is not None else float("inf"))
        self._execution.set(vitals.execution)
        return generate_latest(self._registry)

    def _gauge(self, name: str, doc: str, labels: tuple[str, ...] = ()) -> Gauge:
        return Gauge(f"slipstream_{name}", doc, labels, registry=self._registry)
