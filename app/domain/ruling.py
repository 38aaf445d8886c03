"""The pipeline: gates asked one after the other, and what follows from their rulings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_FLOOR, Decimal
from enum import StrEnum
from typing import Any

from app.domain.gate import NOTHING, WHOLE, Answer, Case, Gate, Params, Ruling, Verdict
from app.domain.gates import BY_NAME
from app.domain.quantity import floor_to
from app.domain.refusal import Refusal

_FINE = Decimal("0.000001")


class Outcome(StrEnum):
    EXECUTE = "execute"
    REDUCE = "reduce"
    DEFER = "defer"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Chosen:
    """A gate that is switched on, with its parameters complete."""

    gate: Gate
    params: Params


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows from all rulings.

    `factor` is the share of the size that remains (0 where rejected). `rulings` are of the gates
    that were asked, in order; `not_asked` names those after a rejection.
    """

    outcome: Outcome
    factor: Decimal
    rulings: tuple[Ruling, ...]
    not_asked: tuple[str, ...] = ()

    @property
    def decisive(self) -> Ruling | None:
        """The ruling that made the outcome; None where all gates passed. Of several reductions,
        the largest."""
        verdict = Verdict(self.outcome.value) if self.outcome is not Outcome.EXECUTE else None
        found = [ruling for ruling in self.rulings if ruling.verdict is verdict]
        return min(found, key=lambda ruling: ruling.factor, default=None)

    def size(self, qty: Decimal, lot: Decimal) -> Decimal:
        """What remains of `qty`, in whole lots, never more than the gates left of it."""
        return qty if self.factor == WHOLE else floor_to(qty * self.factor, lot)


def choose(name: str, given: Mapping[str, Any]) -> Chosen:
    """A gate by name with its settings. Raises Refusal for an unknown gate or parameter."""
    gate = BY_NAME.get(name)
    if gate is None:
        known = ", ".join(sorted(BY_NAME))
        raise Refusal("unknown_gate", f"no gate {name!r}; there are: {known}", field="gates")
    return Chosen(gate, gate.terms.complete(name, given))


def rule(case: Case, chosen: Sequence[Chosen]) -> Decision:
    """Ask gates in their order. A rejection ends it; reductions multiply, and gates after one see
    the smaller size; a deferral beats a reduction, and the gates after it are asked all the same.
    """
    factor, rulings = WHOLE, list[Ruling]()
    for place, (gate, params) in enumerate((c.gate, c.params) for c in chosen):
        left = case if factor == WHOLE else replace(case, qty=case.qty * factor)
        ruling = _ruled(gate, gate.judge(left, params))
        rulings.append(ruling)
        if ruling.verdict is Verdict.REJECT:
            after = tuple(c.gate.name for c in chosen[place + 1 :])
            return Decision(Outcome.REJECT, NOTHING, tuple(rulings), after)
        factor *= ruling.factor
    outcome = _outcome(rulings)
    return Decision(outcome, factor.quantize(_FINE, ROUND_FLOOR), tuple(rulings))


def _ruled(gate: Gate, answer: Answer) -> Ruling:
    rejected = answer.verdict is Verdict.REJECT
    return Ruling(
        gate=gate.name,
        version=gate.version,
        verdict=answer.verdict,
        factor=NOTHING if rejected else answer.factor,
        reason=answer.reason,
        inputs=answer.inputs,
        threshold=answer.threshold,
        confidence=answer.confidence,
    )


def _outcome(rulings: Sequence[Ruling]) -> Outcome:
    verdicts = {ruling.verdict for ruling in rulings}
    if Verdict.DEFER in verdicts:
        return Outcome.DEFER
    return Outcome.REDUCE if Verdict.REDUCE in verdicts else Outcome.EXECUTE
