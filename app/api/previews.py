"""A preview as JSON: route, schedule, what it costs, what else it could be, verdicts."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import accumulate
from typing import Any

from app.api.order_bodies import exact
from app.api.preview_costs import alternatives, basis, cost, frontier, participation
from app.domain.instant import rfc3339
from app.domain.plan import Step
from app.domain.quantity import ZERO
from app.domain.risk.judge import Outcome, Verdict
from app.engine.preview import Preview


def preview_answer(preview: Preview) -> dict[str, Any]:
    task, route = preview.admitted.task, preview.admitted.route
    return {
        "would_be_accepted": all(v.outcome in _LETS_IN for v in preview.verdicts),
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
        "schedule": slices(preview.steps),
        "schedule_basis": basis(preview),
        "participation": participation(preview),
        "cost": cost(preview),
        "alternatives": alternatives(preview),
        "frontier": frontier(preview),
        "verdicts": [*map(_verdict, preview.verdicts), _halt(preview.halt)],
    }


def slices(steps: Sequence[Step], done: Decimal = ZERO) -> list[dict[str, Any]]:
    """The slices of a plan from `done` on, with what may be done in all once each has begun."""
    sums = accumulate((step.qty for step in steps), initial=done)
    next(sums)
    return [
        {
            "at": rfc3339(step.at),
            "due_at": rfc3339(step.due_at) if step.due_at is not None else None,
            "qty": exact(step.qty),
            "cumulative": exact(total),
        }
        for step, total in zip(steps, sums, strict=True)
    ]


_LETS_IN = (Outcome.PASS, Outcome.CONFIRMED)


def _verdict(verdict: Verdict) -> dict[str, Any]:
    bound = verdict.bound
    return {
        "gate": bound.limit.name,
        "verdict": "reject" if verdict.outcome is Outcome.REFUSE else verdict.outcome.value,
        "scope": bound.scope.value,
        "name": bound.name,
        "limit_value": exact(bound.hard) if bound.hard is not None else None,
        "soft_value": exact(bound.soft) if bound.soft is not None else None,
        "order_value": exact(verdict.value) if verdict.value is not None else None,
        "reason": verdict.reason,
    }


def _halt(reason: str | None) -> dict[str, Any]:
    return {
        "gate": "kill_switch",
        "verdict": "pass" if reason is None else "reject",
        "limit_value": None,
        "order_value": None,
        "reason": reason,
    }
