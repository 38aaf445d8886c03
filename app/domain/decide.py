"""The decision core: one pure function from what is true to what to do.

Deciding twice at one moment, or between two wake-ups, yields nothing new (quiescence). `now`
is the due time of what woke us, never a clock reading.
"""

from decimal import Decimal

from app.domain.actions import Action, Cancel, Decision, Move, Replan, Send
from app.domain.algorithm import Placement
from app.domain.closing import waits_for_evidence
from app.domain.execution import Child, Execution
from app.domain.fact import Purpose
from app.domain.guards import Desk, Hold, Scene, Wish, guarded
from app.domain.instant import Instant
from app.domain.lifecycle import ChildStatus, OrderStatus
from app.domain.market import Market
from app.domain.plan import CATCH_UP_SLICES, Envelope, Plan
from app.domain.quantity import ZERO, passive_tick
from app.domain.trigger import QuoteUpdated, Trigger


def decide(execution: Execution, plan: Plan, desk: Desk, market: Market, now: Instant) -> Decision:
    """What to do about one order at `now`, and when to look again.

    `plan` must be the algorithm's plan for the execution's task and anchor.
    """
    if execution.done:
        return Decision()
    if waits_for_evidence(execution):
        return _await_evidence(execution, now)
    if _stands_still(execution):
        return Decision()
    ending = _ending(execution, now)
    if ending is not None:
        return _close(execution, *ending)
    if execution.pause_requested:
        return _pause(execution)
    if execution.status is OrderStatus.PAUSED:
        return Decision((Move(_phase(execution, desk, now), "resumed"),))
    if now < execution.task.start:
        return _wait(execution, execution.task.start)
    if execution.status is not OrderStatus.WORKING and desk.queued:
        return _wait(execution, execution.task.end, "concurrency")
    if execution.status is not OrderStatus.WORKING:
        return Decision((Move(OrderStatus.WORKING),))
    return _work(execution, plan, desk, market, now)


def _stands_still(execution: Execution) -> bool:
    """Our own arithmetic failed: nothing moves until somebody cancels it; what fills meanwhile
    is booked all the same."""
    return execution.status is OrderStatus.NEEDS_OPERATOR and execution.cancel_reason is None


def _await_evidence(execution: Execution, now: Instant) -> Decision:
    """A broker that was silent for too long and speaks again: the order goes on to its end.

    A cancel cannot bring what is missing; it only says how the order ends.
    """
    if execution.children or execution.reserved:
        return Decision(_cancels(execution.children, "closing"))
    ended = "window_ended" if now >= execution.task.end else execution.reason
    return Decision((Move(OrderStatus.CLOSING, execution.cancel_reason or ended),))


def _phase(execution: Execution, desk: Desk, now: Instant) -> OrderStatus:
    queued = desk.queued and execution.next_child == 1
    waits = queued or now < execution.task.start
    return OrderStatus.SCHEDULED if waits else OrderStatus.WORKING


def _ending(execution: Execution, now: Instant) -> tuple[OrderStatus, str | None] | None:
    """The status this order ends in and why, once it has to end."""
    if execution.filled >= execution.task.qty:
        return OrderStatus.FILLED, None
    if execution.cancel_reason is not None:
        return OrderStatus.CANCELED, execution.cancel_reason
    if execution.status is OrderStatus.CLOSING or now >= execution.task.end:
        return OrderStatus.EXPIRED, execution.reason or "window_ended"
    return None


def _close(execution: Execution, status: OrderStatus, reason: str | None) -> Decision:
    if execution.reserved == 0 and not execution.children:
        direct = status is OrderStatus.FILLED and execution.status in (
            OrderStatus.WORKING,
            OrderStatus.PAUSED,
        )
        if direct or execution.status is OrderStatus.CLOSING:
            return Decision((Move(status, reason),))
    if execution.status is not OrderStatus.CLOSING:
        return Decision((Move(OrderStatus.CLOSING, reason),))
    return Decision(_cancels(execution.children, reason or "closing"))


def _pause(execution: Execution) -> Decision:
    if execution.status is not OrderStatus.PAUSED:
        return Decision((Move(OrderStatus.PAUSED, "requested"),))
    return Decision(_cancels(execution.children, "paused"), look_at=execution.task.end)


def _wait(execution: Execution, until: Instant, bound: str | None = None) -> Decision:
    if execution.status is not OrderStatus.SCHEDULED:
        return Decision((Move(OrderStatus.SCHEDULED),))
    return Decision(look_at=until, bound=bound)


