"""The decision core: one pure function from what is true to what to do.

Deciding twice at one moment, or between two wake-ups, yields nothing new (quiescence). `now`
is the due time of what woke us, never a clock reading.
"""

from collections.abc import Sequence
from decimal import Decimal

from app.domain.actions import Action, Cancel, Decision, Move, Replan, Send
from app.domain.algorithm import Placement
from app.domain.auction import cutoff_of, evident, in_market, out_of_market
from app.domain.closing import NOTHING_TO_REDUCE, ending, waits_for_evidence
from app.domain.desk import Desk
from app.domain.execution import Child, Execution
from app.domain.exits import tripped, watching
from app.domain.fact import Purpose
from app.domain.guards import OF_THE_ACCOUNT, guarded
from app.domain.instant import Instant, Micros
from app.domain.lifecycle import OrderStatus
from app.domain.market import Market, Quote
from app.domain.native_stop import resting_stop
from app.domain.outstanding import as_good_as_done, lingering, overdue
from app.domain.pacing import catch_up, hurried, turns_at, willing, within_limit
from app.domain.placement import (
    FOLLOWING,
    cancelable,
    misplaced,
    placement_of,
    repricing,
    rests_freely,
)
from app.domain.plan import Envelope, Trajectory
from app.domain.quantity import ZERO
from app.domain.reducing import beyond_position, is_flat, named, within_position
from app.domain.session import Session
from app.domain.stop_moves import stops_moved
from app.domain.trigger import QuoteUpdated
from app.domain.wish import Hold, Scene, Wish

MOVED, PATIENCE_ENDED, NOT_TAKEN = "moved", "patience_ended", "not_taken"
"""Why children are canceled that others take the place of."""


def decide(
    execution: Execution, plan: Trajectory, desk: Desk, market: Market, now: Instant
) -> Decision:
    """What to do about one order at `now`, and when to look again.

    `plan` must be the algorithm's plan for the execution's task and anchor.
    """
    if execution.done:
        return Decision()
    if waits_for_evidence(execution):
        return _await_evidence(execution, now)
    if _stands_still(execution):
        return Decision()
    over = ending(execution, now)
    if over is not None:
        return _close(execution, *over)
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
        stay = execution.cancel_reason is None
        leaving = in_market(execution.children) if stay else execution.children
        return Decision(_cancels(leaving, "closing"))
    ended = "window_ended" if now >= execution.task.end else execution.reason
    return Decision((Move(OrderStatus.CLOSING, execution.cancel_reason or ended),))


def _phase(execution: Execution, desk: Desk, now: Instant) -> OrderStatus:
    queued = desk.queued and execution.next_child == 1
    waits = queued or now < execution.task.start
    return OrderStatus.SCHEDULED if waits else OrderStatus.WORKING


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
    # What is in the closing auction is awaited, unless the order has to end without it.
    expires = status is OrderStatus.EXPIRED
    leaving = in_market(execution.children) if expires else execution.children
    return Decision(_cancels(leaving, reason or "closing"))


def _pause(execution: Execution) -> Decision:
    if execution.status is not OrderStatus.PAUSED:
        return Decision((Move(OrderStatus.PAUSED, "requested"),))
    return Decision(_cancels(execution.children, "paused"), look_at=execution.task.end)


def _wait(execution: Execution, until: Instant, bound: str | None = None) -> Decision:
    if execution.status is not OrderStatus.SCHEDULED:
        return Decision((Move(OrderStatus.SCHEDULED),))
    return Decision(look_at=until, bound=bound)


def _work(
    execution: Execution, plan: Trajectory, desk: Desk, market: Market, now: Instant
) -> Decision:
    if is_flat(execution, desk):
        # Whatever the market is: what it showed is not stored with this decision.
        return Decision((Move(OrderStatus.CLOSING, NOTHING_TO_REDUCE),))
    end = execution.task.end
    session = market.session
    if session is None or not session.contains(now):
        opens = min(session.opens_at, end) if session else end
        return Decision(look_at=opens, bound="session")
    trip = tripped(execution, market, now)
    if trip is not None:
        return Decision((trip,), envelope=plan.envelope(now, market))
    return watching(execution, _in_session(execution, plan, desk, market, now, session))


def _in_session(
    execution: Execution,
    plan: Trajectory,
    desk: Desk,
    market: Market,
    now: Instant,
    session: Session,
) -> Decision:
    end = execution.task.end
    envelope = plan.envelope(now, market)
    cutoff = cutoff_of(execution.task)
    auction = cutoff is not None and cutoff <= now
    envelope = out_of_market(execution, envelope) if auction else envelope
    envelope = resting_stop(execution, envelope, desk)
    envelope = within_position(execution, envelope, desk)
    turns = end if cutoff is None or auction else cutoff
    wake = min(envelope.next_at or end, turns, end, session.closes_at)
    left, wake = lingering(execution, now, wake)
    moving = _moving(execution, desk, auction) or _cancels(left, NOT_TAKEN)
    if moving:
        return Decision(moving, wake, (), None, envelope)
    barred = _barred(execution, desk)
    if barred is not None:
        return Decision((), wake, (), barred, envelope)
    if market.quote is None:
        return Decision((), wake, (QuoteUpdated(0),), "no_quote", envelope)
    if auction:
        return _enter_auction(Scene(execution, envelope, desk, market, market.quote, now), wake)
    turn = turns_at(execution)
    if turn is not None and turn <= now:
        return Decision((Replan(execution.filled, "completion"),), wake, (), None, envelope)
    wake = wake if turn is None else min(wake, turn)
    done = as_good_as_done(execution)
    replan = catch_up(execution, plan, envelope, market.quote, envelope.must - done)
    if replan is not None:
        return Decision((replan,), wake, (), "catch_up", envelope)
    envelope, wake = hurried(execution, envelope, desk.margin, now, wake)
    envelope = planned = within_position(
        execution, willing(execution, envelope, market.quote), desk
    )
    envelope, bound = within_limit(execution, envelope, market.quote, planned.must - done)
    due, room = envelope.must - done, _room(execution, envelope)
    late, wake = overdue(execution, due - room, desk.margin, now, wake)
    if late:
        return Decision(_cancels(late, PATIENCE_ENDED), wake, (), None, planned)
    waits = Decision((), wake, envelope.triggers, bound, planned)
    scene = Scene(execution, envelope, desk, market, market.quote, now)
    waits = stops_moved(scene, _moved(execution, envelope, desk.pause, market.quote, now, waits))
    if waits.actions or room <= 0:
        return named(execution, desk, waits)
    return named(execution, desk, _place(scene, waits, due, room))


