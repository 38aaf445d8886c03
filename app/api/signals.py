"""Signals in, decisions out."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import JSONResponse, Response

from app.api.amounts import Id, Label, Symbol
from app.api.auth import Reader, Trader
from app.api.bodies import Strict, parsed
from app.api.openapi import body_of
from app.api.order_bodies import given
from app.api.orders import order_uuid
from app.api.signal_bodies import SignalBody
from app.domain.refusal import Missing
from app.engine.reading import reading
from app.engine.signals import receive
from app.store import views

router = APIRouter(tags=["signals"])


class SignalsQuery(Strict):
    account: Id | None = None
    symbol: Symbol | None = None
    strategy: Label | None = None
    decision: Literal["execute", "reduce", "defer", "reject"] | None = None
    before: Id | None = Field(None, description="A signal's id: `next` of the page before.")
    limit: Annotated[int, Field(ge=1, le=500)] = 100


_EXAMPLES: dict[str, dict[str, Any]] = {
    "plain": {
        "summary": "Buy a hundred",
        "value": {
            "action": "BUY",
            "symbol": "ACME",
            "size": "100",
            "price": "100.05",
            "confidence": 0.8,
        },
    },
    "whole": {
        "summary": "All that a strategy may know of its own signal",
        "value": {
            "id": "momo-2026-01-05-0931",
            "strategy": "momentum",
            "symbol": "ACME",
            "action": "buy",
            "size": "500",
            "price": "100.05",
            "stop": "98.00",
            "target": "106.00",
            "expected_edge_bps": "40",
            "confidence": 0.7,
            "urgency": "high",
        },
    },
    "target": {
        "summary": "Be 300 long, whatever is held; the same again changes nothing",
        "value": {"symbol": "ACME", "target_position": "300", "strategy": "momentum"},
    },
}


@router.post("/signals", status_code=202, openapi_extra=body_of(SignalBody, _EXAMPLES))
async def receive_signal(request: Request, visit: Trader) -> Response:
    """Decide on a signal; where the decision is yes, it is an order already.

    `verdicts` has what every gate said, in order, with its inputs and threshold. Signals of one
    account and symbol are decided one after the other. Without `"bracket": true`, `stop` and
    `target` make no exits: `note` says so.
    """
    body = await parsed(request, SignalBody)
    visit.caller.check_symbol(body.symbol)
    signal = body.signal(visit.account(body.account))
    row = await receive(visit.service, visit.caller, signal, given(body))
    return JSONResponse(views.signal_answer(row), 202, {"Location": f"/signals/{row['id']}"})


@router.get("/signals")
async def list_signals(visit: Reader, query: Annotated[SignalsQuery, Query()]) -> Response:
    """Signals and what was decided on them, the latest first."""
    own = visit.caller.accounts
    accounts = [visit.account(query.account)] if query.account is not None else own
    before = order_uuid(query.before, "signal") if query.before is not None else None
    async with reading(visit.service) as connection:
        found = await views.signals(
            connection,
            accounts=accounts,
            symbol=query.symbol,
            strategy=query.strategy,
            decision=query.decision,
            before=before,
            most=query.limit,
        )
    full = len(found) == query.limit
    return JSONResponse({"items": found, "next": found[-1]["id"] if full else None})


@router.get("/signals/{signal_id}")
async def get_signal(signal_id: str, visit: Reader) -> Response:
    """A signal, its decision with every gate's verdict, and the order it became."""
    async with reading(visit.service) as connection:
        own_id = order_uuid(signal_id, "signal")
        found = await views.signal(connection, own_id, visit.caller.accounts)
    if found is None:
        raise Missing("unknown_signal", f"no signal {signal_id}")
    return JSONResponse(found)
