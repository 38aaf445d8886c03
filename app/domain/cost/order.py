"""The expected cost of one order, from the market as it arrives."""

from decimal import Decimal

from app.domain.algorithm import Algorithm
from app.domain.cost.calibration import PUBLISHED, Calibration
from app.domain.cost.model import Conditions, Estimate, estimate
from app.domain.cost.pace import pace_of
from app.domain.market import Quote
from app.domain.task import Task


def conditions_of(
    quote: Quote | None, volatility: float | None, daily_volume: Decimal | None
) -> Conditions:
    """What is known when an order arrives. Nothing is put in the place of what is not."""
    half = None
    if quote is not None and quote.uncrossed and quote.bid > 0:
        bid, ask = float(quote.bid), float(quote.ask)
        half = (ask - bid) / (ask + bid)
    volume = float(daily_volume) if daily_volume is not None and daily_volume > 0 else None
    return Conditions(half, volatility, volume)


def estimate_order(
    task: Task,
    algorithm: Algorithm,
    conditions: Conditions,
    daily_volume: Decimal | None,
    calibration: Calibration = PUBLISHED,
) -> Estimate:
    """What a task is expected to cost, in basis points of the arrival mid, positive = cost."""
    pace = pace_of(task, algorithm, daily_volume)
    return estimate(float(task.qty), conditions, pace, calibration)
