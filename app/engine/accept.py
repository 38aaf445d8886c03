"""Accepting a parent order: checked, written, answered. A returned answer is a committed one."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeVar

from app.domain.admission import Admitted, admit
from app.domain.identity import order_key
from app.domain.refusal import Conflict, Refusal
from app.domain.request import Request
from app.domain.risk.judge import check as check_limits
from app.domain.scene import Scene
from app.domain.session import Session
from app.domain.task import Policy
from app.engine.costing import snapshot
from app.engine.exit_order import bracket_columns
from app.engine.given import Given
from app.engine.ids import new_id
from app.engine.limits import checked, proposal_of
from app.engine.quotes import scene_for
from app.engine.service import Caller, Service, check_broker
from app.failpoints import reach
from app.store import rows
from app.store.arrival import Accepted, Arrival, Clash, Halted, Verdict
from app.store.controls import Switch
from app.store.database import Written
from app.store.doorbell import EVENTS, WORK
from app.store.intake import find_earlier
from app.store.restraint import Checked, Refused

Routed = Callable[[Request, Scene], Request]
"""A door's own choice of algorithm, by what the market is. Raises Refusal."""


Told = TypeVar("Told")


class KeyReused(Refusal):
    """The Idempotency-Key came before with another body (HTTP 422)."""


async def accept(
    service: Service,
    caller: Caller,
    request: Request,
    given: Given,
    *,
    signal: Mapping[str, Any] | None = None,
    routed: Routed | None = None,
) -> Accepted:
    """Enter an order. Same key or client id with the same body: the order that is there.

    Raises Refusal (nothing stored), KeyReused, or Conflict for a `client_order_id` that stands
    for another body, and for a kill switch that bears on the order.
    """
    entering = await check(service, caller, request, given, signal=signal, routed=routed)
    if isinstance(entering, Accepted):
        return entering
    return settled(service, request, await service.intake.put(entering))


async def accept_telling(
    service: Service,
    caller: Caller,
    request: Request,
    given: Given,
    tell: Callable[[Arrival], Told],
) -> tuple[Accepted, Told | None]:
    """The same, with what `tell` said of it before it was entered: None for one that was there, or
    with which something else came and may have changed it. Raises as `accept`."""
    entering = await check(service, caller, request, given)
    if isinstance(entering, Accepted):
        return entering, None
    told = tell(entering) if entering.alone else None
    accepted = settled(service, request, await service.intake.put(entering))
    return accepted, None if accepted.replayed else told


async def check(
    service: Service,
    caller: Caller,
    request: Request,
    given: Given,
    *,
    signal: Mapping[str, Any] | None = None,
    routed: Routed | None = None,
) -> Arrival | Accepted:
    """Check a request: what is to be entered, or the order that it made before. Raises Refusal.

    `routed` may have its say once the market is known.
    """
    caller.check_symbol(request.symbol)
    order_id = new_id()
    request = await service.strategies.applied(request)
    try:
        scene = await scene_for(service, request.symbol)
        if routed is not None:
            request = routed(request, scene)
        admitted = admit(request, order_id, scene, service.rules)
        check_broker(service, admitted.task)
        limited, verdicts = await checked(
            service, proposal_of(caller, request, admitted), frozenset(request.confirm)
        )
        check_limits(verdicts, quantity_field(request))
    except Refusal:
        # What was accepted once is answered again, even where it could no longer be entered.
        earlier = await _earlier(service, caller, request, given)
        if earlier is None:
            raise
        return earlier
    reach("order.checked")
    arrival = _arrival(service, caller, request, given, admitted, scene, limited)
    if signal is None:
        return arrival
    order_row = {**arrival.order, "signal_id": signal["id"]}
    return arrival._replace(order=order_row, signal={**signal, "order_id": order_id})


def quantity_field(request: Request) -> str:
    """The field by which an order that is too large is named."""
    return "qty" if request.qty is not None else "notional"


def settled(service: Service, request: Request, verdict: Verdict) -> Accepted:
    """What became of an arrival. Raises KeyReused or Conflict."""
    if isinstance(verdict, Clash):
        raise _clash(verdict, request)
    if isinstance(verdict, Halted):
        raise halted(verdict.switch)
    if isinstance(verdict, Refused):
        service.limits.forget()
        check_limits(verdict.verdicts, quantity_field(request))
        raise AssertionError("a refused order breaks a limit")
    service.doorbell.ring(WORK)
    service.doorbell.ring(EVENTS)
    reach("order.answered")
    return verdict


