"""Pause, resume, amend, cancel: state on the order, seen by its desk by doorbell or timer."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

from app.domain.admission import check_amended
from app.domain.algorithm import complete
from app.domain.algos import BY_NAME
from app.domain.auction import check_auction, closes
from app.domain.execution import Execution
from app.domain.fact import Amended, CancelRequested, OrderFact, Paused, Resumed
from app.domain.fold import apply
from app.domain.instant import SECOND, Instant
from app.domain.lifecycle import OrderStatus
from app.domain.quantity import is_multiple
from app.domain.refusal import Conflict, Missing, Refusal, Stale, Unavailable
from app.domain.risk.judge import check as check_limits
from app.engine import limits
from app.engine.quotes import scene_for
from app.engine.service import Caller, Service, check_broker
from app.engine.telling import tell_command
from app.engine.working import EXIT, FLATTEN
from app.failpoints import reach
from app.store import journal, market_state, views
from app.store.database import Connection
from app.store.doorbell import EVENTS, WORK
from app.store.journal import Entry


@dataclass(frozen=True, slots=True)
class Changes:
    """What an amendment asks for; None leaves a field as it is."""

    qty: Decimal | None = None
    limit_price: Decimal | None = None
    end: Instant | None = None
    max_participation: Decimal | None = None
    params: Mapping[str, Any] | None = None


async def pause(service: Service, caller: Caller, order_id: str) -> Any:
    """Stop sending and cancel resting children; the end stays where it is. Raises Conflict."""
    return await _command(service, caller, order_id, _pause)


async def resume(service: Service, caller: Caller, order_id: str) -> Any:
    """Go on; what is left is spread over the time that is left. Raises Conflict."""

    def resumed(execution: Execution, now: Instant) -> OrderFact | None:
        caller.check_symbol(execution.task.instrument.symbol)
        return _resume(execution, now)

    return await _command(service, caller, order_id, resumed)


async def cancel(service: Service, caller: Caller, order_id: str, reason: str = "requested") -> Any:
    """Ask for the end. The answer is not the evidence: that comes as events. Raises Conflict."""
    return await _command(service, caller, order_id, lambda e, now: _cancel(e, now, reason))


Along = Callable[[Connection, Any, Instant], Awaitable[None]]
"""What is done in a command's own transaction, with the order's row as it was, at market time."""


def _named(changes: Changes) -> list[str]:
    return [f.name for f in fields(changes) if getattr(changes, f.name) is not None]


Limited = Callable[[Connection, Any, Execution, OrderFact], Awaitable[None]]
"""Holds a changed order against limits, in a command's own transaction. Raises Refusal."""


async def amend(
    service: Service,
    caller: Caller,
    order_id: str,
    version: int | None,
    changes: Changes,
    *,
    confirm: Collection[str] = (),
    along: Along | None = None,
) -> Any:
    """Change an order in flight; `version` must be the current one (None: whichever it is).

    Limits hold as for a new one, except where the change makes nothing worse; `confirm` names the
    soft ones to go beyond. Raises Stale, Conflict (below what is filled and open, or finished), or
    Refusal.
    """
    async with service.database.connection() as connection:
        row = await views.find_order(connection, order_id, caller.accounts)
    if row is None:
        raise Missing("unknown_order", f"no order {order_id}")
    caller.check_symbol(row["symbol"])
    limits.check_confirmed(confirm)
    scene = await scene_for(service, row["symbol"])

    def amended(execution: Execution, now: Instant) -> OrderFact:
        fact = _amend(execution, now, changes)
        task = apply(execution, fact).task
        check_amended(task, scene, service.rules, _named(changes))
        if not closes(execution.task):
            check_auction(task, now)
            check_broker(service, task)
        return fact

    async def limited(
        connection: Connection, row: Any, execution: Execution, fact: OrderFact
    ) -> None:
        if changes.qty is None and changes.limit_price is None:
            return
        after = apply(execution, fact).task
        amendment = limits.Amendment(caller, execution.task, after, frozenset(confirm))
        verdicts = await limits.hold_amended(service, connection, row, amendment, scene)
        check_limits(verdicts, "qty" if changes.qty is not None else "limit_price")

    return await _command(
        service, caller, order_id, amended, version=version, along=along, limited=limited
    )


