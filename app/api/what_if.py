"""A finished order again in virtual time, with other parameters."""

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from app.api.auth import Trader
from app.api.backtest_bodies import WhatIfBody
from app.api.backtest_examples import WHAT_IF, WHAT_IF_REQUESTS
from app.api.backtests import backtests_of
from app.api.bodies import parsed
from app.api.cost_examples import table_answer
from app.api.openapi import body_of
from app.api.orders import find_order
from app.engine.reading import reading

router = APIRouter(tags=["backtests"])


@router.post(
    "/orders/{order_id}/what-if",
    responses=table_answer(WHAT_IF),
    openapi_extra=body_of(WhatIfBody, WHAT_IF_REQUESTS),
)
async def order_what_if(request: Request, order_id: str, visit: Trader) -> Response:
    """Replay a finished order as it was and with other parameters, beside what really happened.
    Nothing is sent and nothing changes; costs in basis points, positive = cost."""
    body = await parsed(request, WhatIfBody)
    async with reading(visit.service) as connection:
        row = await find_order(connection, order_id, visit)
    told = await backtests_of(request).what_if(row["id"], body.changes(), body.tape)
    return JSONResponse(told)
