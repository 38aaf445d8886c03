"""What a backtest is asked for: everything that its result depends on, and nothing else."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from app.domain.algorithm import complete
from app.domain.algos import BY_NAME
from app.domain.instant import DAY, MILLISECOND, MINUTE, SECOND, Instant, Micros
from app.domain.quantity import ZERO
from app.domain.refusal import Refusal
from app.domain.request import AUTO

OWN_FEED = "feed"
"""The tape of that name is what the server's own feed plays."""

WHOLE_DAY = "day"
SIDES = ("random", "buy", "sell")
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")
_DAYS_MAX = 3_700


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the algorithms that are compared, under a label of its own."""

    label: str
    algo: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ImpactPlan:
    """Fractions of the price when a whole day's volume is traded; positive = cost."""

    permanent: float
    temporary: float
    half_life: Micros = 5 * MINUTE


@dataclass(frozen=True, slots=True)
class Plan:
    """One backtest.

    `tape` is a dataset of the tape store, or `feed`; without `symbols` all of its symbols. Of
    `qty` (units) and `shares` (least and most of the trailing mean daily volume, as fractions;
    drawn evenly in their logarithm) one is given. `window` None: from open to close. `days` are
    first and last, both included; None: all there are.
    """

    tape: str
    algos: tuple[Choice, ...]
    parents: int
    symbols: tuple[str, ...] = ()
    days: tuple[str, str] | None = None
    qty: Decimal | None = None
    shares: tuple[Decimal, Decimal] | None = None
    window: Micros | None = 60 * MINUTE
    side: str = "random"
    seed: str = "1"
    latency: Micros = 5 * MILLISECOND
    impact: ImpactPlan | None = None
    max_participation: Decimal | None = None
    fee_per_share: Decimal = ZERO
    fee_bps: Decimal = ZERO

    def range(self) -> tuple[Instant, Instant] | None:
        """The days as moments: sessions that touch them are looked at."""
        if self.days is None:
            return None
        first, last = (date.fromisoformat(day).toordinal() for day in self.days)
        epoch = date(1970, 1, 1).toordinal()
        return (first - epoch - 1) * DAY, (last - epoch + 2) * DAY


def check(plan: Plan) -> Plan:
    """The plan, if it can be run. Raises Refusal naming the field."""
    _check_algos(plan)
    if plan.parents < 1:
        raise _refusal("parents", "must be at least 1")
    _check_size(plan)
    if plan.side not in SIDES:
        raise _refusal("side", f"is one of {', '.join(SIDES)}")
    if plan.window is not None and plan.window < SECOND:
        raise _refusal("window", "must be at least a second")
    if not 0 <= plan.latency <= MINUTE:
        raise _refusal("latency_ms", "must lie between 0 and 60,000")
    if plan.max_participation is not None and not 0 < plan.max_participation < 1:
        raise _refusal("max_participation", "must lie between 0 and 1")
    if not 1 <= len(plan.seed) <= 64 or not plan.seed.isprintable():
        raise _refusal("seed", "must be 1 to 64 printable characters")
    _check_days(plan)
    _check_impact(plan.impact)
    return plan


def _check_algos(plan: Plan) -> None:
    if not plan.algos:
        raise _refusal("algos", "at least one algorithm is needed")
    labels = [choice.label for choice in plan.algos]
    for label in labels:
        if not _LABEL.fullmatch(label):
            raise _refusal("algos", f"{label[:40]!r} is no label: letters, digits and . _ -")
        if labels.count(label) > 1:
            raise _refusal("algos", f"{label!r} comes twice; give each a label of its own")
    for choice in plan.algos:
        if choice.algo == AUTO and not choice.params:
            continue
        algorithm = BY_NAME.get(choice.algo)
        if algorithm is None:
            known = ", ".join([AUTO, *sorted(BY_NAME)])
            raise _refusal("algos", f"no algorithm {choice.algo[:40]!r}; there are: {known}")
        if algorithm.needs_limit_price:
            raise _refusal("algos", f"{choice.algo} needs a limit price, which is not drawn")
        complete(algorithm, choice.params)


def _check_size(plan: Plan) -> None:
    if (plan.qty is None) == (plan.shares is None):
        raise _refusal("qty", "give exactly one of qty and participation")
    if plan.qty is not None and plan.qty <= 0:
        raise _refusal("qty", "must be above zero")
    if plan.shares is not None and not 0 < plan.shares[0] <= plan.shares[1] <= 1:
        raise _refusal("participation", "must be a fraction, or two (from, to), up to 1")


def _check_days(plan: Plan) -> None:
    if plan.days is None:
        return
    try:
        first, last = (date.fromisoformat(day) for day in plan.days)
    except ValueError:
        raise _refusal("days", "must be two dates, such as 2024-03-04..2024-03-08") from None
    if not first <= last or (last - first).days > _DAYS_MAX or first.year < 1971:
        raise _refusal("days", "must go from a day to a later one, over ten years at most")


def _check_impact(impact: ImpactPlan | None) -> None:
    if impact is None:
        return
    if not (0 <= impact.permanent <= 10 and 0 <= impact.temporary <= 10):
        raise _refusal("impact", "its coefficients lie between 0 and 10")
    if impact.half_life < SECOND:
        raise _refusal("impact", "its half life is at least a second")


def _refusal(name: str, words: str) -> Refusal:
    return Refusal("bad_backtest", f"{name}: {words}", field=name)