async def _command(
    service: Service,
    caller: Caller,
    order_id: str,
    make: Callable[[Execution, Instant], OrderFact | None],
    *,
    version: int | None = None,
    along: Along | None = None,
    limited: Limited | None = None,
) -> Any:
    """Lock, check, record; returns the order's row afterwards."""
    async with service.database.transaction() as connection:
        row = await views.find_order(connection, order_id, caller.accounts)
        if row is None:
            raise Missing("unknown_order", f"no order {order_id}")
        now = await _now(connection)
        execution, current = (
            await journal.load(connection, account=row["account"], order_ids=[order_id], lock=True)
        )[order_id]
        reach("command.locked")
        if version is not None and version != current:
            raise Stale("stale_version", f"the order is at version {current}, not {version}")
        fact = make(execution, now)
        if row["role"] == FLATTEN and not isinstance(fact, CancelRequested | None):
            raise Conflict("flattening", "the order closes a position for a kill switch")
        if row["role"] == EXIT and not isinstance(fact, CancelRequested | None):
            raise Conflict("exit_of_bracket", "the order follows its entry: it can be canceled")
        if along is not None:
            # Read again: what was read before the lock may have moved on.
            await along(
                connection, await views.find_order(connection, order_id, caller.accounts), now
            )
        if fact is not None:
            if limited is not None:
                await limited(connection, row, execution, fact)
            await journal.record(
                connection,
                account=row["account"],
                broker=row["broker"],
                entries=[Entry(order_id, [fact], attention=True, by=caller.key_id)],
            )
            await tell_command(connection, caller, execution.task, fact)
        reach("command.recorded")
        after = await views.find_order(connection, order_id, caller.accounts)
    reach("command.committed")
    service.doorbell.ring(WORK)
    service.doorbell.ring(EVENTS)
    return after


async def _now(connection: Connection) -> Instant:
    clock = await market_state.clock(connection)
    if clock is None:
        raise Unavailable("no_market_time", "no worker has told the market time yet")
    return clock.now


def _check_open(execution: Execution, verb: str) -> None:
    ending = execution.cancel_reason is not None or execution.status is OrderStatus.CLOSING
    if execution.done or ending:
        state = execution.status if execution.done else "closing"
        raise Conflict("order_is_over", f"cannot {verb} an order that is {state}")


def _pause(execution: Execution, now: Instant) -> OrderFact | None:
    _check_open(execution, "pause")
    return None if execution.pause_requested else Paused(now)


def _resume(execution: Execution, now: Instant) -> OrderFact | None:
    _check_open(execution, "resume")
    return Resumed(now) if execution.pause_requested else None


def _cancel(execution: Execution, now: Instant, reason: str) -> OrderFact | None:
    if execution.done:
        raise Conflict("order_is_over", f"the order is {execution.status} already")
    return None if execution.cancel_reason is not None else CancelRequested(now, reason)


def _amend(execution: Execution, now: Instant, changes: Changes) -> Amended:
    _check_open(execution, "amend")
    _check_qty(execution, changes.qty)
    _check_price(execution, changes.limit_price)
    _check_end(execution, changes.end, now)
    share = changes.max_participation
    if share is not None and not 0 < share < 1:
        raise Refusal(
            "out_of_range", "max_participation lies between 0 and 1", field="max_participation"
        )
    return Amended(
        now,
        qty=changes.qty,
        limit_price=changes.limit_price,
        end=changes.end,
        max_participation=share,
        params=_params(execution, changes.params),
    )


def _check_qty(execution: Execution, qty: Decimal | None) -> None:
    if qty is None:
        return
    instrument = execution.task.instrument
    if qty <= 0 or not is_multiple(qty, instrument.lot):
        raise Refusal(
            "wrong_lot", f"qty must be a positive multiple of {instrument.lot}", field="qty"
        )
    least = execution.filled + execution.reserved
    if qty < least:
        raise Conflict(
            "below_open_quantity",
            f"{format(least, 'f')} are filled or at the broker; qty cannot go below that",
            field="qty",
        )


def _check_price(execution: Execution, price: Decimal | None) -> None:
    tick = execution.task.instrument.tick
    if price is not None and (price <= 0 or not is_multiple(price, tick)):
        raise Refusal(
            "wrong_tick", f"limit_price must be a positive multiple of {tick}", field="limit_price"
        )


def _check_end(execution: Execution, end: Instant | None, now: Instant) -> None:
    if end is None:
        return
    task = execution.task
    if end < max(task.start, now) + SECOND:
        raise Refusal("end_before_start", "end_time has already passed", field="end_time")
    if end > task.session.closes_at:
        raise Refusal(
            "window_outside_session", "end_time is after the session's close", field="end_time"
        )


def _params(execution: Execution, given: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    if not given:
        return None
    algorithm = BY_NAME[execution.task.algo]
    complete(algorithm, given)
    for name in given:
        parameter = algorithm.parameter(name)
        if parameter is not None and not parameter.mutable:
            raise Refusal(
                "not_mutable", f"{name} cannot be changed in flight", field=f"params.{name}"
            )
    merged = complete(algorithm, {**execution.task.params, **given})
    return {name: merged[name] for name in given if name in merged}
