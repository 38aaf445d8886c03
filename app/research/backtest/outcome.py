"""All rows of a backtest together: what each algorithm cost, and how they compare."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from app.research.backtest.compare import LEVEL, RESAMPLES, Interval, paired
from app.research.backtest.measure import AFTERWARDS, COSTS, SHARES
from app.research.backtest.plan import Plan
from app.research.backtest.plan_json import plan_to_json
from app.research.backtest.work import Row

FORMAT = 1
COMPARED = ("total", "arrival", "interval_vwap", "fees", "opportunity", "completion")
QUANTILES = {"p05": 0.05, "p25": 0.25, "median": 0.5, "p75": 0.75, "p95": 0.95}
NOTES = (
    "Costs in basis points, positive = cost, for buys and sells alike.",
    "Curves, daily volume and volatility of a day are of the days before it.",
    "Each parent is alone with its market: none meets another, or the server's orders.",
    "Differences are an algorithm's cost minus the first one's, parent by parent; below zero: it "
    "is cheaper.",
    f"Intervals: {LEVEL:.0%}, bootstrap of {RESAMPLES:,} resamples of days, because the parents of "
    "one day share their market.",
)
_PLACES = 6


def outcome(
    plan: Plan, rows: Iterable[Row], left_out: Mapping[str, int], *, partial: bool = False
) -> dict[str, Any]:
    """The result as JSON. The same rows give the same bytes; no clock is in it."""
    every = sorted(rows, key=lambda row: row["parent"])
    whole = [row for row in every if row["refused"] is None]
    refused = Counter(row["refused"] for row in every if row["refused"] is not None)
    return {
        "format": FORMAT,
        "plan": plan_to_json(plan),
        "partial": partial,
        "parents": {
            "asked": plan.parents,
            "worked": len(whole),
            "refused": dict(sorted(refused.items())),
            "days": len({row["day"] for row in whole}),
            "symbols": sorted({row["symbol"] for row in whole}),
        },
        "sessions_left_out": dict(sorted(left_out.items())),
        "algorithms": [_algorithm(plan, i, whole) for i in range(len(plan.algos))],
        "comparison": [_compared(plan, i, whole) for i in range(1, len(plan.algos))],
        "sample": _sample(whole),
        "notes": list(NOTES),
    }


def _algorithm(plan: Plan, place: int, rows: Sequence[Row]) -> dict[str, Any]:
    choice = plan.algos[place]
    runs = [row["runs"][place] for row in rows]
    return {
        "label": choice.label,
        "algo": choice.algo,
        "params": {name: str(value) for name, value in choice.params.items()},
        "statuses": dict(sorted(Counter(run["status"] for run in runs).items())),
        "figures": {name: _summary(runs, name) for name in (*COSTS, *AFTERWARDS, *SHARES)},
    }


def _summary(runs: Sequence[Row], name: str) -> dict[str, Any]:
    values = [float(run[name]) for run in runs if run[name] is not None]
    if not values:
        reasons = Counter(run["why"][name] for run in runs if name in run["why"])
        most = reasons.most_common(1)
        return {"n": 0, "reason": most[0][0] if most else "no run has it"}
    found = np.asarray(values)
    told = {"n": len(values), "mean": _round(found.mean())}
    told["sd"] = _round(found.std(ddof=1)) if len(values) > 1 else None
    return told | {name: _round(np.quantile(found, at)) for name, at in QUANTILES.items()}


def _compared(plan: Plan, place: int, rows: Sequence[Row]) -> dict[str, Any]:
    first, other = plan.algos[0], plan.algos[place]
    return {
        "label": other.label,
        "against": first.label,
        "figures": {name: _paired(plan, place, rows, name) for name in COMPARED},
    }


def _paired(plan: Plan, place: int, rows: Sequence[Row], name: str) -> dict[str, Any]:
    both = [(row["runs"][place][name], row["runs"][0][name], row["day"]) for row in rows]
    known = [(a, b, day) for a, b, day in both if a is not None and b is not None]
    differences = [round(float(a) - float(b), _PLACES) for a, b, _ in known]
    # The same days for every algorithm and figure.
    found = paired(differences, [day for *_, day in known], plan.seed)
    return {
        "n": found.n,
        "days": found.days,
        "mean": _round(found.mean),
        "mean_interval": _bounds(found.mean_interval),
        "median": _round(found.median),
        "median_interval": _bounds(found.median_interval),
        "wins": _round(found.wins),
        "ties": _round(found.ties),
        "reason": found.reason,
    }


def _sample(rows: Sequence[Row]) -> dict[str, Any] | None:
    """The first parent that was kept in full and filled by all."""
    kept = [row for row in rows if "sample" in row]
    filled = [row for row in kept if all(run["fills"] for run in row["runs"])]
    chosen = next(iter([*filled, *kept]), None)
    if chosen is None:
        return None
    about = ("parent", "symbol", "day", "side", "qty", "begins", "end", "mid")
    return {name: chosen[name] for name in about} | dict(chosen["sample"])


def _bounds(interval: Interval | None) -> list[float | None] | None:
    return [_round(interval.low), _round(interval.high)] if interval is not None else None


def _round(value: Any) -> float | None:
    # A zero has no sign.
    return round(float(value), _PLACES) + 0.0 if value is not None else None
