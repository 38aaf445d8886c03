"""What share of the market's volume an order would be, slice by slice."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.domain.cost.pace import AT_ONCE
from app.domain.instant import Instant
from app.domain.plan import Step
from app.domain.task import Task

NO_VOLUME = "the daily volume is not known"
AS_IT_COMES = (
    "the market's volume decides when; this is what a usual day's volume curve and daily volume"
    " would bring"
)


@dataclass(frozen=True, slots=True)
class Share:
    """One slice: its quantity, the market volume expected until the next one begins (the last:
    until the end; taken at once: within a minute), and own over all, own included."""

    at: Instant
    volume: Decimal
    participation: Decimal


def shares_of(
    steps: Sequence[Step], task: Task, daily_volume: Decimal | None, *, expected: bool = False
) -> tuple[Share, ...] | None:
    """A share for each slice of a plan; None without a daily volume. `expected` ones end when they
    are due: they begin when the volume for them has come."""
    if daily_volume is None or daily_volume <= 0:
        return None
    found = []
    for k, step in enumerate(steps):
        at_once = step.due_at == step.at and k == len(steps) - 1
        end = step.due_at if expected and step.due_at is not None else task.end
        until = steps[k + 1].at if k + 1 < len(steps) else end
        until = min(step.at + AT_ONCE, until) if at_once else until
        market = daily_volume * Decimal(task.curve.between(task.session, step.at, until))
        found.append(Share(step.at, market, step.qty / (step.qty + market)))
    return tuple(found)
