"""Orders as tests need them."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from app.domain.algorithm import complete
from app.domain.algos import BY_NAME
from app.domain.dynamics import Dynamics
from app.domain.instant import DAY, HOUR, MINUTE, SECOND, Instant, Micros
from app.domain.instrument import Instrument
from app.domain.market import Market
from app.domain.quantity import Side
from app.domain.session import Session
from app.domain.task import Policy, Task, Urgency
from app.domain.volume import VolumeCurve, default_curve

OPEN: Instant = 19_700 * DAY + 14 * HOUR + 30 * MINUTE
SESSION = Session(OPEN, OPEN + 390 * MINUTE)
ALWAYS = Session(OPEN - 10 * DAY, OPEN + 10 * DAY)

NO_MARKET = Market(quote=None)

POLICY = Policy(max_quote_age=60 * SECOND, collar=Decimal("0.5"))


def a_task(
    algo: str = "twap",
    qty: Decimal | str | int = 1000,
    *,
    side: Side = Side.BUY,
    start: Instant = OPEN,
    length: Micros = 10 * MINUTE,
    limit: str | Decimal | None = None,
    cap: str | None = None,
    lot: str = "1",
    min_qty: str = "1",
    tick: str = "0.01",
    session: Session = SESSION,
    curve: VolumeCurve | None = None,
    policy: Policy = POLICY,
    seed: str = "seed",
    params: Mapping[str, Any] | None = None,
    urgency: Urgency = Urgency.NORMAL,
) -> Task:
    """An order for 1000 shares over ten minutes from the open, unless told otherwise."""
    needs_limit = BY_NAME[algo].needs_limit_price
    return Task(
        order_id="o1",
        account="a1",
        instrument=Instrument("XYZ", Decimal(tick), Decimal(lot), Decimal(min_qty), "XNYS"),
        side=side,
        qty=Decimal(qty),
        algo=algo,
        start=start,
        end=start + length,
        session=session,
        curve=curve or default_curve(session),
        seed=seed,
        policy=policy,
        limit_price=Decimal(limit) if limit is not None else Decimal(100) if needs_limit else None,
        max_participation=Decimal(cap) if cap is not None else None,
        urgency=urgency,
        params=complete(BY_NAME[algo], params or {}),
    )


def bending_curve(minutes: int = 1) -> VolumeCurve:
    """Flat, in short bins, and bent by whatever arrives: a day of 390,000 shares is usual."""
    count = 390 // minutes
    edges = tuple(k * minutes * MINUTE for k in range(count + 1))
    dynamics = Dynamics(390_000.0, 0.1, 0.3, 0.05, 0.7, 0.5)
    return VolumeCurve(edges, (1 / count,) * count, False, "history:20d", dynamics)
