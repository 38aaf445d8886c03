"""Confidence, freshness, and the matrix of strategies and regimes."""

from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.gate import StrategyKind
from app.domain.instant import MINUTE, SECOND
from app.domain.regime.record import Label
from app.domain.ruling import Outcome
from tests.domain.gates.situations import NOW, asked, case, regime

FEATURES = {
    "momentum": "yes no caution no",
    "mean_reversion": "no yes caution no",
    "volatility": "no caution yes yes",
}
"""Row D6, by trending, mean reverting, volatile, crisis."""
OUTCOMES = {"yes": Outcome.EXECUTE, "caution": Outcome.REDUCE, "no": Outcome.REJECT}


@pytest.mark.parametrize("kind", StrategyKind)
@pytest.mark.parametrize(("place", "label"), list(enumerate(Label)))
def test_the_matrix(kind: StrategyKind, place: int, label: Label) -> None:
    said = FEATURES[kind.value].split()[place]
    decision = asked("regime", case(kind=kind, regime=regime(label)))
    assert decision.outcome is OUTCOMES[said]
    assert decision.factor == {"yes": 1, "caution": Decimal("0.5"), "no": 0}[said]
    assert decision.rulings[0].confidence == 0.9
    turned = {"yes": "no", "caution": "yes", "no": "caution"}[said]
    cell = f"{kind.value}_{label.value}"
    other = asked("regime", case(kind=kind, regime=regime(label)), **{cell: turned})
    assert other.outcome is OUTCOMES[turned]


def test_a_regime_that_is_not_sure_turns_yes_into_caution() -> None:
    unsure = case(regime=regime(Label.TRENDING, confidence=0.4))
    decision = asked("regime", unsure, caution_factor="0.3")
    assert (decision.outcome, decision.factor) == (Outcome.REDUCE, Decimal("0.3"))
    assert "little certainty" in decision.rulings[0].reason
    assert asked("regime", unsure, least_confidence="0.4").outcome is Outcome.EXECUTE
    assert asked("regime", unsure, caution_factor=1).outcome is Outcome.EXECUTE
    no = case(regime=regime(Label.CRISIS, confidence=0.1))
    assert asked("regime", no).outcome is Outcome.REJECT, "doubt allows nothing"


def test_an_unknown_or_old_regime_is_caution_unless_told() -> None:
    for missing in (None, replace(regime(), at=NOW - 11 * MINUTE)):
        decision = asked("regime", case(regime=missing))
        assert decision.outcome is Outcome.REDUCE
        assert decision.rulings[0].reason.startswith("cannot judge: the regime is")
        assert asked("regime", case(regime=missing), no_data="no").outcome is Outcome.REJECT
    assert asked("regime", case(kind=None)).outcome is Outcome.EXECUTE
    assert asked("regime", case(kind=None), unclassified="no").outcome is Outcome.REJECT


def test_confidence() -> None:
    assert asked("confidence", case(confidence=0.5)).outcome is Outcome.EXECUTE
    low = asked("confidence", case(confidence=0.49))
    assert low.outcome is Outcome.REJECT
    assert low.rulings[0].reason == "the signal's confidence 0.49 is below 0.5"
    assert asked("confidence", case(confidence=0.49), least="0.4").outcome is Outcome.EXECUTE
    assert asked("confidence", case(confidence=None), least=1).outcome is Outcome.EXECUTE


@pytest.mark.parametrize(
    ("age", "outcome"),
    [
        (60 * SECOND, Outcome.EXECUTE),
        (60 * SECOND + 1, Outcome.REJECT),
        (-2 * SECOND, Outcome.EXECUTE),
        (-2 * SECOND - 1, Outcome.REJECT),
    ],
)
def test_freshness_to_the_microsecond(age: int, outcome: Outcome) -> None:
    assert asked("freshness", case(at=NOW - age)).outcome is outcome


def test_freshness_as_it_is_set() -> None:
    late = case(at=NOW - 100 * SECOND)
    assert asked("freshness", late, max_age=100).outcome is Outcome.EXECUTE
    assert asked("freshness", late).rulings[0].reason == (
        "the signal is 100.000 s old, 60 s are allowed"
    )
    early = asked("freshness", case(at=NOW + 10 * SECOND))
    assert "10.000 s in the future" in early.rulings[0].reason
    assert asked("freshness", case(at=None), max_age=0).outcome is Outcome.EXECUTE
