"""Signals in, decisions out."""

from decimal import Decimal
from typing import Annotated, Literal

from fastapi import APIRouter, Request
from pydantic import AfterValidator, Field
from starlette.responses import JSONResponse, Response

from app.api.amounts import Amount, Id, Label, Positive, Symbol
from app.api.auth import Reader, Trader
from app.api.bodies import Strict, parsed
from app.api.openapi import body_of
from app.api.order_bodies import given
from app.api.orders import order_uuid
from app.domain.quantity import Side
from app.domain.refusal import Missing
from app.domain.task import Urgency
from app.engine.reading import reading
from app.engine.signals import Signal, receive
from app.store import views

router = APIRouter(tags=["signals"])


def _share(value: Decimal) -> Decimal:
    if not 0 <= value <= 1:
        raise ValueError("must lie between 0 and 1")
    return value


class SignalBody(Strict):
    """What a strategy says. `price` is its reference, not a limit."""

    action: Literal["BUY", "SELL"]
    market: Symbol
    size: Positive
    price: Positive | None = None
    confidence: Annotated[Amount, AfterValidator(_share)] | None = None
    id: Id | None = Field(None, description="Yours; the same signal again gets the same decision.")
    source: Label = "api"
    strategy: Label | None = None
    urgency: Urgency = Urgency.NORMAL
    limit_price: Positive | None = None
    account: Id | None = None

    def signal(self, account: str) -> Signal:
        return Signal(
            account=account,
            source=self.source,
            signal_id=self.id,
            symbol=self.market,
            side=Side(self.action.lower()),
            size=self.size,
            price=self.price,
            confidence=float(self.confidence) if self.confidence is not None else None,
            limit_price=self.limit_price,
            urgency=self.urgency,
            strategy=self.strategy,
        )


_EXAMPLE = {
    "signal": {
        "value": {
            "action": "BUY",
            "market": "ACME",
            "size": "100",
            "price": "100.05",
            "confidence": 0.8,
        }
    }
}


@router.post("/signals", status_code=202, openapi_extra=body_of(SignalBody, _EXAMPLE))
async def receive_signal(request: Request, visit: Trader) -> Response:
    """Decide on a signal; where the decision is yes, it is an order already."""
    body = await parsed(request, SignalBody)
    signal = body.signal(visit.account(body.account))
    row = await receive(visit.service, visit.caller, signal, given(body))
    return JSONResponse(views.signal_answer(row), 202, {"Location": f"/signals/{row['id']}"})


@router.get("/signals/{signal_id}")
async def get_signal(signal_id: str, visit: Reader) -> Response:
    """A signal, its decision with every gate's verdict, and the order it became."""
    async with reading(visit.service) as connection:
        found = await views.signal(connection, order_uuid(signal_id), visit.caller.accounts)
    if found is None:
        raise Missing("unknown_signal", f"no signal {signal_id}")
    return JSONResponse(found)
