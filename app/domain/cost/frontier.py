"""What less risk would cost: the efficient frontier of an order, as data.

Almgren and Chriss's model is linear; its coefficients are chosen so that working this order evenly
over its window costs what the estimate says. They hold for this size and window, not for others.
"""

from dataclasses import dataclass
from decimal import Decimal

from app.domain.cost.model import Estimate
from app.domain.impact import almgren_2005
from app.domain.impact.almgren_chriss import FrontierPoint, Model, frontier
from app.domain.impact.trajectory import urgency_pace
from app.domain.task import Urgency

PERIODS = 50
"""The window is cut finely, so that the frontier is the market's and not a schedule's."""

PACES = (0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0)
"""kappa T; those of the four urgencies are among them."""

LINEAR = "impact is linear in the rate, fitted to this order worked evenly over its window"
IN_VOLUME = "time is the market's volume, and prices move with it"

NOT_KNOWN = "the frontier needs a quote, the daily volume and the volatility"
TOO_FAST = "impact stays for longer than it takes: the linear model has no optimum here"


@dataclass(frozen=True, slots=True)
class Frontier:
    """Points from patient to hasty, costs in currency; none of them, with a reason, where the
    model cannot be made."""

    points: tuple[FrontierPoint, ...]
    reason: str | None = None


def frontier_of(estimate: Estimate, qty: Decimal, price: Decimal) -> Frontier:
    """The frontier for the whole quantity at the arrival price."""
    model = implied(estimate, float(qty), float(price))
    if isinstance(model, str):
        return Frontier((), model)
    return Frontier(frontier(model, float(qty), PACES))


def implied(estimate: Estimate, qty: float, price: float) -> Model | str:
    """The linear model that costs an even schedule what the estimate's impact says; a reason
    where there is none. Days are shares of a usual day's volume."""
    conditions, pace, scale = estimate.conditions, estimate.pace, estimate.calibration
    sigma, volume, half = conditions.sigma, conditions.daily_volume, conditions.half_spread
    if sigma is None or volume is None or half is None or sigma <= 0:
        return NOT_KNOWN
    share = qty / volume
    temporary = almgren_2005.temporary(share / pace.days, sigma) * scale.impact_scale
    permanent = almgren_2005.permanent(share, sigma) * scale.impact_scale
    try:
        return Model(
            sigma=sigma * price,
            eta=temporary * price * pace.days / qty,
            gamma=permanent * price / qty,
            epsilon=half * price * pace.aggressive * scale.spread_scale,
            tau=pace.days / PERIODS,
            n=PERIODS,
        )
    except ValueError:
        return TOO_FAST


def urgencies_at(kappa_t: float) -> list[str]:
    """The urgencies whose pace this is."""
    return [urgency.value for urgency in Urgency if urgency_pace(urgency) == kappa_t]
