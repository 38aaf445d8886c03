"""The door for TradingView's alerts: any body, no headers, the token in the path is the key."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from app.api.bodies import read
from app.api.peer import peer_of
from app.engine.signal import Signal
from app.engine.tradingview import BYTES_MAX, Delivery, dry_run, take_in
from app.store import views

router = APIRouter(tags=["signals"])

PUBLIC = frozenset({"/webhooks/tradingview/{token}"})
"""Without a key: the token is one."""

Token = Annotated[
    str,
    Path(
        description="The hook's token, from POST /hooks. It is all that lets an alert in, so it"
        " appears in no log and no answer."
    ),
]


class AlertQuery(BaseModel):
    test: bool = False


_JSON: dict[str, dict[str, Any]] = {
    "flat": {
        "summary": "The size is the message's",
        "value": {
            "ticker": "NASDAQ:AAPL",
            "action": "buy",
            "quantity": "10",
            "price": "187.25",
            "order_id": "Long",
            "time": "2026-01-05T15:30:00Z",
        },
    },
    "position": {
        "summary": "The position that the strategy has",
        "value": {
            "ticker": "AAPL",
            "exchange": "NASDAQ",
            "market_position": "long",
            "market_position_size": "30",
            "time": "2026-01-05T15:30:00Z",
        },
    },
}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "At most 64 KB. Unknown fields are ignored, numbers may be strings.",
        "content": {
            "application/json": {"schema": {"type": "object"}, "examples": _JSON},
            "text/plain": {
                "schema": {"type": "string"},
                "example": "order buy @ 10 filled on AAPL. New strategy position is 10",
            },
        },
    }
}


@router.post("/webhooks/tradingview/{token}", status_code=202, openapi_extra=_BODY)
async def receive_alert(
    token: Token, request: Request, query: Annotated[AlertQuery, Query()]
) -> Response:
    """Take an alert in: the signal it became, with its decision. A resend gets the same answer.

    With `?test=1`: what it was understood as; nothing is entered. 4xx: sending it again will not
    help. 5xx: nothing is stored, send it again. A token that is unknown or ended, a wrong
    passphrase and a strange address are one answer, 404; `GET /hooks` tells the owner which.
    """
    raw = await read(request, BYTES_MAX)
    service = request.app.state.service
    delivery = Delivery(token, peer_of(request), raw)
    if query.test:
        message, signal = await dry_run(service, delivery)
        shown = {"test": True, "understood": message.shown(), "signal": _shown(signal)}
        return JSONResponse(shown)
    row = await take_in(service, delivery)
    return JSONResponse(views.signal_answer(row), 202, {"Location": f"/signals/{row['id']}"})


def _shown(signal: Signal) -> dict[str, Any]:
    return {
        "account": signal.account,
        "source": signal.source,
        "strategy": signal.strategy,
        "symbol": signal.symbol,
        "sizing": signal.sizing.value,
        "side": signal.side.value if signal.side is not None else None,
        "size": format(signal.size, "f"),
        "limit_price": format(signal.limit_price, "f") if signal.limit_price else None,
    }