async def _earlier(
    service: Service, caller: Caller, request: Request, given: Given
) -> Accepted | None:
    async with service.database.connection() as connection:
        return await find_earlier(
            connection,
            key_id=caller.key_id,
            key=given.idempotency_key,
            account=request.account,
            client_order_id=request.client_order_id,
            body_sha256=given.sha256,
        )


def _clash(clash: Clash, request: Request) -> Refusal:
    if clash.what == "key":
        return KeyReused(
            "idempotency_key_reused",
            "this Idempotency-Key came before with another body",
            field="Idempotency-Key",
        )
    if clash.what == "signal":
        return Conflict(
            "duplicate_signal", "this signal id came before with another body", field="id"
        )
    if clash.order_id is not None:
        return Conflict(
            "order_archived",
            f"client_order_id {request.client_order_id!r} stands for an order that is finished"
            " and archived",
            field="client_order_id",
            detail={"order_id": clash.order_id},
        )
    return Conflict(
        "duplicate_client_order_id",
        f"client_order_id {request.client_order_id!r} stands for another order",
        field="client_order_id",
    )


def halted(switch: Switch) -> Conflict:
    """What an order under a kill switch is told."""
    scope, name = switch.scope.value, switch.name
    return Conflict(
        "risk.halted",
        f"the kill switch {scope}:{name} is thrown: {switch.reason}",
        detail={"scope": scope, "name": name, "reason": switch.reason},
    )


def _arrival(
    service: Service,
    caller: Caller,
    request: Request,
    given: Given,
    admitted: Admitted,
    scene: Scene,
    limited: Checked,
) -> Arrival:
    order = _order_row(caller, request, given, admitted)
    order["estimate"] = snapshot(service, request, admitted, scene)
    order["signal_id"] = None
    order["value"] = limited.proposal.value
    order["limits_version"] = limited.version
    order["confirmed"] = None
    idempotency = None
    if given.idempotency_key is not None:
        idempotency = {
            "key_id": caller.key_id,
            "key": given.idempotency_key,
            "body_sha256": given.sha256,
            "account": request.account,
            "order_id": order["id"],
        }
    return Arrival(
        order=order,
        market=_market(
            scene,
            admitted.task.session,
            service.rules.policy,
            service.broker_of[request.account],
            admitted.quote is not None,
            admitted.task.extended_hours,
        ),
        idempotency=idempotency,
        checked=limited,
    )


@lru_cache(maxsize=256)
def _market(
    scene: Scene, session: Session, policy: Policy, broker: str, quoted: bool, extended: bool
) -> Mapping[str, Any]:
    """What is the same for every order that meets this scene. A curve has a share for every five
    minutes, so that it is written once is worth much."""
    quote = scene.quote if quoted else None
    return {
        "broker": broker,
        "instrument": rows.instrument_to_json(scene.instrument),
        "session_opens_at": session.opens_at,
        "session_closes_at": session.closes_at,
        "curve": Written(rows.curve_to_json(scene.curve_for(session, extended))),
        "max_quote_age_us": policy.max_quote_age,
        "collar": policy.collar,
        "close_cutoff_us": policy.close_cutoff,
        "status": "accepted",
        "arrival_bid": quote.bid if quote else None,
        "arrival_ask": quote.ask if quote else None,
        "daily_volume": scene.daily_volume,
        "accepted_at": scene.now,
    }


def _order_row(
    caller: Caller, request: Request, given: Given, admitted: Admitted
) -> dict[str, Any]:
    task = admitted.task
    return {
        "account": task.account,
        "id": task.order_id,
        "key": order_key(task.order_id),
        "client_order_id": request.client_order_id or task.order_id,
        "body_sha256": given.digest,
        "key_id": caller.key_id,
        "strategy": request.strategy,
        "tags": list(request.tags),
        "symbol": task.instrument.symbol,
        "side": task.side.value,
        "qty": task.qty,
        "notional": request.notional,
        "algo": task.algo,
        "algo_version": admitted.algorithm.version,
        "asked_algo": request.algo,
        "route_reason": admitted.route.reason,
        "params": rows.plain_params(task.params),
        "limit_price": task.limit_price,
        "start_at": task.start,
        "end_at": task.end,
        "seed": task.seed,
        "max_participation": task.max_participation,
        "urgency": request.urgency.value,
        "priority": request.priority,
        "time_in_force": request.time_in_force,
        "on_restart": request.on_restart.value,
        "anchor_at": task.start,
        "reduce_only": task.reduce_only,
        "extended_hours": task.extended_hours,
        **bracket_columns(request.bracket, task.order_id),
    }
