"""What a client may ask of a backtest, and how it reads as a plan."""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from app.api.amounts import Amount, Duration, Positive, Scalar, Symbol
from app.api.bodies import Strict
from app.api.order_bodies import Algo, Params
from app.domain.instant import MILLISECOND, MINUTE
from app.domain.refusal import Refusal
from app.research.backtest.plan import OWN_FEED, WHOLE_DAY, Choice, ImpactPlan, Plan

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
"""A dataset's name; it is no path."""

Day = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\d$")]


class AlgoBody(Strict):
    """One of the algorithms to compare; the first is what the others are compared with."""

    algo: Algo
    label: Name | None = Field(None, description="Default: the algorithm's name.")
    params: Params = Field(default_factory=dict)


class ImpactBody(Strict):
    """What own fills move: fractions of the price for a whole day's volume."""

    permanent: Amount = Decimal(0)
    temporary: Amount = Decimal(0)
    half_life: Duration = 5 * MINUTE


class BacktestBody(Strict):
    """Parents drawn by the seed, each worked by every algorithm."""

    tape: Name = Field(OWN_FEED, description="A dataset's name, or feed: what the server plays.")
    symbols: Annotated[tuple[Symbol, ...], Field(max_length=500)] = ()
    algos: Annotated[tuple[AlgoBody, ...], Field(min_length=1, max_length=8)]
    parents: Annotated[int, Field(ge=1)] = 500
    first_day: Day | None = None
    last_day: Day | None = None
    qty: Positive | None = None
    participation: Positive | tuple[Positive, Positive] | None = Field(
        None, description="Of the trailing mean daily volume; two: drawn between them."
    )
    window: Literal["day"] | Duration = 60 * MINUTE
    side: Literal["random", "buy", "sell"] = "random"
    seed: Annotated[str, StringConstraints(min_length=1, max_length=64)] = "1"
    latency_ms: Amount = Decimal(5)
    impact: ImpactBody | None = None
    max_participation: Amount | None = None
    fee_per_share: Amount = Decimal("0.0035")
    fee_bps: Amount = Decimal(0)

    def plan(self) -> Plan:
        """Raises Refusal for half a range of days."""
        if (self.first_day is None) != (self.last_day is None):
            raise Refusal("bad_backtest", "give both days, or none", field="last_day")
        days = None
        if self.first_day is not None and self.last_day is not None:
            days = self.first_day, self.last_day
        share = self.participation
        return Plan(
            tape=self.tape,
            symbols=self.symbols,
            algos=tuple(Choice(a.label or a.algo, a.algo, a.params) for a in self.algos),
            parents=self.parents,
            days=days,
            qty=self.qty,
            shares=(share, share) if isinstance(share, Decimal) else share,
            window=None if self.window == WHOLE_DAY else int(self.window),
            side=self.side,
            seed=self.seed,
            latency=int(self.latency_ms * MILLISECOND),
            impact=self._impact(),
            max_participation=self.max_participation,
            fee_per_share=self.fee_per_share,
            fee_bps=self.fee_bps,
        )

    def _impact(self) -> ImpactPlan | None:
        if self.impact is None:
            return None
        of = self.impact
        return ImpactPlan(float(of.permanent), float(of.temporary), of.half_life)


class WhatIfBody(Strict):
    """Other parameters for a finished order; none: only the order as it was."""

    set: Annotated[dict[str, Scalar], Field(max_length=50)] = Field(
        default_factory=dict,
        description="algo, qty, limit_price, max_participation, urgency, start_time, end_time, "
        "duration, or a parameter of the algorithm; `none` removes one.",
    )
    tape: Name = Field(OWN_FEED, description="A dataset's name, or feed: what the server plays.")

    def changes(self) -> dict[str, str]:
        return {name: _text(value) for name, value in self.set.items()}


def _text(value: Any) -> str:
    if value is None:
        return "none"
    return format(value, "f") if isinstance(value, Decimal) else str(value)
