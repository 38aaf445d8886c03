"""Orders in flight: amend, pause, resume, cancel. The answer is not the evidence: events are."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from app.api.amounts import Id
from app.api.auth import Canceler, Trader
from app.api.bodies import Strict, parsed
from app.api.header_parameters import IF_MATCH, with_headers
from app.api.headers import etag, expected_version
from app.api.openapi import body_of
from app.api.order_bodies import AmendBody
from app.api.orders import order_uuid
from app.engine import commands
from app.engine.cancel_all import cancel_all
from app.store import views

router = APIRouter(tags=["orders"])


@router.patch("/orders/{order_id}", openapi_extra=with_headers(body_of(AmendBody), IF_MATCH))
async def amend_order(request: Request, order_id: str, visit: Trader) -> Response:
    """Change an order in flight. If-Match must be its ETag.

    Limits hold as for a new order, except where the change makes nothing worse: an order may
    become smaller however much less they allow by now.
    """
    version = expected_version(request)
    body = await parsed(request, AmendBody)
    row = await commands.amend(
        visit.service,
        visit.caller,
        order_uuid(order_id),
        version,
        body.changes(),
        confirm=body.confirm,
    )
    return _answer(row, 200)


@router.delete("/orders/{order_id}", status_code=202)
async def cancel_order(order_id: str, visit: Canceler) -> Response:
    """Ask for the end of an order. Its children are canceled with evidence, then it ends."""
    return _answer(await commands.cancel(visit.service, visit.caller, order_uuid(order_id)), 202)


@router.post("/orders/{order_id}/pause", status_code=202)
async def pause_order(order_id: str, visit: Canceler) -> Response:
    """Stop sending and cancel what rests; the end stays where it is."""
    return _answer(await commands.pause(visit.service, visit.caller, order_uuid(order_id)), 202)


@router.post("/orders/{order_id}/resume", status_code=202)
async def resume_order(order_id: str, visit: Trader) -> Response:
    """Go on; what is left is spread over the time that is left."""
    return _answer(await commands.resume(visit.service, visit.caller, order_uuid(order_id)), 202)


class AccountQuery(Strict):
    account: Id


@router.delete("/orders", status_code=202)
async def cancel_all_orders(visit: Canceler, query: Annotated[AccountQuery, Query()]) -> Response:
    """Ask for the end of every open order of an account; the ids of those newly asked."""
    account = visit.account(query.account)
    return JSONResponse({"canceling": await cancel_all(visit.service, visit.caller, account)}, 202)


def _answer(row: Any, status: int) -> Response:
    return JSONResponse(views.order(row), status, {"ETag": etag(row["version"])})
