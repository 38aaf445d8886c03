"""What happened to an order: children, fills, events, schedule, cost."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import JSONResponse, Response

from app.api.auth import Reader
from app.api.bodies import Strict
from app.api.orders import find_order
from app.api.previews import slices
from app.domain.algos import BY_NAME
from app.domain.instant import rfc3339
from app.engine.reading import reading
from app.store import views

router = APIRouter(prefix="/orders/{order_id}", tags=["orders"])

_FILLS_MAX = 100_000


@router.get("/children")
async def order_children(order_id: str, visit: Reader) -> Response:
    """All child orders, in the order they were intended."""
    async with reading(visit.service) as connection:
        row = await find_order(connection, order_id, visit)
        return JSONResponse({"items": await views.children(connection, row)})


@router.get("/fills")
async def order_fills(order_id: str, visit: Reader) -> Response:
    """All fills, in the order they happened."""
    async with reading(visit.service) as connection:
        row = await find_order(connection, order_id, visit)
        found = await views.fills(
            connection, accounts=[row["account"]], order_id=row["id"], limit=_FILLS_MAX
        )
    return JSONResponse({"items": found})


class EventQuery(Strict):
    """`after` is a sequence number of this order: they count from 1, without gaps."""

    after: Annotated[int, Field(ge=0, lt=1 << 62)] = 0
    limit: Annotated[int, Field(ge=1, le=1000)] = 500


@router.get("/events")
async def order_events(
    order_id: str, visit: Reader, query: Annotated[EventQuery, Query()]
) -> Response:
    """The order's own events after a sequence number; `next_after` leads to the next page."""
    async with reading(visit.service) as connection:
        row = await find_order(connection, order_id, visit)
        found = await views.events(connection, row, after=query.after, limit=query.limit)
    more = found[-1]["seq"] if len(found) == query.limit else None
    return JSONResponse({"items": found, "next_after": more})


@router.get("/schedule")
async def order_schedule(order_id: str, visit: Reader) -> Response:
    """The plan as it stands: it starts anew when the order is resumed, amended or late."""
    async with reading(visit.service) as connection:
        row = await find_order(connection, order_id, visit)
        task, anchor = views.task_of(row)
    plan = BY_NAME[task.algo].plan(task, anchor)
    answer = {"order_id": row["id"], "algo": task.algo, "from": rfc3339(anchor.at)}
    return JSONResponse(answer | {"slices": slices(plan.steps, plan.done)})
