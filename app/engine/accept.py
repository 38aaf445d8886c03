"""Accepting a parent order: checked, written, answered. A returned answer is a committed one."""

import hashlib
from collections.abc import Mapping
from dataclasses import InitVar, dataclass, field
from functools import lru_cache
from typing import Any

from app.domain.admission import Admitted, Scene, admit
from app.domain.identity import order_key
from app.domain.quantity import ZERO
from app.domain.refusal import Conflict, Refusal
from app.domain.request import Request
from app.engine.ids import new_id
from app.engine.quotes import scene_for
from app.engine.service import Caller, Service
from app.failpoints import reach
from app.store import rows
from app.store.controls import Switch
from app.store.database import to_json
from app.store.doorbell import EVENTS, WORK
from app.store.intake import Accepted, Arrival, Clash, Halted, Verdict, find_earlier


@dataclass(frozen=True, slots=True)
class Given:
    """The request as the client sent it: its fingerprint decides what is a repetition."""

    body: InitVar[Mapping[str, Any]]
    idempotency_key: str | None = None
    digest: bytes = field(init=False)

    def __post_init__(self, body: Mapping[str, Any]) -> None:
        canonical = to_json(dict(sorted(body.items())))
        object.__setattr__(self, "digest", hashlib.sha256(canonical.encode()).digest())

    @property
    def sha256(self) -> str:
        """As PostgreSQL writes it."""
        return "\\x" + self.digest.hex()


class KeyReused(Refusal):
    """The Idempotency-Key came before with another body (HTTP 422)."""


async def accept(
    service: Service,
    caller: Caller,
    request: Request,
    given: Given,
    *,
    signal: Mapping[str, Any] | None = None,
) -> Accepted:
    """Enter an order. Same key or client id with the same body: the order that is there.

    Raises Refusal (nothing stored), KeyReused, or Conflict for a `client_order_id` that stands
    for another body, and for a kill switch that bears on the order.
    """
    entering = await check(service, caller, request, given, signal=signal)
    if isinstance(entering, Accepted):
        return entering
    return settled(service, request, await service.intake.put(entering))


async def check(
    service: Service,
    caller: Caller,
    request: Request,
    given: Given,
    *,
    signal: Mapping[str, Any] | None = None,
) -> Arrival | Accepted:
    """Check a request: what is to be entered, or the order that it made before. Raises Refusal."""
    order_id = new_id()
    try:
        scene = await scene_for(service, request.symbol)
        admitted = admit(request, order_id, scene, service.rules)
    except Refusal:
        # What was accepted once is answered again, even where it could no longer be entered.
        earlier = await _earlier(service, caller, request, given)
        if earlier is None:
            raise
        return earlier
    reach("order.checked")
    return _arrival(service, caller, request, given, admitted, scene, signal)


def settled(service: Service, request: Request, verdict: Verdict) -> Accepted:
    """What became of an arrival. Raises KeyReused or Conflict."""
    if isinstance(verdict, Clash):
        raise _clash(verdict, request)
    if isinstance(verdict, Halted):
        raise halted(verdict.switch)
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
    signal: Mapping[str, Any] | None,
) -> Arrival:
    order = _order_row(caller, request, given, admitted, scene)
    order["broker"] = service.broker_of[request.account]
    order["signal_id"] = signal["id"] if signal else None
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
        event=_first_event(order),
        idempotency=idempotency,
        signal={**signal, "order_id": order["id"]} if signal else None,
    )


# The same for every order on a symbol, and long: a curve has a share for every five minutes.
_curve = lru_cache(maxsize=1024)(rows.curve_to_json)
_instrument = lru_cache(maxsize=1024)(rows.instrument_to_json)


def _order_row(
    caller: Caller, request: Request, given: Given, admitted: Admitted, scene: Scene
) -> dict[str, Any]:
    task, quote = admitted.task, admitted.quote
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
        "instrument": _instrument(task.instrument),
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
        "session_opens_at": task.session.opens_at,
        "session_closes_at": task.session.closes_at,
        "curve": _curve(task.curve),
        "seed": task.seed,
        "max_participation": task.max_participation,
        "max_quote_age_us": task.policy.max_quote_age,
        "collar": task.policy.collar,
        "urgency": request.urgency.value,
        "priority": request.priority,
        "time_in_force": "day",
        "on_restart": request.on_restart.value,
        "status": "accepted",
        "anchor_at": task.start,
        "arrival_bid": quote.bid if quote else None,
        "arrival_ask": quote.ask if quote else None,
        "daily_volume": scene.daily_volume,
        "accepted_at": scene.now,
    }


def _first_event(order: Mapping[str, Any]) -> dict[str, Any]:
    zero = format(ZERO, "f")
    qty = format(order["qty"], "f")
    sums = {name: zero for name in ("filled", "working", "unknown", "canceled", "excess")}
    return {
        "account": order["account"],
        "order_id": order["id"],
        "seq": 1,
        "type": "order.accepted",
        "at": order["accepted_at"],
        "data": {
            "client_order_id": order["client_order_id"],
            "side": order["side"],
            "algo": order["algo"],
            "route_reason": order["route_reason"],
            "order": {
                "status": "accepted",
                "qty": qty,
                "unsent": qty,
                **sums,
                "symbol": order["symbol"],
            },
        },
    }
