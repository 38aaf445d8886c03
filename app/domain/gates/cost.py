"""Is the expected edge worth the expected cost of the order as it would be executed?"""

from decimal import Decimal
from math import erf, sqrt
from typing import Any

from app.domain.algorithm import Kind, Parameter
from app.domain.gate import Answer, Case, ExpectedCost, Gate, Params, Verdict

EXPECTED, HIGH = "expected", "high"

Z_90 = 1.6448536269514722
"""`low` and `high` are the 5 % and 95 % points."""


def judge(case: Case, params: Params) -> Answer:
    """Basis points against basis points. What is not known is said, and judged by `unknown`."""
    multiple, against = params["multiple"], params["against"]
    threshold = {"multiple": format(multiple, "f"), "against": against}
    edge, cost = case.expected_edge, case.cost
    inputs = {"expected_edge_bps": _text(edge), **_shown(cost), "qty": _text(case.qty)}
    held_against = _held_against(cost, against)
    if edge is None or cost is None or held_against is None:
        missing = "the signal gives no expected edge" if edge is None else "the cost is not known"
        verdict = Verdict.PASS if params["unknown"] == "pass" else Verdict.REJECT
        return Answer(verdict, f"cannot judge: {missing}", inputs, threshold)
    needed = multiple * held_against
    threshold["edge_bps"] = _text(needed) or ""
    enough = edge >= needed
    return Answer(
        Verdict.PASS if enough else Verdict.REJECT,
        f"an edge of {edge:.2f} bps is {'' if enough else 'not '}worth {multiple:f} times"
        f" {'the expected cost' if against == EXPECTED else 'the high end of the cost'} of"
        f" {held_against:.2f} bps",
        inputs,
        threshold,
        confidence=_confidence(edge / multiple, cost, enough),
    )


def _held_against(cost: ExpectedCost | None, against: str) -> Decimal | None:
    if cost is None:
        return None
    return cost.bps if against == EXPECTED else cost.high


def _confidence(worth: Decimal, cost: ExpectedCost, enough: bool) -> float | None:
    """The probability that the cost will turn out on the side on which the verdict says it is."""
    if cost.low is None or cost.high is None or cost.high <= cost.low:
        return None
    sd = float(cost.high - cost.low) / (2 * Z_90)
    below = (1 + erf(float(worth - cost.bps) / sd / sqrt(2))) / 2
    return below if enough else 1 - below


def _shown(cost: ExpectedCost | None) -> dict[str, Any]:
    parts = (cost.bps, cost.low, cost.high) if cost else (None, None, None)
    return dict(zip(("cost_bps", "cost_low_bps", "cost_high_bps"), map(_text, parts), strict=True))


def _text(amount: Decimal | None) -> str | None:
    return format(amount, "f") if amount is not None else None


GATE = Gate(
    name="cost",
    title="Cost",
    doc="Rejects a signal whose expected edge is below a multiple of its expected cost.",
    version=1,
    judge=judge,
    parameters=(
        Parameter(
            "multiple",
            Kind.DECIMAL,
            "The edge must be this many times the cost. 2: what is bought has to be sold again.",
            default=Decimal(2),
            minimum=Decimal("0.01"),
            maximum=Decimal(1000),
        ),
        Parameter(
            "against",
            Kind.CHOICE,
            "expected: the mean of the estimate. high: its 95 % point, timing risk included.",
            default=EXPECTED,
            choices=(EXPECTED, HIGH),
        ),
        Parameter(
            "unknown",
            Kind.CHOICE,
            "What becomes of a signal without an expected edge, or whose cost is not known.",
            default="pass",
            choices=("pass", "reject"),
        ),
    ),
)