def _work(execution: Execution, plan: Plan, desk: Desk, market: Market, now: Instant) -> Decision:
    end = execution.task.end
    session = market.session
    if session is None or not session.contains(now):
        opens = min(session.opens_at, end) if session else end
        return Decision(look_at=opens, bound="session")
    envelope = plan.envelope(now)
    wake = min(envelope.next_at or end, end, session.closes_at)
    misplaced = _misplaced(execution)
    if misplaced:
        return Decision(misplaced, wake, (), None, envelope)
    barred = _barred(execution, desk)
    if barred is not None:
        return Decision((), wake, (), barred, envelope)
    if market.quote is None:
        return Decision((), wake, (QuoteUpdated(0),), "no_quote", envelope)
    replan = _catch_up(execution, plan, envelope)
    if replan is not None:
        return Decision((replan,), wake, (), "catch_up", envelope)
    overdue = _overdue(execution, envelope)
    if overdue:
        return Decision(overdue, wake, (), None, envelope)
    scene = Scene(execution, envelope, desk, market, market.quote, now)
    return _place(scene, wake)


def _misplaced(execution: Execution) -> tuple[Action, ...]:
    """Resting children that an amended limit price no longer allows."""
    task = execution.task
    limit = task.limit_price
    if limit is None:
        return ()
    proper = passive_tick(limit, task.instrument.tick, task.side)
    wrong = [
        c
        for c in execution.children
        if c.purpose is Purpose.REST
        and (task.side.sign * (c.price - limit) > 0 or (task.algo == "limit" and c.price != proper))
    ]
    return _cancels(wrong, "limit_price")


def _barred(execution: Execution, desk: Desk) -> str | None:
    """What forbids any new child: a control, or more filled than was asked for."""
    if desk.halt is not None:
        return "halt"
    return "excess" if execution.excess > 0 else None


def _catch_up(execution: Execution, plan: Plan, envelope: Envelope) -> Replan | None:
    """Missed slices are spread over what is left, never sent at once (C17)."""
    if len(plan.may_at) < 2:
        return None
    deficit = envelope.may - execution.filled - execution.reserved
    if deficit <= CATCH_UP_SLICES * envelope.step:
        return None
    return Replan(execution.filled, "behind_schedule")


def _overdue(execution: Execution, envelope: Envelope) -> tuple[Action, ...]:
    """Resting children whose time is up, the oldest first: as many as crossing needs the room of.

    Those for later slices stay, else they would be sent and canceled in turns.
    """
    missing = _due(execution, envelope) - _room(execution, envelope)
    making_room = []
    for child in execution.children:
        if missing > 0 and _rests_freely(child):
            making_room.append(child)
            missing -= child.leaves
    return _cancels(making_room, "patience_ended")


def _room(execution: Execution, envelope: Envelope) -> Decimal:
    """What may be sent now."""
    return min(envelope.may, execution.task.qty) - execution.filled - execution.reserved


def _due(execution: Execution, envelope: Envelope) -> Decimal:
    """What must cross now; what is crossing, being canceled or to be found counts as done."""
    resting = sum((c.leaves for c in execution.children if _will_rest(c)), start=ZERO)
    return envelope.must - execution.filled - (execution.reserved - resting)


def _will_rest(child: Child) -> bool:
    """Resting or on its way there: were it counted as done until it is acknowledged, the room it
    takes would be due no more, and be rested again, child after child."""
    on_its_way = child.status is ChildStatus.INTENT and child.cancel_requested_at is None
    return child.purpose is Purpose.REST and (on_its_way or _cancelable(child))


def _rests_freely(child: Child) -> bool:
    return child.purpose is Purpose.REST and _cancelable(child)


def _cancels(children: tuple[Child, ...] | list[Child], reason: str) -> tuple[Action, ...]:
    """A cancel for each child that has none yet; an unknown one has to be found first."""
    return tuple(Cancel(c.id, reason) for c in children if _cancelable(c))


def _cancelable(child: Child) -> bool:
    found = child.status not in (ChildStatus.UNKNOWN, ChildStatus.INTENT)
    return found and child.cancel_requested_at is None


def _place(scene: Scene, wake: Instant) -> Decision:
    """At most one child: the crossing part first, the resting part at the next decision."""
    execution, envelope = scene.execution, scene.envelope
    room, due = _room(execution, envelope), _due(execution, envelope)
    wishes = [
        Wish(Purpose.CROSS, min(due, room)),
        Wish(Purpose.REST, room - max(due, ZERO) if _rests(execution) else ZERO),
    ]
    bound: str | None = None
    triggers: tuple[Trigger, ...] = ()
    for wish in wishes:
        if wish.qty <= 0:
            continue
        verdict = guarded(scene, wish)
        if isinstance(verdict, Hold):
            bound = bound or verdict.guard
            triggers = (*triggers, *verdict.triggers)
            wake = min(wake, verdict.until) if verdict.until is not None else wake
            continue
        send = Send(
            execution.task.side,
            verdict.qty,
            verdict.price,
            verdict.purpose,
            verdict.time_in_force,
            scene.quote.far_at(execution.task.side),
        )
        return Decision((send,), wake, (), verdict.bound, envelope)
    return Decision((), wake, triggers, bound, envelope)


def _rests(execution: Execution) -> bool:
    task = execution.task
    return task.algo == "limit" or task.params.get("placement") == Placement.REST_THEN_CROSS
