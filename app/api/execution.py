"""How the machine works: windows of the last minute to the last day."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from app.api.amounts import Id
from app.api.auth import Reader
from app.api.bodies import Strict
from app.api.cost_examples import table_answer
from app.api.tables import csv_answer, wants_csv
from app.engine.reading import reading
from app.store import views

router = APIRouter(tags=["statistics"])

WindowName = Literal["1m", "5m", "1h", "1d"]


class ExecutionQuery(Strict):
    """`window` none: all four. `history` is a window to be shown in steps."""

    account: Id | None = None
    window: WindowName | None = None
    history: WindowName | None = None
    format: Literal["json", "csv"] | None = None


_FIGURES: dict[str, Any] = {
    "orders": {"accepted": 12, "finished": 11, "filled": 10, "success_rate": "0.9091"},
    "time_to_complete": {"median_seconds": "1740.2", "p95_seconds": "3590.8"},
    "children": {
        "intended": 140,
        "sent": 139,
        "refused": 1,
        "unknown": 0,
        "per_second": "0.4667",
        "success_rate": "0.9929",
    },
    "fills": 133,
}
_SPAN: dict[str, Any] = {
    "since": "2026-01-05T15:25:00.000000Z",
    "until": "2026-01-05T15:30:00.000000Z",
    **_FIGURES,
    "send_latency": {"children": 139, "p50_ms": "6.1", "p99_ms": "18.4", "reason": None},
    "by_algo": {"twap": _FIGURES},
    "by_broker": {"paper": _FIGURES},
}
_EXAMPLE: dict[str, Any] = {
    "at": "2026-01-05T15:30:00.000000Z",
    "backlog": {
        "open": 31,
        "to_be_looked_at": 0,
        "due_to_start": 0,
        "needs_operator": 0,
        "in_flight": 2,
        "unknown": 0,
    },
    "windows": {
        "5m": {
            "current": _SPAN,
            "previous": _SPAN,
            "change": {
                "orders_success_rate": "0.0000",
                "children_success_rate": "0.0000",
                "children_per_second": "0.0000",
                "median_seconds": "0.0000",
                "send_p50_ms": "0.0000",
                "send_p99_ms": "0.0000",
            },
        }
    },
}


@router.get("/statistics/execution", responses=table_answer(_EXAMPLE))
async def execution_statistics(
    request: Request, visit: Reader, query: Annotated[ExecutionQuery, Query()]
) -> Response:
    """Success rates, time to complete, children per second, send latency and backlog, over the
    last minute, five minutes, hour and day, each beside the one before.

    Windows are machine time; time to complete is market time; send latency is machine time from
    the committed intent to the broker's answer. `format=csv` gives a table.
    """
    windows = (query.window,) if query.window else tuple(views.WINDOWS)
    own = [visit.account(query.account)] if query.account else visit.caller.accounts
    async with reading(visit.service) as connection:
        found = await views.execution(
            connection, accounts=own, windows=windows, history=query.history
        )
    if query.format == "csv" or (query.format is None and wants_csv(request)):
        return csv_answer(views.execution_rows(found), "execution.csv")
    return JSONResponse(found)
