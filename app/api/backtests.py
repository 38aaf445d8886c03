"""Backtests: asked for here, run in processes of their own; what came of them as JSON and pages."""

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import HTMLResponse, JSONResponse, Response

from app.api.auth import Reader, Trader, Visit
from app.api.backtest_bodies import BacktestBody
from app.api.backtest_examples import BACKTEST, BACKTESTS, PARENTS, REQUESTS
from app.api.bodies import Strict, parsed
from app.api.cost_examples import page_answer, table_answer
from app.api.openapi import body_of
from app.api.orders import order_uuid
from app.api.tables import csv_answer, wants_csv
from app.domain.refusal import Conflict, Missing
from app.engine.ids import new_id
from app.engine.reading import reading
from app.reports import backtest_page
from app.research.backtest.service import Backtests
from app.research.backtest.table import flat
from app.store import views

router = APIRouter(tags=["backtests"])

ROWS_MAX = 1_000


def backtests_of(request: Request) -> Backtests:
    """Raises Conflict where this server was opened without."""
    found: Backtests | None = request.app.state.backtests
    if found is None:
        raise Conflict("no_backtests", "this server runs no backtests")
    return found


@router.post("/backtests", status_code=202, openapi_extra=body_of(BacktestBody, REQUESTS))
async def ask_backtest(request: Request, visit: Trader) -> Response:
    """Queue a backtest: parents drawn by the seed, each worked by every algorithm. It takes the
    machine's time beside live orders, so it needs a key that may trade."""
    body = await parsed(request, BacktestBody)
    id = new_id()
    await backtests_of(request).ask(id, visit.key.id, body.plan())
    found = await _find(visit, id)
    return JSONResponse(found, 202, {"Location": f"/backtests/{id}"})


class ListQuery(Strict):
    cursor: Annotated[str, Field(max_length=64)] | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


@router.get("/backtests", responses=table_answer(BACKTESTS))
async def list_backtests(visit: Reader, query: Annotated[ListQuery, Query()]) -> Response:
    """Newest first, without results. A key bound to accounts sees its own only."""
    cursor = order_uuid(query.cursor) if query.cursor else None
    async with reading(visit.service) as connection:
        page = await views.backtests(
            connection, key_id=_own(visit), cursor=cursor, limit=query.limit
        )
    return JSONResponse({"items": page.items, "next_cursor": page.next_cursor})


@router.get("/backtests/{backtest_id}", responses=table_answer(BACKTEST))
async def get_backtest(backtest_id: str, visit: Reader) -> Response:
    """State, progress, and the result when it is done; costs in basis points, positive = cost."""
    return JSONResponse(await _find(visit, backtest_id))


@router.get("/backtests/{backtest_id}/report", responses=page_answer("The report with its plots"))
async def backtest_report(backtest_id: str, visit: Reader) -> Response:
    """The result as a page."""
    found = await _find(visit, backtest_id)
    if found["result"] is None:
        raise Conflict("backtest_not_done", f"it is {found['state']}: there is no result")
    return HTMLResponse(await asyncio.to_thread(backtest_page, found["result"]))


class ParentsQuery(Strict):
    after: Annotated[int, Field(ge=-1, lt=1 << 31)] | None = None
    limit: Annotated[int, Field(ge=1, le=ROWS_MAX)] = 100
    format: Literal["json", "csv"] | None = None


@router.get("/backtests/{backtest_id}/parents", responses=table_answer(PARENTS))
async def backtest_parents(
    request: Request, backtest_id: str, visit: Reader, query: Annotated[ParentsQuery, Query()]
) -> Response:
    """Parents that are done, by number, a page at a time (`after`: the last number seen), as JSON
    or CSV (one line a run); also of one that still runs."""
    id = (await _find(visit, backtest_id))["id"]
    async with reading(visit.service) as connection:
        rows = await views.backtest_parents(connection, id, after=query.after, limit=query.limit)
    if query.format == "csv" or (query.format is None and wants_csv(request)):
        return csv_answer(flat(rows), "parents.csv")
    last = rows[-1]["parent"] if len(rows) == query.limit else None
    items = [{name: value for name, value in row.items() if name != "sample"} for row in rows]
    return JSONResponse({"items": items, "next_after": last})


@router.post("/backtests/{backtest_id}/restart", status_code=202)
async def restart_backtest(request: Request, backtest_id: str, visit: Trader) -> Response:
    """Run one again that was interrupted, canceled or failed: the same seed, the same result."""
    id = (await _find(visit, backtest_id))["id"]
    await backtests_of(request).restart(id)
    return JSONResponse(await _find(visit, id), 202)


@router.delete("/backtests/{backtest_id}", status_code=204)
async def cancel_backtest(request: Request, backtest_id: str, visit: Trader) -> Response:
    """Cancel one that waits or runs; forget one that is over, with its result."""
    id = (await _find(visit, backtest_id))["id"]
    await backtests_of(request).cancel(id)
    return Response(status_code=204)


async def _find(visit: Visit, id: str) -> Any:
    """One that the caller may see. Raises Missing."""
    async with reading(visit.service) as connection:
        found = await views.backtest(connection, order_uuid(id), _own(visit))
    if found is None:
        raise Missing("unknown_backtest", f"no backtest {id[:64]}")
    return found


def _own(visit: Visit) -> str | None:
    """Whose backtests a caller sees; None: all."""
    return visit.key.id if visit.caller.accounts is not None else None
