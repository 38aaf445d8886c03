"""Why an order did what it did, decision by decision, and whether it would again."""

import asyncio
from collections import Counter
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import JSONResponse, Response

from app.api.auth import Reader
from app.api.bodies import Strict
from app.api.orders import find_order
from app.engine.reading import reading
from app.engine.rerunning import Verdict, history, verify
from app.store import views

router = APIRouter(prefix="/orders/{order_id}", tags=["orders"])


class WhyQuery(Strict):
    """`verify`: make every stored decision again, and say where another comes out."""

    verify: bool = False


_SAW: dict[str, Any] = {
    "form": 1,
    "now": "2026-01-05T14:32:05.000000Z",
    "version": 4,
    "desk": {"own_ask": "100.05"},
    "bound": "participation",
    "anchor": {"at": "2026-01-05T14:30:00.000000Z", "done": "0"},
    "filled": "120",
    "working": "0",
    "unknown": "0",
    "envelope": {
        "must": "200",
        "may": "300",
        "next_at": "2026-01-05T14:33:00.000000Z",
        "step": "100",
        "resting": ["2026-01-05T14:32:00.000000Z", "2026-01-05T14:32:30.000000Z"],
    },
    "market_volume": "1520",
    "last": "100.01",
    "quote": {
        "bid": "100.01",
        "ask": "100.02",
        "bid_size": "600",
        "ask_size": "400",
        "bid_at": "2026-01-05T14:32:04.120000Z",
        "ask_at": "2026-01-05T14:32:04.870000Z",
    },
    "last_at": "2026-01-05T14:32:03.950000Z",
    "profile": {"since": 3, "more": [15200.0]},
}
_CHILD: dict[str, Any] = {
    "id": "s0j4k2m8x1q-3",
    "order_id": "0198f3a0-5f0e-7c1a-9d55-2b7c1f6f0a11",
    "number": 3,
    "symbol": "ACME",
    "side": "buy",
    "qty": "48",
    "price": "100.02",
    "stop_price": None,
    "stop_limit_price": None,
    "purpose": "cross",
    "time_in_force": "ioc",
    "status": "filled",
    "reason": None,
    "filled": "48",
    "broker_order_id": "paper-17",
    "intended_at": "2026-01-05T14:32:05.000000Z",
    "cancel_requested_at": None,
    "seq": 11,
    "why": _SAW,
}
_EXAMPLE = {
    "items": [_CHILD],
    "decisions": [
        {
            "seq": 2,
            "at": "2026-01-05T14:30:00.000000Z",
            "actions": [{"type": "order.working", "reason": None}],
            "why": {"form": 1, "now": "2026-01-05T14:30:00.000000Z", "version": 1},
        }
    ],
    "verified": {"equal": 2, "different": 0, "not_stored": 0},
    "verdicts": [
        {
            "seq": 2,
            "child_id": None,
            "equal": True,
            "reason": None,
            "stored": None,
            "again": None,
        }
    ],
}
_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "`items` are the children, each with all that the decision saw that sent it"
        " (`why`); `decisions` those that sent none: moves, cancels, plans made anew. What is as"
        " usual is left out of `why`: a desk with nothing in the way, a tape with the whole volume"
        " (`coverage`) and none of our own (`own_volume`), volume since the plan's `anchored`"
        " moment that is the volume since the start, the order's own `session`; and the whole"
        " market where a status alone decided. `profile` is the volume of the session's bins that"
        " are over: those that the decision of version `since` saw, and `more`. With `verify`,"
        " `verdicts` say of each whether it comes out the same (`equal` null: not stored by the"
        " release that made it).",
        "content": {"application/json": {"example": _EXAMPLE}},
    }
}


@router.get("/why", responses=_ANSWER)
async def order_why(order_id: str, visit: Reader, query: Annotated[WhyQuery, Query()]) -> Response:
    """Each child with what its decision saw, the envelope, and the guard that bound it."""
    async with reading(visit.service) as connection:
        row = await find_order(connection, order_id, visit)
        told = await history(connection, row)
        answer = await views.why(connection, row, told)
    if query.verify:
        # Long orders have thousands: others are served meanwhile.
        verdicts = await asyncio.to_thread(lambda: list(verify(row, told)))
        answer |= _verified(verdicts)
    return JSONResponse(answer)


def _verified(verdicts: list[Verdict]) -> dict[str, Any]:
    found = Counter(verdict.equal for verdict in verdicts)
    return {
        "verified": {
            "equal": found[True],
            "different": found[False],
            "not_stored": found[None],
        },
        "verdicts": [asdict(verdict) for verdict in verdicts],
    }
