"""Parent orders on their way in: one, or many at once."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import orjson
from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from starlette.responses import Response

from app.api.auth import Reception, Trader, Visit
from app.api.bodies import checked, json_object, read, whole
from app.api.direct import Direct
from app.api.errors import malformed, refused, request_id_of, unexpected
from app.api.header_parameters import IDEMPOTENCY_KEY, PREFER, with_headers
from app.api.headers import MINIMAL_APPLIED, etag, idempotency_key, prefers_minimal
from app.api.order_bodies import BATCH_MAX, OrderBody, given
from app.api.order_examples import BATCH_ANSWER, BATCH_REQUEST, ORDER_REQUEST
from app.api.plain_answer import Plain
from app.domain.refusal import Refusal
from app.domain.request import Request as Asked
from app.engine.accept import accept_telling
from app.engine.accept_many import Outcome, accept_many
from app.engine.given import Given
from app.store import views

router = APIRouter(tags=["orders"], route_class=Direct)

BATCH_BYTES_MAX = 1024 * 1024

Headers = list[tuple[bytes, bytes]]


class Shown(NamedTuple):
    """How orders are shown: one that was entered just now, and one that was there."""

    entered: Callable[[Any], views.Answer]
    there: Callable[[Any], views.Answer]

    def __call__(self, accepted: Any) -> views.Answer:
        return (self.there if accepted.replayed else self.entered)(accepted.row)


_WHOLE = Shown(views.entered, views.order)
_IN_SHORT = Shown(views.order_in_short, views.order_in_short)


@router.post(
    "/orders",
    status_code=202,
    openapi_extra=with_headers(ORDER_REQUEST, IDEMPOTENCY_KEY, PREFER),
)
async def enter_order(request: Request, visit: Trader) -> Response:
    """Enter a parent order. 202 means it is committed; a repetition gets the order there is.

    Who enters many may prefer short answers: `Prefer: return=minimal`.
    """
    asked, said = _read(request, visit, whole(request) or await read(request))
    shown, headers = _preferred(request)
    accepted, ahead = await accept_telling(
        visit.service, visit.caller, asked, said, partial(views.ahead, shown=shown.entered)
    )
    if ahead is not None:
        written = ahead.at(accepted.row.told)
        return _entered(written, ahead.order_id, ahead.version, headers)
    row = accepted.row
    if accepted.replayed:
        headers.append((b"idempotency-replayed", b"true"))
    return _entered(orjson.dumps(shown(accepted)), row["id"], row["version"], headers)


def _entered(written: bytes, order_id: str, version: int, headers: Headers) -> Response:
    headers.append((b"location", f"/orders/{order_id}".encode()))
    headers.append((b"etag", etag(version).encode()))
    return Plain(written, 202, headers)


def _read(request: Request, visit: Visit, raw: bytes) -> tuple[Asked, Given]:
    key = idempotency_key(request)
    body = checked(json_object(raw), OrderBody)
    return body.request(visit.account(body.account)), Given.of(given(body), key)


@router.post(
    "/orders/batch", openapi_extra=with_headers(BATCH_REQUEST, PREFER), responses=BATCH_ANSWER
)
async def enter_orders(request: Request, visit: Trader) -> Response:
    """Enter up to 1,000 parent orders, each for itself: `results` holds for each, in the order
    they came, the status and body that POST /orders would have answered.

    200 says that the batch was read, not that any order was accepted. What is accepted is
    committed before the answer. Name each order by its `client_order_id`: a batch that
    is sent again then enters nothing twice.
    """
    bodies = await _items(request)
    _charge(request, visit, len(bodies) - 1)
    found = [_read_as(body, visit) for body in bodies]
    fit = [one for one in found if isinstance(one, tuple)]
    outcomes = iter(await accept_many(visit.service, visit.caller, fit))
    settled = [next(outcomes) if isinstance(one, tuple) else one for one in found]
    shown, headers = _preferred(request)
    results = [_result(request_id_of(request), outcome, shown) for outcome in settled]
    return Plain(orjson.dumps({"results": results}), 200, headers)


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


async def _items(request: Request) -> list[Any]:
    """The orders of a batch, not looked at yet. Raises Refusal for what is no batch."""
    _check_keyless(request)
    body = json_object(await read(request, BATCH_BYTES_MAX))
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


def _preferred(request: Request) -> tuple[Shown, Headers]:
    """How the client wants to see orders that it enters, and the headers that say so."""
    if prefers_minimal(request):
        return _IN_SHORT, [MINIMAL_APPLIED]
    return _WHOLE, []


def _result(request_id: str, outcome: Outcome, shown: Shown) -> dict[str, Any]:
    if not isinstance(outcome, Exception):
        replayed = {"replayed": True} if outcome.replayed else {}
        return {"status": 202, "order": shown(outcome), **replayed}
    if isinstance(outcome, RequestValidationError):
        problem = malformed(request_id, outcome)
    elif isinstance(outcome, Refusal):
        problem = refused(request_id, outcome)
    else:
        problem = unexpected(request_id, outcome)
    return {"status": problem["status"], "problem": problem}
