"""What a gate is: one question to a signal before it becomes an order, answered with its numbers.

A new gate is one file in `domain/gates/` with a constant `GATE`. A gate sees a `Case` and nothing
else, so that the same case gives the same rulings. Cases are not stored; what is stored with a
decision is what each gate says it looked at. All gates together take far less than 2 ms
(docs/gates.md).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from app.domain.algorithm import Parameter, Terms
from app.domain.flow.record import Flow
from app.domain.instant import Instant, Micros
from app.domain.market import Quote
from app.domain.quantity import Side
from app.domain.regime.record import Regime

NOTHING = Decimal(0)
WHOLE = Decimal(1)


class Verdict(StrEnum):
    PASS = "pass"
    REDUCE = "reduce"
    """A smaller size passes: the share `factor` of it."""
    DEFER = "defer"
    """Not now: the same signal may be judged again."""
    REJECT = "reject"


class StrategyKind(StrEnum):
    """What a strategy lives on; the regime gate's matrix has one row for each."""

    MOMENTUM = "momentum"
    MEAN_REVERSION = "mean_reversion"
    VOLATILITY = "volatility"


@dataclass(frozen=True, slots=True)
class ExpectedCost:
    """In basis points of the middle of the quote, positive = cost; None for a range not known."""

    bps: Decimal
    low: Decimal | None = None
    high: Decimal | None = None


CostAt = Callable[[Decimal], ExpectedCost | None]
"""The expected cost of the order as it would be executed, by its quantity. Pure."""


@dataclass(frozen=True, slots=True)
class Case:
    """All that a gate may look at. None is: not given, or not known.

    `at` is when the signal was made and `now` market time, so that its age is `now − at`.
    `reference` is the signal's own price, `expected_edge` what it hopes for in basis points of
    it, positive = good. `limit` is the order's limit price. `cost_at` gives the cost for any
    quantity.
    """

    side: Side
    qty: Decimal
    now: Instant
    strategy: str | None = None
    kind: StrategyKind | None = None
    at: Instant | None = None
    confidence: float | None = None
    expected_edge: Decimal | None = None
    reference: Decimal | None = None
    limit: Decimal | None = None
    stop: Decimal | None = None
    target: Decimal | None = None
    quote: Quote | None = None
    flow: Flow | None = None
    regime: Regime | None = None
    cost_at: CostAt | None = None

    @property
    def age(self) -> Micros | None:
        """How long ago the signal was made; negative: it is from the future."""
        return self.now - self.at if self.at is not None else None

    @property
    def cost(self) -> ExpectedCost | None:
        """Of the whole quantity."""
        return self.cost_at(self.qty) if self.cost_at is not None else None


@dataclass(frozen=True, slots=True)
class Ruling:
    """What one gate says. `factor` is the share of the size that remains: 1 for a pass, between
    0 and 1 for a reduction, and 1 for a deferral (whatever is judged later is judged whole).

    `inputs` and `threshold` are plain JSON values (amounts as decimal strings), `confidence` in
    [0, 1] or None, `reason` one sentence.
    """

    gate: str
    version: int
    verdict: Verdict
    factor: Decimal
    reason: str
    inputs: Mapping[str, Any]
    threshold: Mapping[str, Any]
    confidence: float | None = None

    def __post_init__(self) -> None:
        assert NOTHING <= self.factor <= WHOLE, "a gate never enlarges a signal"
        reduced = self.verdict is Verdict.REDUCE
        assert reduced == (NOTHING < self.factor < WHOLE), "only a reduction has a share"
        assert (self.verdict is Verdict.REJECT) == (self.factor == NOTHING)

    def shown(self) -> dict[str, Any]:
        """As it is stored and answered."""
        return {
            "gate": self.gate,
            "version": self.version,
            "verdict": self.verdict.value,
            "factor": format(self.factor, "f"),
            "confidence": self.confidence,
            "inputs": dict(self.inputs),
            "threshold": dict(self.threshold),
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """What a gate's `judge` returns; the pipeline puts the gate's name to it."""

    verdict: Verdict
    reason: str
    inputs: Mapping[str, Any]
    threshold: Mapping[str, Any]
    factor: Decimal = WHOLE
    confidence: float | None = None


Params = Mapping[str, Any]
"""A gate's parameters, checked and filled with defaults (`algorithm.completed`)."""


@dataclass(frozen=True, slots=True)
class Gate:
    """A named question to a signal. `judge` is pure."""

    name: str
    title: str
    doc: str
    version: int
    judge: Callable[[Case, Params], Answer]
    parameters: tuple[Parameter, ...] = ()
    terms: Terms = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "terms", Terms(self.parameters))
