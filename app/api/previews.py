"""A preview as JSON: route, schedule, cost with its assumptions, verdicts."""

from decimal import Decimal
from itertools import accumulate
from typing import Any

from app.api.order_bodies import exact
from app.domain.instant import rfc3339
from app.domain.plan import Plan
from app.domain.task import Task
from app.engine.preview import Preview, Verdict

_BPS = Decimal(10_000)


def preview_answer(preview: Preview) -> dict[str, Any]:
    task, route = preview.admitted.task, preview.admitted.route
    return {
        "would_be_accepted": all(v.passed for v in preview.verdicts if v.name != "kill_switch"),
        "symbol": task.instrument.symbol,
        "side": task.side.value,
        "qty": exact(task.qty),
        "notional": exact(round(preview.admitted.notional, 4)),
        "algo": task.algo,
        "route_reason": route.reason,
        "priority": preview.priority,
        "limit_price": exact(task.limit_price) if task.limit_price is not None else None,
        "start_time": rfc3339(task.start),
        "end_time": rfc3339(task.end),
        "curve_source": task.curve.source,
        "schedule": slices(preview.plan),
        "cost": _cost(preview, task),
        "verdicts": [_verdict(verdict) for verdict in preview.verdicts],
    }


def slices(plan: Plan) -> list[dict[str, Any]]:
    """The slices of a plan with the quantity that may be done once each has begun."""
    sums = accumulate((step.qty for step in plan.steps), initial=plan.done)
    next(sums)
    return [
        {
            "at": rfc3339(step.at),
            "due_at": rfc3339(step.due_at) if step.due_at is not None else None,
            "qty": exact(step.qty),
            "cumulative": exact(total),
        }
        for step, total in zip(plan.steps, sums, strict=True)
    ]


def _cost(preview: Preview, task: Task) -> dict[str, Any]:
    """Half the spread at the arrival quote: what crossing costs against the mid."""
    quote = preview.admitted.quote
    if quote is None or not quote.uncrossed:
        return {"half_spread_bps": None, "half_spread_money": None, "assumptions": [_NO_QUOTE]}
    half = (quote.ask - quote.bid) / 2
    return {
        "arrival": {"bid": exact(quote.bid), "ask": exact(quote.ask), "mid": exact(quote.mid)},
        "currency": task.instrument.currency,
        "half_spread_bps": exact(round(half / quote.mid * _BPS, 4)),
        "half_spread_money": exact(round(half * task.qty, 4)),
        "assumptions": _ASSUMPTIONS,
    }


_NO_QUOTE = "there is no uncrossed quote to measure the spread from"
_ASSUMPTIONS = [
    "the whole quantity crosses the spread; what fills resting costs less",
    "the spread stays as wide as in the quote shown",
    "no market impact, no fees, and no drift of the price are counted",
]


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "gate": verdict.name,
        "verdict": "pass" if verdict.passed else "reject",
        "limit_value": exact(verdict.limit) if verdict.limit is not None else None,
        "order_value": exact(verdict.value) if verdict.value is not None else None,
        "reason": verdict.reason,
    }
