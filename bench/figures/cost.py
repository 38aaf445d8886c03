"""How long the router and the cost estimate take: what every accepted order waits for."""

import gc
import json
import time
from collections.abc import Callable
from decimal import Decimal
from itertools import cycle
from typing import Any

from app.domain.admission import Admitted, admit
from app.domain.alternatives import alternatives
from app.domain.cost.calibration import PUBLISHED
from app.domain.cost.model import Estimate
from app.domain.cost.order import conditions_of, estimate_order
from app.domain.instant import DAY, HOUR, MINUTE, SECOND, Instant
from app.domain.instrument import Instrument
from app.domain.market import Quote
from app.domain.quantity import Side
from app.domain.request import Request
from app.domain.routing import Route, Thresholds, route
from app.domain.scene import Rules, Scene
from app.domain.session import Session
from app.domain.task import Policy, Urgency
from app.domain.volume import curve_from_history
from bench.figure import Figure, Goal, Measured, Rounds, Setting, percentile

CALLS = 20_000
MOMENTS = 5_000
"""More than are remembered, so that none is met again."""

OPEN: Instant = 19_700 * DAY + 14 * HOUR + 30 * MINUTE
SESSION = Session(OPEN, OPEN + 390 * MINUTE)
VOLUME = Decimal(5_000_000)
RULES = Rules(Thresholds(), Policy(120 * SECOND, Decimal("0.05")))
# A share for every five minutes: as fine as a curve from history is.
CURVE = curve_from_history(
    [[10.0 + k % 7 for k in range(78)]], bin_length=5 * MINUTE, periodic=False
)
REQUEST = Request("a", "ACME", Side.BUY, Decimal(5_000), algo="twap")

ORDER = {
    "symbol": "ACME", "side": "buy", "qty": "5000", "algo": "twap", "duration": "30m",
    "limit_price": "101.25", "urgency": "normal", "client_order_id": "rebalance-7-1",
    "params": {"slices": 10, "jitter": 30, "placement": "rest_then_cross", "lot": "100"},
    "strategy": "momentum", "tags": ["a", "b"], "time_in_force": "day", "on_restart": "resume",
}  # fmt: skip


async def measure(setting: Setting) -> Measured:
    rounds, calls = Rounds(), setting.many(CALLS)
    for _ in range(setting.rounds):
        rounds.add(**times("route", decided, calls))
        rounds.add(**times("known", estimator(fresh=False), calls))
        rounds.add(**times("fresh", estimator(fresh=True), calls))
        rounds.add(**times("weighed", weigher(), max(calls // 10, 2)))
        rounds.add(**times("json", lambda: json.loads(json.dumps(ORDER)), calls))
    return Measured(
        [
            rounds.reading("decision, p50", "route_p50", "µs"),
            rounds.reading("decision, p99", "route_p99", "µs", Goal("≤", 100)),
            rounds.reading("estimate, p50", "known_p50", "µs"),
            rounds.reading("estimate, p99", "known_p99", "µs", Goal("≤", 100)),
            rounds.reading("estimate, each in a moment of its own, p50", "fresh_p50", "µs"),
            rounds.reading("estimate, each in a moment of its own, p99", "fresh_p99", "µs",
                           Goal("≤", 100)),
            rounds.reading("four alternatives, p50", "weighed_p50", "µs"),
            rounds.reading("four alternatives, p99", "weighed_p99", "µs"),
            rounds.reading("an order to JSON and back, p50", "json_p50", "µs"),
            rounds.ratio("estimate p50 over that", "known_p50", "json_p50"),
        ],
        (
            f"{calls} calls a round in one process, each timed by the processor's clock; a TWAP of"
            " 5000 over an hour, by a curve of 78 bins",
            "many orders meet a market in the same moment, for which the schedule is laid over the"
            " curve once; `in a moment of its own` lays it out for each",
        ),
    )  # fmt: skip


def times(name: str, work: Callable[[], Any], calls: int) -> dict[str, float]:
    """Microseconds of the processor a call: who else runs meanwhile is left out."""
    seen = []
    gc.collect()
    gc.freeze()
    for _ in range(calls):
        began = time.thread_time_ns()
        work()
        seen.append((time.thread_time_ns() - began) / 1000)
    gc.unfreeze()
    return {f"{name}_p50": percentile(seen, 0.5), f"{name}_p99": percentile(seen, 0.99)}


def decided() -> Route:
    return route(
        notional=Decimal(500_000),
        qty=Decimal(5_000),
        daily_volume=VOLUME,
        urgency=Urgency.NORMAL,
        thresholds=RULES.thresholds,
    )


def estimator(*, fresh: bool) -> Callable[[], Estimate]:
    """Prices the same order again and again, or each time one of another moment."""
    orders = [admitted(OPEN + HOUR + k * SECOND) for k in range(MOMENTS if fresh else 1)]
    upcoming = cycle(orders)

    def priced() -> Estimate:
        order, scene = next(upcoming)
        conditions = conditions_of(order.quote, scene.volatility, scene.daily_volume)
        return estimate_order(order.task, order.algorithm, conditions, scene.daily_volume)

    return priced


def weigher() -> Callable[[], Any]:
    order, scene = admitted(OPEN + HOUR)
    return lambda: alternatives(order, REQUEST, scene, RULES, PUBLISHED)


def admitted(now: Instant) -> tuple[Admitted, Scene]:
    cent, one = Decimal("0.01"), Decimal(1)
    scene = Scene(
        instrument=Instrument("ACME", cent, one, one, "XNYS"),
        sessions=[SESSION],
        curve=CURVE,
        quote=Quote(Decimal("99.99"), Decimal("100.01"), one, one, now, now),
        last=None,
        last_at=None,
        daily_volume=VOLUME,
        now=now,
        volatility=0.015,
    )
    return admit(REQUEST, "o1", scene, RULES), scene


FIGURE = Figure("cost", "The router's decision and the cost estimate", measure)
