"""From a decision to the facts that follow from it, the same live and in virtual time."""

from typing import assert_never

from app.domain.actions import Action, Cancel, Decision, Force, Move, Replan, Send, Trip
from app.domain.execution import Execution
from app.domain.fact import (
    ChildCancelRequested,
    ExitForced,
    Fact,
    Intended,
    Moved,
    Replanned,
    StopHit,
)
from app.domain.identity import child_id
from app.domain.instant import Instant


def facts_of(execution: Execution, decision: Decision, now: Instant) -> list[Fact]:
    """What is written down of a decision about `execution`, in order."""
    facts: list[Fact] = []
    number = execution.next_child
    for action in decision.actions:
        facts.append(_fact(execution.task.order_id, action, number, now))
        number += isinstance(action, Send)
    return facts


def _fact(order_id: str, action: Action, number: int, now: Instant) -> Fact:
    match action:
        case Move():
            return Moved(now, action.status, action.reason)
        case Replan():
            return Replanned(now, action.done, action.reason)
        case Trip():
            return StopHit(now, action.price)
        case Force():
            return ExitForced(now, action.reason)
        case Cancel():
            return ChildCancelRequested(now, action.child_id, action.reason)
        case Send():
            return Intended(
                at=now,
                child_id=child_id(order_id, number),
                number=number,
                side=action.side,
                qty=action.qty,
                price=action.price,
                purpose=action.purpose,
                time_in_force=action.time_in_force,
                quote_at=action.quote_at,
                stop_price=action.stop_price,
                stop_limit_price=action.stop_limit_price,
            )
        case _:
            assert_never(action)
