"""How sure of itself a signal must be."""

from decimal import Decimal

from app.domain.algorithm import Kind, Parameter
from app.domain.gate import Answer, Case, Gate, Params, Verdict


def judge(case: Case, params: Params) -> Answer:
    """No confidence given means nothing to hold against the signal."""
    least = float(params["least"])
    given = case.confidence
    inputs, threshold = {"confidence": given}, {"least": least}
    if given is None:
        return Answer(Verdict.PASS, "the signal gives no confidence", inputs, threshold)
    low = given < least
    return Answer(
        Verdict.REJECT if low else Verdict.PASS,
        f"the signal's confidence {given:g} is {'below' if low else 'not below'} {least:g}",
        inputs,
        threshold,
        confidence=given,
    )


GATE = Gate(
    name="confidence",
    title="Confidence",
    doc="Rejects a signal whose own confidence is too low; one that gives none passes.",
    version=1,
    judge=judge,
    parameters=(
        Parameter(
            "least",
            Kind.DECIMAL,
            "The lowest confidence that passes, between 0 and 1.",
            default=Decimal("0.5"),
            minimum=Decimal(0),
            maximum=Decimal(1),
        ),
    ),
)