def _moving(execution: Execution, desk: Desk, auction: bool) -> tuple[Action, ...]:
    """What must not stay as it is: beyond the position or the limit, too large, or beside the
    closing auction."""
    found = misplaced(execution.task, execution.children)
    wrong = _cancels(beyond_position(execution, desk), "reduce_only")
    wrong = wrong or tuple(Cancel(c.id, why) for c, why in found if cancelable(c))
    if wrong or not auction:
        return wrong
    return _cancels([c for c in execution.children if rests_freely(c)], "closing_auction")


def _barred(execution: Execution, desk: Desk) -> str | None:
    """What forbids any new child: a control, or more filled than was asked for."""
    if desk.halt is not None:
        return "halt"
    return "excess" if execution.excess > 0 else None


def _room(execution: Execution, envelope: Envelope) -> Decimal:
    """What may be sent now."""
    return min(envelope.may, execution.task.qty) - execution.filled - execution.reserved


def _cancels(children: tuple[Child, ...] | list[Child], reason: str) -> tuple[Action, ...]:
    """A cancel for each child that has none yet; an unknown one has to be found first."""
    return tuple([Cancel(c.id, reason) for c in children if cancelable(c)])


def _moved(
    execution: Execution,
    envelope: Envelope,
    pause: Micros,
    quote: Quote,
    now: Instant,
    waits: Decision,
) -> Decision:
    """Resting children that are to stand elsewhere go; what they leave is sent anew.

    `waits`, here and below, is what the order waits for if nothing is done.
    """
    task, wake = execution.task, waits.look_at
    assert wake is not None, "a working order looks again at its end at the latest"
    resting = tuple([c for c in execution.children if rests_freely(c)])
    if not resting or placement_of(task) not in FOLLOWING:
        return waits
    bound, planned = waits.bound, waits.envelope
    fresh = now - quote.at <= task.policy.max_quote_age
    if not quote.uncrossed or not fresh:
        # No price to move to: any word of the feed may bring one.
        spoken = (*waits.triggers, QuoteUpdated(quote.at))
        return Decision((), wake, spoken, bound, planned)
    found = repricing(task, resting, envelope, quote, now, pause)
    wake = wake if found.until is None else min(wake, found.until)
    triggers = (*waits.triggers, *found.triggers)
    return Decision(_cancels(found.children, MOVED), wake, triggers, bound, planned)


def _place(scene: Scene, waits: Decision, due: Decimal, room: Decimal) -> Decision:
    """The crossing part first, the resting part at the next decision."""
    crosses = min(due, room)
    rests = room - max(due, ZERO)
    wishes = [Wish(Purpose.CROSS, crosses)] if crosses > 0 else []
    if rests > 0 and placement_of(scene.execution.task) is not Placement.CROSS:
        wishes.append(Wish(Purpose.REST, rests))
    return _send(scene, waits, wishes) if wishes else waits


def _enter_auction(scene: Scene, wake: Instant) -> Decision:
    """What is unsent, once there is evidence about what was in the market."""
    execution, envelope = scene.execution, scene.envelope
    waits = Decision((), wake, (), None, envelope)
    room = _room(execution, envelope)
    if room <= 0 or not evident(execution):
        return waits
    return _send(scene, waits, (Wish(Purpose.CLOSE, room),))


def _send(scene: Scene, waits: Decision, wishes: Sequence[Wish]) -> Decision:
    """At most one child, the first that the guards let through."""
    task, wake = scene.execution.task, waits.look_at
    assert wake is not None, "a working order looks again at its end at the latest"
    bound, triggers, own = waits.bound, waits.triggers, False
    for wish in wishes:
        verdict = guarded(scene, wish)
        if isinstance(verdict, Hold):
            bound = bound or verdict.guard
            own |= verdict.guard in OF_THE_ACCOUNT
            triggers = (*triggers, *verdict.triggers)
            wake = min(wake, verdict.until) if verdict.until is not None else wake
            continue
        send = Send(
            task.side,
            verdict.qty,
            verdict.price,
            verdict.purpose,
            verdict.time_in_force,
            scene.quote.far_at(task.side),
            verdict.stop_price,
            verdict.stop_limit_price,
        )
        return Decision((send,), wake, (), verdict.bound, waits.envelope)
    return Decision((), wake, triggers, bound, waits.envelope, own)
