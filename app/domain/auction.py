"""Completing an order in the closing auction of its session.

At the cutoff what rests is canceled; once there is evidence, what is unsent goes out for the
auction, and what the auction does to it is awaited beyond the end of the window.
"""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from app.domain.execution import Child, Execution
from app.domain.fact import Purpose
from app.domain.instant import MINUTE, Instant, Micros, rfc3339
from app.domain.lifecycle import ChildStatus
from app.domain.parameters import Completion
from app.domain.plan import Envelope
from app.domain.quantity import Side, passive_tick
from app.domain.refusal import Refusal
from app.domain.task import Task

PRINTS_WITHIN: Micros = 5 * MINUTE
"""After the close the auction has printed by then; brokers may say nothing before."""


def closes(task: Task) -> bool:
    """Whether the rest of an order is for the closing auction."""
    return bool(task.params.get("completion") == Completion.CLOSE)


def cutoff_of(task: Task) -> Instant | None:
    """When the order leaves the market for the auction; None: it never does."""
    if not closes(task) or task.end != task.session.closes_at:
        return None
    return task.session.closes_at - task.policy.close_cutoff


def check_auction(task: Task, at: Instant) -> None:
    """Whether an order that is to complete in the closing auction, as asked at a moment, can.
    Raises Refusal."""
    if not closes(task):
        return
    session = task.session
    if session.round_the_clock:
        why = f"{task.instrument.symbol} trades round the clock and has no closing auction"
    elif task.end != session.closes_at:
        why = f"the window must end at the session's close, {rfc3339(session.closes_at)}"
    elif at >= session.closes_at - task.policy.close_cutoff:
        cutoff = session.closes_at - task.policy.close_cutoff
        why = f"orders for the closing auction are entered by {rfc3339(cutoff)}"
    else:
        return
    raise Refusal("no_closing_auction", f"completion close: {why}", field="params.completion")


def out_of_market(execution: Execution, envelope: Envelope) -> Envelope:
    """Nothing has to be done in the market any more; everything may go to the auction."""
    return replace(
        envelope,
        must=execution.filled,
        may=execution.task.qty,
        next_at=None,
        triggers=(),
        resting=None,
    )


def in_market(children: Iterable[Child]) -> tuple[Child, ...]:
    """Children that are not for the auction."""
    return tuple(child for child in children if child.purpose is not Purpose.CLOSE)


def evident(execution: Execution) -> bool:
    """Whether nothing of the order is in the market, as far as the broker knows its children:
    one that is unknown keeps its own quantity, and must not keep the rest from the auction."""
    return all(c.status is ChildStatus.UNKNOWN for c in in_market(execution.children))


def auction_price(task: Task, reference: Decimal) -> Decimal:
    """A limit price as far from the reference as the order and the house allow, so that no child
    is without one; on the tick grid."""
    price = reference * (1 + task.side.sign * task.policy.collar)
    if task.limit_price is not None:
        nearest = min if task.side is Side.BUY else max
        price = nearest(price, task.limit_price)
    return passive_tick(price, task.instrument.tick, task.side)


def is_silent(execution: Execution, child: Child, now: Instant) -> bool:
    """Whether the broker need not have said anything of a child yet: it is in the auction."""
    prints_by = execution.task.session.closes_at + PRINTS_WITHIN
    return child.purpose is Purpose.CLOSE and child.found and now < prints_by
