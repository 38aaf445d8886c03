"""The summary of one day."""

import asyncio
import datetime
import re
from decimal import Decimal
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BeforeValidator
from starlette.responses import HTMLResponse, JSONResponse, Response

from app.api.amounts import Id
from app.api.auth import Reader
from app.api.bodies import Strict
from app.api.cost_examples import DAILY, table_answer
from app.domain.instant import DAY, from_datetime
from app.domain.tca.analysis import Worked, analyse, line
from app.domain.tca.day import Day, dearest
from app.domain.tca.summary import grouped, summary
from app.engine.reading import reading
from app.reports import daily_page
from app.store import views

router = APIRouter(tags=["reports"])

WORST = 10


def _spelled(value: object) -> object:
    """A number would be taken for seconds since 1970."""
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise ValueError("must be a date such as 2026-01-05")
    return value


_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
Date = Annotated[datetime.date, BeforeValidator(_spelled)]


class DailyQuery(Strict):
    """A day of market time, UTC (none: the one that it is)."""

    date: Date | None = None
    account: Id | None = None
    format: Literal["json", "html"] = "json"


@router.get("/reports/daily", responses=table_answer(DAILY))
async def daily_report(visit: Reader, query: Annotated[DailyQuery, Query()]) -> Response:
    """Orders accepted on a day: how many, filled, money, fees; what the finished ones cost, with
    their parts; the dearest; alerts by severity. Basis points, positive = cost."""
    own = [visit.account(query.account)] if query.account else visit.caller.accounts
    async with reading(visit.service) as connection:
        day = query.date or await views.today(connection)
        since = from_datetime(datetime.datetime.combine(day, datetime.time(), datetime.UTC))
        span: dict[str, Any] = {"accounts": own, "since": since, "until": since + DAY}
        orders = await views.order_statistics(connection, **span)
        alerts = await views.alert_counts(connection, **span)
        worked = await views.worked_orders(connection, **span)
    made = await asyncio.to_thread(_day, day, orders["total"], alerts, worked)
    if query.format == "html":
        return HTMLResponse(daily_page(made))
    return JSONResponse(views.daily(made))


def _day(
    day: datetime.date,
    orders: views.Answer,
    alerts: list[tuple[str, str, int]],
    worked: list[Worked],
) -> Day:
    lines = [line(one, analyse(one)) for one in worked]
    return Day(
        date=day.isoformat(),
        orders=orders["orders"],
        by_status=orders["by_status"],
        fill_ratio=_amount(orders["filled"]["ratio"]),
        notional=_amount(orders["notional"]["value"]),
        fees=_amount(orders["fees"]["value"]),
        currency=orders["notional"]["currency"],
        costs=summary(lines),
        groups=grouped(lines, "algo"),
        worst=dearest(lines, WORST),
        alerts=alerts,
    )


def _amount(text: str | None) -> Decimal | None:
    return Decimal(text) if text is not None else None
