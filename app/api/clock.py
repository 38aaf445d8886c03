"""Market time, and the pace of a stepped one."""

from typing import Any

from fastapi import APIRouter, Request
from pydantic import StrictBool, model_validator
from starlette.responses import JSONResponse, Response

from app.api.amounts import Amount
from app.api.auth import Admin, Reader
from app.api.bodies import Strict, parsed
from app.api.openapi import body_of
from app.api.order_bodies import exact
from app.domain.instant import rfc3339
from app.domain.refusal import Refusal, Unavailable
from app.engine.market_clock import ClockRow, market_clock, set_pace

router = APIRouter(tags=["market time"])


class PaceBody(Strict):
    """`speed` is market seconds a second, 0 as fast as possible; `held` stops market time."""

    speed: Amount | None = None
    held: StrictBool | None = None

    @model_validator(mode="after")
    def _says_something(self) -> "PaceBody":
        if self.speed is None and self.held is None:
            raise ValueError("give speed, held or both")
        return self


@router.get("/clock")
async def get_clock(visit: Reader) -> Response:
    """Market time as a worker last told it, and how long ago that was."""
    clock = await market_clock(visit.service)
    if clock is None:
        raise Unavailable("no_market_time", "no worker has told the market time yet")
    return JSONResponse(clock_answer(clock))


@router.put("/clock", openapi_extra=body_of(PaceBody))
async def put_clock(request: Request, visit: Admin) -> Response:
    """Hold a stepped market or change its speed; a live one goes its own way (409).

    Market time is everybody's: a key that is bound to accounts may not touch it.
    """
    visit.check_unbound()
    pace = await parsed(request, PaceBody)
    if pace.speed is not None and pace.speed < 0:
        raise Refusal("out_of_range", "speed cannot be below zero", field="speed")
    return JSONResponse(
        clock_answer(await set_pace(visit.service, speed=pace.speed, held=pace.held))
    )


def clock_answer(clock: ClockRow) -> dict[str, Any]:
    return {
        "feed": clock.feed,
        "now": rfc3339(clock.now),
        "stepped": clock.stepped,
        "speed": exact(clock.speed),
        "held": clock.held,
        "age_seconds": round(clock.age_seconds, 3),
    }
