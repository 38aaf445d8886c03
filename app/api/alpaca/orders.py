"""Orders: submit, list, look at, replace, cancel. Only parent orders: children count twice."""

from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import JSONResponse, Response

from app.api.alpaca import shown
from app.api.alpaca.access import Canceler, Client, Reader, Trader
from app.api.alpaca.bodies import OrderBody, ReplaceBody, ignored, parsed
from app.api.alpaca.queries import Filters, NoFilters, symbols_in
from app.api.alpaca.translating import changes_of, request_of, routed
from app.api.amounts import Id, Moment
from app.api.openapi import body_of
from app.api.orders import order_uuid
from app.domain.refusal import Conflict, Missing
from app.domain.request import AUTO
from app.domain.request import Request as Asked
from app.engine import commands
from app.engine.accept import accept
from app.engine.cancel_all import cancel_all
from app.engine.given import Given
from app.engine.reading import reading
from app.engine.replacing import replace
from app.store import views

router = APIRouter(tags=["orders"])


@router.post("/orders", openapi_extra=body_of(OrderBody))
async def submit_order(request: Request, client: Trader) -> Response:
    """Enter an order. 200 means that it is committed; the same client_order_id with the same body
    gets the order there is, so a client that sends again enters nothing twice."""
    body, unknown = await parsed(request, OrderBody)
    given = Given.of(body.model_dump(exclude_unset=True, exclude_none=True))
    answer = await enter(
        client, request_of(body, client.account), given, plain=body.advanced_instructions is None
    )
    return Response(orjson.dumps(answer), 200, ignored(unknown), "application/json")


async def enter(
    client: Client, asked: Asked, given: Given, *, plain: bool, closing: bool = False
) -> dict[str, Any]:
    """Enter a request for a client; the order as Alpaca shows it. Raises Refusal.

    `closing`: it makes risk smaller, and is never refused for its size.
    """
    service, own = client.service, client.key.default_algo
    algo = own or client.surface.default_algo
    await _check_name(client, asked)
    accepted = await accept(
        service,
        client.caller,
        asked,
        given,
        routed=routed(
            AUTO if closing and algo == "market" else algo,
            plain=plain,
            refuse=client.surface.refuse_large and own is None and not closing,
            thresholds=service.rules.thresholds,
        ),
    )
    if accepted.replayed:
        return shown.order(await _entry(client, accepted.row["id"], current=True))
    return shown.order(_fresh(accepted.row))


async def _check_name(client: Client, asked: Asked) -> None:
    """Raises Conflict for a client's own id that a replacement of another order has."""
    if asked.client_order_id is None:
        return
    async with reading(client.service) as connection:
        entry = await views.named_by_client(connection, client.account, asked.client_order_id)
    if entry is not None and entry["replaces"] is not None:
        raise Conflict("duplicate_client_order_id", "a replacement has this client_order_id")


def _fresh(row: Any) -> dict[str, Any]:
    """The entry of an order that was entered a moment ago."""
    return {
        **row,
        "name": row["id"],
        "since_seq": 0,
        "named_at": row["accepted_at"],
        "replaces": None,
        "own_id": row["client_order_id"],
        "replaced_by": None,
        "replaced_at": None,
        "before": None,
        "told_at": row["accepted_at"],
    }


class OrdersQuery(Filters):
    """Which orders to list; `symbols` are separated by commas."""

    status: Literal["open", "closed", "all"] = "open"
    limit: Annotated[int, Field(ge=1, le=500)] = 50
    after: Moment | None = None
    until: Moment | None = None
    direction: Literal["asc", "desc"] = "desc"
    nested: bool = False
    side: Literal["buy", "sell"] | None = None
    symbols: Annotated[str, Field(max_length=4_000)] | None = None


@router.get("/orders")
async def list_orders(client: Reader, query: Annotated[OrdersQuery, Query()]) -> Response:
    """Orders by when they were submitted; a replaced one is among the closed."""
    async with reading(client.service) as connection:
        entries = await views.named_list(
            connection,
            client.account,
            status=query.status,
            after=query.after,
            until=query.until,
            side=query.side,
            symbols=symbols_in(query.symbols) if query.symbols else None,
            newest_first=query.direction == "desc",
            limit=query.limit,
        )
    return JSONResponse([shown.order(entry) for entry in entries])


class ClientIdQuery(Filters):
    client_order_id: Id


@router.get("/orders:by_client_order_id")
async def order_by_client_id(client: Reader, query: Annotated[ClientIdQuery, Query()]) -> Response:
    """The order, or the replacement, that a client's own id stands for."""
    async with reading(client.service) as connection:
        entry = await views.named_by_client(connection, client.account, query.client_order_id)
    if entry is None:
        raise Missing("unknown_order", f"order not found for {query.client_order_id}")
    return JSONResponse(shown.order(entry))


@router.get("/orders/{order_id}")
async def get_order(order_id: str, client: Reader) -> Response:
    """An order by its id, or by one that it had before it was replaced."""
    return JSONResponse(shown.order(await _entry(client, order_id)))


@router.patch("/orders/{order_id}", openapi_extra=body_of(ReplaceBody))
async def replace_order(request: Request, order_id: str, client: Trader) -> Response:
    """Change an order in flight. It goes on under a new id; the old one is `replaced`."""
    body, unknown = await parsed(request, ReplaceBody)
    entry = await _entry(client, order_id)
    _check_current(entry)
    new = await replace(
        client.service,
        client.caller,
        entry["id"],
        entry["name"],
        changes_of(body, entry),
        client_order_id=body.client_order_id,
    )
    return JSONResponse(shown.order(await _entry(client, new)), headers=ignored(unknown))


@router.delete("/orders/{order_id}", status_code=204)
async def cancel_order(order_id: str, client: Canceler) -> Response:
    """Ask for the end of an order; the evidence comes as its status, and on the stream."""
    entry = await _entry(client, order_id)
    _check_current(entry)
    await commands.cancel(client.service, client.caller, entry["id"])
    return Response(status_code=204)


@router.delete("/orders", status_code=207)
async def cancel_orders(client: Canceler, query: Annotated[NoFilters, Query()]) -> Response:
    """Ask for the end of every open order; an answer for each that was asked."""
    asked = await cancel_all(client.service, client.caller, client.account)
    names = []
    async with reading(client.service) as connection:
        for order_id in asked:
            entries = await views.names_of(connection, client.account, order_id)
            names += [entry["name"] for entry in entries[-1:]]
    return JSONResponse([{"id": name, "status": 200} for name in names], 207)


def _check_current(entry: Any) -> None:
    """Raises Conflict for an id that the order no longer has."""
    if entry["replaced_by"] is not None:
        raise Conflict(
            "order_replaced",
            f"the order was replaced; it is known as {entry['replaced_by']}",
            detail={"replaced_by": entry["replaced_by"]},
        )


async def _entry(client: Client, order_id: str, *, current: bool = False) -> Any:
    """The entry of an id. `current`: of the name that the order has now. Raises Missing."""
    name = order_uuid(order_id)
    async with reading(client.service) as connection:
        if current:
            entries = await views.names_of(connection, client.account, name)
            entry = entries[-1] if entries else None
        else:
            entry = await views.named(connection, client.account, name)
    if entry is None:
        raise Missing("unknown_order", f"order not found for {name}")
    return entry
