"""A plan as JSON: in the database, in reports, and in what is told of a result."""

from decimal import Decimal
from typing import Any

from app.domain.instant import MILLISECOND, SECOND
from app.research.backtest.plan import WHOLE_DAY, Choice, ImpactPlan, Plan
from app.store.views.plain import text


def plan_to_json(plan: Plan) -> dict[str, Any]:
    """Amounts as strings, lengths of time in seconds, the latency in milliseconds."""
    impact = plan.impact
    return {
        "tape": plan.tape,
        "symbols": list(plan.symbols),
        "algos": [
            {"label": c.label, "algo": c.algo, "params": {k: str(v) for k, v in c.params.items()}}
            for c in plan.algos
        ],
        "parents": plan.parents,
        "days": list(plan.days) if plan.days else None,
        "qty": text(plan.qty),
        "participation": [text(share) for share in plan.shares] if plan.shares else None,
        "window": plan.window / SECOND if plan.window is not None else WHOLE_DAY,
        "side": plan.side,
        "seed": plan.seed,
        "latency_ms": plan.latency / MILLISECOND,
        "impact": None
        if impact is None
        else {
            "permanent": impact.permanent,
            "temporary": impact.temporary,
            "half_life": impact.half_life / SECOND,
        },
        "max_participation": text(plan.max_participation),
        "fee_per_share": text(plan.fee_per_share),
        "fee_bps": text(plan.fee_bps),
    }


def plan_from_json(data: dict[str, Any]) -> Plan:
    """The plan that was written by `plan_to_json`."""
    impact, shares, days = data["impact"], data["participation"], data["days"]
    window = data["window"]
    return Plan(
        tape=data["tape"],
        symbols=tuple(data["symbols"]),
        algos=tuple(Choice(c["label"], c["algo"], c["params"]) for c in data["algos"]),
        parents=data["parents"],
        days=(days[0], days[1]) if days else None,
        qty=_amount(data["qty"]),
        shares=(Decimal(shares[0]), Decimal(shares[1])) if shares else None,
        window=None if window == WHOLE_DAY else round(window * SECOND),
        side=data["side"],
        seed=data["seed"],
        latency=round(data["latency_ms"] * MILLISECOND),
        impact=None
        if impact is None
        else ImpactPlan(
            impact["permanent"], impact["temporary"], round(impact["half_life"] * SECOND)
        ),
        max_participation=_amount(data["max_participation"]),
        fee_per_share=Decimal(data["fee_per_share"]),
        fee_bps=Decimal(data["fee_bps"]),
    )


def _amount(told: str | None) -> Decimal | None:
    return Decimal(told) if told is not None else None
