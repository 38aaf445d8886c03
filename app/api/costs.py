"""What executions cost: one order, and many of them in groups; JSON, CSV and pages."""

import asyncio
from collections.abc import Sequence
from itertools import accumulate
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from app.api.amounts import Id, Moment
from app.api.auth import Reader, Visit
from app.api.bodies import Strict
from app.api.cost_examples import SUMMARY, TCA, page_answer, table_answer
from app.api.orders import find_order
from app.api.tables import csv_answer, wants_csv
from app.domain.algos import BY_NAME
from app.domain.quantity import ZERO
from app.domain.refusal import Refusal
from app.domain.task import Anchor, Task
from app.domain.tca.analysis import Worked, analyse, line
from app.domain.tca.summary import Line, grouped, summary
from app.engine.reading import reading
from app.reports import order_page, summary_page
from app.store import views

router = APIRouter(tags=["costs"])


@router.get("/orders/{order_id}/tca", responses=table_answer(TCA))
async def order_tca(order_id: str, visit: Reader) -> Response:
    """What the execution cost; basis points and money, positive = cost. Unknown is null, with a
    reason; what the formulas are: docs/tca.md."""
    async with reading(visit.service) as connection:
        row = await find_order(connection, order_id, visit)
        worked = await views.worked_order(connection, row)
    return JSONResponse(await asyncio.to_thread(_told, worked))


@router.get("/orders/{order_id}/report", responses=page_answer("The report of one order"))
async def order_report(order_id: str, visit: Reader) -> Response:
    """The same as a page with plots: schedule against done, price and fills, parts of the cost."""
    async with reading(visit.service) as connection:
        row = await find_order(connection, order_id, visit)
        worked = await views.worked_order(connection, row)
    return HTMLResponse(await asyncio.to_thread(_page, worked, views.task_of(row)[0]))


def _page(worked: Worked, task: Task) -> str:
    """Beside the schedule from the start, on the terms as they now stand."""
    plan = BY_NAME[task.algo].plan(task, Anchor(task.start, ZERO))
    done = accumulate((step.qty for step in plan.steps), initial=ZERO)
    next(done)
    steps = list(zip((step.at for step in plan.steps), done, strict=True))
    return order_page(worked, analyse(worked), steps)


class CostQuery(Strict):
    """Finished orders accepted from `since` on and before `until`, market time."""

    account: Id | None = None
    since: Moment | None = None
    until: Moment | None = None
    group_by: Literal["algo", "symbol", "broker", "hour", "strategy", "side"] = "algo"
    format: Literal["json", "csv", "html"] | None = None


@router.get("/tca", responses=table_answer(SUMMARY))
async def tca_summary(
    request: Request, visit: Reader, query: Annotated[CostQuery, Query()]
) -> Response:
    """What finished orders cost, as a whole and in groups: count, mean (every order alike),
    weighted (by money), standard deviation and standard error; basis points, positive = cost.

    Orders that were not filled count with their opportunity cost. `format=csv` or an Accept of
    text/csv gives a table with one line an order; `format=html` a page.
    """
    found = await _finished(visit, query)
    if query.format == "csv" or (query.format is None and wants_csv(request)):
        return csv_answer(await asyncio.to_thread(_rows, found), "tca.csv")
    if query.format == "html":
        return HTMLResponse(await asyncio.to_thread(_summary_page, found, query.group_by))
    return JSONResponse(await asyncio.to_thread(_summary, found, query))


async def _finished(visit: Visit, query: CostQuery) -> list[Worked]:
    """The orders asked for. Raises Refusal for too many."""
    async with reading(visit.service) as connection:
        found = await views.worked_orders(
            connection,
            accounts=[visit.account(query.account)] if query.account else visit.caller.accounts,
            since=query.since,
            until=query.until,
            limit=views.LINES_MAX + 1,
        )
    if len(found) > views.LINES_MAX:
        most = f"more than {views.LINES_MAX} orders: ask for a shorter time"
        raise Refusal("too_many_orders", most, field="since")
    return found


def _summary(found: Sequence[Worked], query: CostQuery) -> views.Answer:
    lines = _lines(found)
    return {
        "since": views.moment(query.since),
        "until": views.moment(query.until),
        "group_by": query.group_by,
        "total": views.cost_summary(summary(lines)),
        "groups": [views.cost_summary(group) for group in grouped(lines, query.group_by)],
    }


def _summary_page(found: Sequence[Worked], by: str) -> str:
    lines = _lines(found)
    return summary_page(lines, summary(lines), grouped(lines, by), by)


def _lines(found: Sequence[Worked]) -> list[Line]:
    return [line(worked, analyse(worked)) for worked in found]


def _told(worked: Worked) -> views.Answer:
    return views.tca(worked, analyse(worked))


def _rows(found: Sequence[Worked]) -> list[views.Answer]:
    return [views.cost_row(worked, line(worked, analyse(worked))) for worked in found]
