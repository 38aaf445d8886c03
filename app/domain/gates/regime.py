"""Does the market's regime suit the kind of strategy? A matrix says."""

from dataclasses import asdict
from decimal import Decimal
from typing import Any

from app.domain.algorithm import Kind, Parameter
from app.domain.gate import Answer, Case, Gate, Params, StrategyKind, Verdict
from app.domain.instant import SECOND, rfc3339, seconds
from app.domain.regime.record import Label, Regime

YES, CAUTION, NO = "yes", "caution", "no"

MATRIX = {
    StrategyKind.MOMENTUM: (YES, NO, CAUTION, NO),
    StrategyKind.MEAN_REVERSION: (NO, YES, CAUTION, NO),
    StrategyKind.VOLATILITY: (NO, CAUTION, YES, YES),
}
"""In the order of the labels: trending, mean reverting, volatile, crisis."""


def judge(case: Case, params: Params) -> Answer:
    """What the matrix says; a label that is not sure turns a yes into caution."""
    least = float(params["least_confidence"])
    threshold: dict[str, Any] = {
        "least_confidence": least,
        "max_age": format(params["max_age"], "f"),
    }
    regime, kind = case.regime, case.kind
    inputs: dict[str, Any] = {"kind": kind.value if kind else None, **_shown(regime)}
    if kind is None:
        reason = "cannot judge: the strategy is of no known kind"
        return _answer(params["unclassified"], reason, inputs, threshold, params, None)
    missing = _missing(case, params)
    if regime is None or missing is not None:
        return _answer(params["no_data"], f"cannot judge: {missing}", inputs, threshold, params)
    said = params[cell(kind, regime.label)]
    threshold["matrix"] = said
    sure = regime.confidence >= least
    word = {YES: "suits", CAUTION: "suits with caution", NO: "does not suit"}[said]
    reason = f"{kind.value} {word} a market that is {regime.label.value}"
    if said == YES and not sure:
        said, reason = CAUTION, f"{reason}, of which there is little certainty"
    return _answer(said, reason, inputs, threshold, params, regime.confidence)


def cell(kind: StrategyKind, label: Label) -> str:
    """The name of the matrix's parameter."""
    return f"{kind.value}_{label.value}"


def _answer(
    said: str,
    reason: str,
    inputs: dict[str, Any],
    threshold: dict[str, Any],
    params: Params,
    confidence: float | None = None,
) -> Answer:
    if said == NO:
        return Answer(Verdict.REJECT, reason, inputs, threshold, confidence=confidence)
    factor: Decimal = params["caution_factor"]
    if said == YES or factor == 1:
        return Answer(Verdict.PASS, reason, inputs, threshold, confidence=confidence)
    return Answer(Verdict.REDUCE, reason, inputs, threshold, factor, confidence)


def _missing(case: Case, params: Params) -> str | None:
    if case.regime is None:
        return "the regime is not known"
    age = case.now - case.regime.at
    if age > params["max_age"] * SECOND:
        return f"the regime is known as of {seconds(age):.0f} s ago"
    return None


def _shown(regime: Regime | None) -> dict[str, Any]:
    if regime is None:
        return {"regime": None}
    parts = {name: value for name, value in asdict(regime.components).items() if name != "at"}
    return {
        "regime": regime.label.value,
        "at": rfc3339(regime.at),
        "since": rfc3339(regime.since),
        "components": parts,
    }


def _cells() -> tuple[Parameter, ...]:
    return tuple(
        Parameter(
            cell(kind, label),
            Kind.CHOICE,
            f"Whether a strategy of the kind {kind.value} trades in a market that is {label.value}."
            " caution: with a smaller size.",
            default=said,
            choices=(YES, CAUTION, NO),
        )
        for kind, row in MATRIX.items()
        for label, said in zip(Label, row, strict=True)
    )


GATE = Gate(
    name="regime",
    title="Regime",
    doc="Passes, halves or rejects a signal by its strategy's kind and the market's regime.",
    version=1,
    judge=judge,
    parameters=(
        *_cells(),
        Parameter(
            "caution_factor",
            Kind.DECIMAL,
            "The share of the size that caution leaves.",
            default=Decimal("0.5"),
            minimum=Decimal("0.01"),
            maximum=Decimal(1),
        ),
        Parameter(
            "least_confidence",
            Kind.DECIMAL,
            "Below this confidence in the regime a yes is caution.",
            default=Decimal("0.5"),
            minimum=Decimal(0),
            maximum=Decimal(1),
        ),
        Parameter(
            "max_age",
            Kind.SECONDS,
            "The oldest that a regime may be, in market time.",
            default=600,
            minimum=60,
            maximum=7 * 86_400,
        ),
        Parameter(
            "no_data",
            Kind.CHOICE,
            "What it means that the regime is not known, or too old.",
            default=CAUTION,
            choices=(YES, CAUTION, NO),
        ),
        Parameter(
            "unclassified",
            Kind.CHOICE,
            "What becomes of a strategy of no known kind.",
            default=YES,
            choices=(YES, CAUTION, NO),
        ),
    ),
)
