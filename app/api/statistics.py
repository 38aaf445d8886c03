"""How orders went, counted and averaged."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from starlette.responses import JSONResponse, Response

from app.api.amounts import Id, Moment
from app.api.auth import Reader
from app.api.bodies import Strict
from app.engine.reading import reading
from app.store import views

router = APIRouter(tags=["statistics"])


class StatisticsQuery(Strict):
    """Orders accepted from `since` on and before `until`, market time."""

    account: Id | None = None
    since: Moment | None = None
    until: Moment | None = None
    group_by: Literal["algo", "symbol", "strategy", "side", "route"] | None = None


_FIGURES: dict[str, Any] = {
    "orders": 2,
    "by_status": {"filled": 1, "canceled": 1},
    "filled": {
        "orders": 2,
        "qty": "1000",
        "filled": "750",
        "ratio": "0.75",
        "mean_ratio": "0.75",
        "reason": None,
    },
    "notional": {"value": "75015", "currency": "USD", "reason": None},
    "fees": {"value": "2.625", "currency": "USD", "reason": None},
    "slippage": {"orders": 2, "mean_bps": "1.9", "weighted_bps": "2", "reason": None},
    "against_estimate": {
        "orders": 2,
        "expected_bps": "1.4",
        "surprise_bps": "0.5",
        "standard_error_bps": "2.1",
        "reason": None,
    },
    "time_to_complete": {
        "orders": 1,
        "median_seconds": "540.2",
        "p95_seconds": "540.2",
        "reason": None,
    },
    "children": {"total": 9, "per_order": "4.5", "rejected": 0, "unknown": 0},
}
_EXAMPLE = {
    "since": "2026-01-05T14:30:00.000000Z",
    "until": None,
    "group_by": "algo",
    "total": _FIGURES,
    "groups": [{"key": "twap", **_FIGURES}],
}
_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {"description": "The figures", "content": {"application/json": {"example": _EXAMPLE}}}
}


@router.get("/orders/statistics", responses=_ANSWER)
async def order_statistics(visit: Reader, query: Annotated[StatisticsQuery, Query()]) -> Response:
    """Counts, fill ratios, money, slippage against arrival (positive = cost), times, children.

    A figure that nothing supports is null, with the reason.
    """
    own = [visit.account(query.account)] if query.account else visit.caller.accounts
    async with reading(visit.service) as connection:
        found = await views.order_statistics(
            connection, accounts=own, since=query.since, until=query.until, group_by=query.group_by
        )
    return JSONResponse(found)
