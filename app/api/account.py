"""Accounts, positions, fills and alerts."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import JSONResponse, Response

from app.api.auth import Reader, Trader
from app.api.bodies import Strict
from app.api.orders import order_uuid
from app.engine.acknowledge import acknowledge
from app.engine.reading import reading
from app.store import views

router = APIRouter(tags=["accounts"])


@router.get("/accounts")
async def list_accounts(visit: Reader) -> Response:
    async with reading(visit.service) as connection:
        return JSONResponse({"items": await views.accounts(connection, visit.caller.accounts)})


@router.get("/positions")
async def list_positions(visit: Reader) -> Response:
    """What is held, by average cost, with realised profit before fees."""
    async with reading(visit.service) as connection:
        return JSONResponse({"items": await views.positions(connection, visit.caller.accounts)})


class FillQuery(Strict):
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


@router.get("/fills")
async def list_fills(visit: Reader, query: Annotated[FillQuery, Query()]) -> Response:
    """The latest fills, in the order they happened."""
    async with reading(visit.service) as connection:
        found = await views.fills(connection, accounts=visit.caller.accounts, limit=query.limit)
    return JSONResponse({"items": found})


class AlertQuery(Strict):
    open: bool = False
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


@router.get("/alerts")
async def list_alerts(visit: Reader, query: Annotated[AlertQuery, Query()]) -> Response:
    """Alerts, newest first; `open` leaves out what somebody acknowledged."""
    async with reading(visit.service) as connection:
        found = await views.alerts(
            connection, accounts=visit.caller.accounts, open_only=query.open, limit=query.limit
        )
    return JSONResponse({"items": found})


@router.post("/alerts/{alert_id}/ack")
async def acknowledge_alert(alert_id: str, visit: Trader) -> Response:
    """Somebody has seen it; the next of its kind opens a new one."""
    row = await acknowledge(visit.service, visit.caller, order_uuid(alert_id))
    return JSONResponse(views.alert(row))
