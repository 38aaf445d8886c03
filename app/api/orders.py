"""Parent orders: preview, list, look at."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import AfterValidator, Field
from starlette.responses import JSONResponse, Response

from app.api.amounts import Id, Label, Symbol
from app.api.auth import Reader, Visit
from app.api.bodies import Strict, parsed
from app.api.header_parameters import IF_NONE_MATCH, with_headers
from app.api.headers import etag, is_known, next_link
from app.api.order_bodies import OrderBody
from app.api.order_examples import ORDER_REQUEST
from app.api.previews import preview_answer
from app.domain.lifecycle import OrderStatus
from app.domain.refusal import Missing
from app.engine.preview import preview
from app.engine.reading import reading
from app.store import views

router = APIRouter(tags=["orders"])


@router.post("/orders/preview", openapi_extra=ORDER_REQUEST)
async def preview_order(request: Request, visit: Reader) -> Response:
    """What would happen: algorithm and why, schedule, cost, limits. Changes nothing.

    `schedule_basis` says what `schedule` and `participation` are. `planned`: the order's own
    slices. `expected`: the market's volume decides when a POV order trades; its children are told
    for a usual day, from the volume curve times the daily volume as what others trade, of which
    the order does rate / (1 - rate). `due_at` is when a child that rests has to cross, null where
    that is not expected within the window. Without a daily volume both are empty.
    """
    body = await parsed(request, OrderBody)
    asked = body.request(visit.account(body.account))
    return JSONResponse(preview_answer(await preview(visit.service, visit.caller, asked)))


_STATUSES = ("open", "closed", *(status.value for status in OrderStatus))


def _known_status(status: str) -> str:
    if status not in _STATUSES:
        raise ValueError(f"must be one of {', '.join(_STATUSES)}")
    return status


class OrderQuery(Strict):
    """Which orders to list."""

    status: Annotated[str, AfterValidator(_known_status)] | None = None
    symbol: Symbol | None = None
    strategy: Label | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 50
    cursor: UUID | None = None


@router.get("/orders")
async def list_orders(
    request: Request, visit: Reader, query: Annotated[OrderQuery, Query()]
) -> Response:
    """Orders, newest first. `status` may be one, or open or closed."""
    async with reading(visit.service) as connection:
        page = await views.orders(
            connection,
            accounts=visit.caller.accounts,
            status=query.status,
            symbol=query.symbol,
            strategy=query.strategy,
            cursor=str(query.cursor) if query.cursor else None,
            limit=query.limit,
        )
    answer = {"items": page.items, "next_cursor": page.next_cursor}
    return JSONResponse(answer, headers=next_link(request, page.next_cursor))


class ClientIdQuery(Strict):
    client_order_id: Id


@router.get("/orders:by_client_order_id", openapi_extra=with_headers({}, IF_NONE_MATCH))
async def order_by_client_id(
    request: Request, visit: Reader, query: Annotated[ClientIdQuery, Query()]
) -> Response:
    """The order that a client's own id stands for."""
    async with reading(visit.service) as connection:
        row = await views.find_by_client_id(
            connection, query.client_order_id, visit.caller.accounts
        )
    if row is None:
        raise Missing("unknown_order", f"no order {query.client_order_id!r}")
    return _shown(request, row)


@router.get("/orders/{order_id}", openapi_extra=with_headers({}, IF_NONE_MATCH))
async def get_order(request: Request, order_id: str, visit: Reader) -> Response:
    """One order, whole. The ETag is what PATCH asks for in If-Match."""
    async with reading(visit.service) as connection:
        row = await find_order(connection, order_id, visit)
        exits = await views.exits(connection, row)
    if exits is None:
        return _shown(request, row)
    # Of its exits the order's own version says nothing: there is no 304.
    return JSONResponse(
        {**views.order(row), "exits": exits}, headers={"ETag": etag(row["version"])}
    )


async def find_order(connection: Any, order_id: str, visit: Visit) -> Any:
    """The row of an order that the caller may see. Raises Missing."""
    row = await views.find_order(connection, order_uuid(order_id), visit.caller.accounts)
    if row is None:
        raise Missing("unknown_order", f"no order {order_id}")
    return row


def order_uuid(text: str, what: str = "order") -> str:
    """An id as the store writes it. Raises Missing for what can be no such id."""
    try:
        return str(UUID(text[:64]))
    except ValueError:
        raise Missing(f"unknown_{what}", f"no such {what}") from None


def _shown(request: Request, row: Any) -> Response:
    tag = etag(row["version"])
    if is_known(request, tag):
        return Response(status_code=304, headers={"ETag": tag})
    return JSONResponse(views.order(row), headers={"ETag": tag})
