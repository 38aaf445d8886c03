"""Parent orders on their way in: one, or many at once."""

from typing import Any

import orjson
from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from starlette.responses import Response

from app.api.auth import Reception, Trader, Visit
from app.api.bodies import checked, json_object, parsed, read
from app.api.direct import Direct
from app.api.errors import malformed, refused, request_id_of, unexpected
from app.api.headers import etag, idempotency_key
from app.api.order_bodies import BATCH_MAX, OrderBody, given
from app.api.order_examples import BATCH_ANSWER, BATCH_REQUEST, ORDER_REQUEST
from app.api.plain_answer import Plain
from app.domain.refusal import Refusal
from app.domain.request import Request as Asked
from app.engine.accept import accept
from app.engine.accept_many import Outcome, accept_many
from app.engine.given import Given
from app.store import views

router = APIRouter(tags=["orders"], route_class=Direct)

BATCH_BYTES_MAX = 1024 * 1024


@router.post("/orders", status_code=202, openapi_extra=ORDER_REQUEST)
async def enter_order(request: Request, visit: Trader) -> Response:
    """Enter a parent order. 202 means it is committed; a repetition gets the order there is."""
    key = idempotency_key(request)
    body = await parsed(request, OrderBody)
    asked = body.request(visit.account(body.account))
    accepted = await accept(visit.service, visit.caller, asked, Given.of(given(body), key))
    location = f"/orders/{accepted.row['id']}".encode()
    headers = [(b"location", location), (b"etag", etag(accepted.row).encode())]
    if accepted.replayed:
        headers.append((b"idempotency-replayed", b"true"))
    return Plain(orjson.dumps(views.order(accepted.row)), 202, headers)


@router.post("/orders/batch", openapi_extra=BATCH_REQUEST, responses=BATCH_ANSWER)
async def enter_orders(request: Request, visit: Trader) -> Response:
    """Enter up to 1,000 parent orders, each for itself: `results` holds for each, in the order
    they came, the status and body that POST /orders would have answered.

    200 says that the batch was read, not that any order was accepted. What is accepted is
    committed before the answer. Name each order by its `client_order_id`: a batch that
    is sent again then enters nothing twice.
    """
    _check_keyless(request)
    bodies = _items(json_object(await read(request, BATCH_BYTES_MAX)))
    _charge(request, visit, len(bodies) - 1)
    found = [_read_as(body, visit) for body in bodies]
    fit = [one for one in found if isinstance(one, tuple)]
    outcomes = iter(await accept_many(visit.service, visit.caller, fit))
    settled = [next(outcomes) if isinstance(one, tuple) else one for one in found]
    results = [_result(request_id_of(request), outcome) for outcome in settled]
    return Plain(orjson.dumps({"results": results}), 200)


def _charge(request: Request, visit: Visit, more: int) -> None:
    """Each order counts: many in one request are no way around the limit of the key."""
    reception: Reception = request.app.state.reception
    if more:
        reception.rates.charge(visit.key.id, "trade", "POST", request.url.path, more)


def _check_keyless(request: Request) -> None:
    """Raises Refusal: a key that is ignored would promise what nobody keeps."""
    if "idempotency-key" in request.headers:
        raise Refusal(
            "no_key_for_batches",
            "a batch takes no Idempotency-Key: give each order a client_order_id",
            field="Idempotency-Key",
        )


def _items(body: dict[str, Any]) -> list[Any]:
    """The orders of a batch, not looked at yet. Raises Refusal for what is no batch."""
    orders = body.get("orders")
    if not isinstance(orders, list) or len(body) != 1:
        raise Refusal("invalid_request", 'a batch is {"orders": […]}', field="orders")
    if not 1 <= len(orders) <= BATCH_MAX:
        raise Refusal("invalid_request", f"a batch has 1 to {BATCH_MAX:,} orders", field="orders")
    return orders


def _read_as(body: Any, visit: Visit) -> tuple[Asked, Given] | Exception:
    try:
        order = checked(body, OrderBody)
        return order.request(visit.account(order.account)), Given.of(given(order))
    except (RequestValidationError, Refusal) as wrong:
        return wrong


def _result(request_id: str, outcome: Outcome) -> dict[str, Any]:
    if not isinstance(outcome, Exception):
        replayed = {"replayed": True} if outcome.replayed else {}
        return {"status": 202, "order": views.order(outcome.row), **replayed}
    if isinstance(outcome, RequestValidationError):
        problem = malformed(request_id, outcome)
    elif isinstance(outcome, Refusal):
        problem = refused(request_id, outcome)
    else:
        problem = unexpected(request_id, outcome)
    return {"status": problem["status"], "problem": problem}
