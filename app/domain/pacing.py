"""What an envelope becomes near the end of its window, far behind it, or at a welcome price."""

from dataclasses import replace
from decimal import Decimal

from app.domain.actions import Replan
from app.domain.algorithm import Placement
from app.domain.algos import BY_NAME
from app.domain.execution import Child, Execution
from app.domain.instant import SECOND, Instant, Micros
from app.domain.market import Quote
from app.domain.placement import placement_of
from app.domain.plan import CATCH_UP_SLICES, Envelope, Trajectory
from app.domain.quantity import Side
from app.domain.scheduling import finish_at, finishes
from app.domain.task import Task
from app.domain.trigger import BookUncrossed, PriceReaches, TouchMoved, Trigger

STANDS: Micros = SECOND
"""How long a child rests at least before a price calls it back."""

MARGIN_SHARE = 4
"""However slow the broker is: no order hurries before the last quarter of its window."""


def turns_at(execution: Execution) -> Instant | None:
    """When an order that follows the market is planned to its end; None: never, or it was."""
    task = execution.task
    if BY_NAME[task.algo].completes or not finishes(task):
        return None
    turn = finish_at(task)
    return turn if execution.anchor.at < turn else None


def catch_up(
    execution: Execution, plan: Trajectory, envelope: Envelope, quote: Quote, due: Decimal
) -> Replan | None:
    """Missed slices are spread over what is left, never sent at once (C17): neither those that
    never went out, nor those that rested out of reach and would have to cross now (`due`)."""
    if not plan.spreads:
        return None
    deficit = envelope.may - execution.filled - execution.reserved
    if execution.task.limit_price is not None and _reaches(execution.task, quote):
        deficit = max(deficit, due)
    if deficit <= CATCH_UP_SLICES * envelope.step:
        return None
    return Replan(execution.filled, "behind_schedule")


def hurried(
    execution: Execution, envelope: Envelope, margin: Micros, now: Instant, wake: Instant
) -> tuple[Envelope, Instant]:
    """All that may be done must be done, from so long before the end that the broker can."""
    if not margin or not finishes(execution.task):
        return envelope, wake
    task = execution.task
    begins = task.end - min(margin, (task.end - task.start) // MARGIN_SHARE)
    if now < begins:
        return envelope, min(wake, begins)
    return replace(envelope, must=envelope.may), wake


def within_limit(
    execution: Execution, envelope: Envelope, quote: Quote, due: Decimal
) -> tuple[Envelope, str | None]:
    """Beyond the limit price nothing can cross: what is `due` rests meanwhile and keeps its place
    in the queue, where the order rests at all. The envelope, and what bound it."""
    task = execution.task
    limit = task.limit_price
    crosses = placement_of(task) is Placement.CROSS
    if limit is None or crosses or due <= 0:
        return envelope, None
    if _reaches(task, quote):
        # Where something holds it back from crossing: beyond the limit it may rest.
        return _besides(envelope, TouchMoved(task.side, quote.far(task.side))), None
    waits = _besides(envelope, PriceReaches(task.side, limit))
    return replace(waits, must=min(envelope.must, execution.filled)), "limit_price"


def _reaches(task: Task, quote: Quote) -> bool:
    """Whether the far touch is within the order's limit price."""
    limit = task.limit_price
    return limit is None or task.side.sign * (quote.far(task.side) - limit) <= 0


def stands_until(task: Task, child: Child, margin: Micros) -> Instant:
    """Until when a resting child does not make room for crossing. Where a price decides whether
    anything crosses, one that flickers would have it canceled and sent again at every quote. Not
    so near the end that the broker could not do both in time."""
    priced = task.limit_price is not None or task.params.get("would_price") is not None
    until = child.intended_at + STANDS if priced else child.intended_at
    return until if until < task.end - margin else child.intended_at


def willing(execution: Execution, envelope: Envelope, quote: Quote) -> Envelope:
    """At the price the order would take, everything may be done and must be."""
    would = _would_take(execution.task)
    if would is None or (execution.unsent <= 0 and not execution.children):
        return envelope
    side = execution.task.side
    if side.sign * (quote.far(side) - would) > 0:
        return _besides(envelope, PriceReaches(side, would))
    if not quote.uncrossed:
        # No price to take: what rests must not make room for it.
        return _besides(envelope, BookUncrossed())
    qty = execution.task.qty
    return replace(_besides(envelope, TouchMoved(side, quote.far(side))), must=qty, may=qty)


def _would_take(task: Task) -> Decimal | None:
    """The "I would" price, or the limit price where that is nearer: beyond it nothing is taken."""
    would: Decimal | None = task.params.get("would_price")
    if would is None or task.limit_price is None:
        return would
    return min(would, task.limit_price) if task.side is Side.BUY else max(would, task.limit_price)


def _besides(envelope: Envelope, trigger: Trigger) -> Envelope:
    return replace(envelope, triggers=(*envelope.triggers, trigger))
