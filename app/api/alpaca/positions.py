"""Positions, and orders that close them. A close that is asked for twice is one order."""

import asyncio
import hashlib
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AfterValidator
from starlette.responses import JSONResponse, Response

from app.api.alpaca.access import Client, Reader, Trader
from app.api.alpaca.account import instrument_of
from app.api.alpaca.bodies import PositiveFigure
from app.api.alpaca.errors import told
from app.api.alpaca.orders import enter
from app.api.alpaca.queries import Filters, could_be_symbol
from app.api.alpaca.wording import asset_class, asset_id, exchange, money, plain
from app.api.errors import refused
from app.domain.quantity import ZERO, Side, floor_to
from app.domain.refusal import Forbidden, Missing, Refusal
from app.domain.request import AUTO
from app.domain.request import Request as Asked
from app.engine.cancel_all import cancel_all
from app.engine.given import Given
from app.engine.reading import reading
from app.store import views

router = APIRouter(tags=["positions"])

_CANCELS_SECONDS = 5.0
"""So long the evidence of cancels is waited for, before what they held is sold."""


@router.get("/positions")
async def list_positions(client: Reader) -> Response:
    """What our fills have made; what an account held before is not in it."""
    async with reading(client.service) as connection:
        held = await views.holdings(connection, client.account)
    return JSONResponse([shown(row) for row in held])


@router.get("/positions/{symbol_or_id:path}")
async def get_position(symbol_or_id: str, client: Reader) -> Response:
    """One position, by symbol or asset id."""
    return JSONResponse(shown(await _held(client, symbol_or_id)))


def shown(row: Any) -> dict[str, Any]:
    """A position in Alpaca's words: a short one has a quantity below zero."""
    qty, average, price = row["qty"], row["average_price"], row["price"]
    cost = qty * average
    answer = {
        "asset_id": asset_id(row["symbol"]),
        "symbol": row["symbol"],
        "exchange": exchange(row["calendar"] or ""),
        "asset_class": asset_class(row["calendar"] or ""),
        "asset_marginable": False,
        "qty": plain(qty),
        "qty_available": plain(_available(row) * (1 if qty > 0 else -1)),
        "side": "long" if qty > 0 else "short",
        "avg_entry_price": plain(round(average, 9)),
        "cost_basis": money(cost),
        "market_value": None,
        "unrealized_pl": None,
        "unrealized_plpc": None,
        "current_price": None,
        "lastday_price": None,
        "change_today": None,
    }
    if price is None:
        return answer
    gained = qty * price - cost
    return answer | {
        "current_price": plain(round(price, 9)),
        "market_value": money(qty * price),
        "unrealized_pl": money(gained),
        "unrealized_plpc": plain(round(gained / abs(cost), 9)) if cost else None,
    }


def _available(row: Any) -> Decimal:
    """What no open order is about to take of a position, without a sign."""
    free: Decimal = abs(row["qty"]) - row["leaving"]
    return max(free, ZERO)


def _share(percentage: Decimal) -> Decimal:
    if percentage > 100:
        raise ValueError("must be at most 100")
    return percentage


class CloseQuery(Filters):
    """How much to close; all, where neither is given."""

    qty: PositiveFigure | None = None
    percentage: Annotated[PositiveFigure, AfterValidator(_share)] | None = None


@router.delete("/positions/{symbol_or_id:path}")
async def close_position(
    symbol_or_id: str, client: Trader, query: Annotated[CloseQuery, Query()]
) -> Response:
    """Close a position, or a part of it, by an order that works like any plain one."""
    row = await _held(client, symbol_or_id)
    return JSONResponse(await _close(client, row, _wanted(row, query)))


class CloseAllQuery(Filters):
    cancel_orders: bool = False


@router.delete("/positions", status_code=207)
async def close_all_positions(client: Trader, query: Annotated[CloseAllQuery, Query()]) -> Response:
    """Close every position; an answer for each. Open orders can be canceled before."""
    if query.cancel_orders:
        await cancel_all(client.service, client.caller, client.account)
        await _canceled(client)
    async with reading(client.service) as connection:
        held = await views.holdings(connection, client.account)
    return JSONResponse([await _closed(client, row) for row in held], 207)


async def _closed(client: Client, row: Any) -> dict[str, Any]:
    try:
        order = await _close(client, row, abs(row["qty"]))
    except Refusal as refusal:
        problem = told(refused("", refusal))
        body = {
            "code": problem["code"],
            "message": problem["message"],
            "available": plain(_available(row)),
            "existing_qty": plain(row["qty"]),
            "held_for_orders": plain(row["leaving"]),
            "symbol": row["symbol"],
        }
        return {"symbol": row["symbol"], "status": problem["status"], "body": body}
    return {"order_id": order["id"], "symbol": row["symbol"], "status": 200, "body": order}


def _wanted(row: Any, query: CloseQuery) -> Decimal:
    if query.qty is not None and query.percentage is not None:
        raise Refusal("qty_or_percentage", "give qty or percentage, not both", field="qty")
    if query.percentage is not None:
        part = abs(row["qty"]) * query.percentage / 100
        return floor_to(part, row["lot"]) if row["lot"] else part
    return query.qty if query.qty is not None else abs(row["qty"])


async def _close(client: Client, row: Any, qty: Decimal) -> dict[str, Any]:
    """Enter the order that closes `qty`. Raises Forbidden where open orders take it already."""
    available = _available(row)
    if qty > available or qty <= 0:
        raise Forbidden(
            "insufficient_qty",
            f"insufficient qty available for order (requested: {plain(qty)},"
            f" available: {plain(available)})",
            field="qty",
        )
    asked = Asked(
        account=client.account,
        symbol=row["symbol"],
        side=Side.SELL if row["qty"] > 0 else Side.BUY,
        qty=qty,
        algo=AUTO,
        client_order_id=_name(client, row),
    )
    given = Given.of({"close": row["symbol"], "qty": qty})
    # What makes risk smaller is never refused for its size: it is worked in parts.
    return await enter(client, asked, given, plain=True, closing=True)


def _name(client: Client, row: Any) -> str:
    """The same for all who close what they see now: the first one enters the order, and the
    position is never closed twice. The symbol's last order makes it another name afterwards."""
    seen = (client.account, row["symbol"], row["qty"], row["leaving"], row["last_order"])
    return f"close-{hashlib.sha256(repr(seen).encode()).hexdigest()[:24]}"


async def _held(client: Client, symbol_or_id: str) -> Any:
    """The position of a symbol or asset. Raises Missing."""
    row = None
    if could_be_symbol(symbol_or_id):
        async with reading(client.service) as connection:
            row = await views.holding(connection, client.account, symbol_or_id)
    if row is None:
        instrument = await instrument_of(client, symbol_or_id)
        async with reading(client.service) as connection:
            row = await views.holding(connection, client.account, instrument.symbol)
    if row is None:
        raise Missing("unknown_position", "position does not exist")
    return row


async def _canceled(client: Client) -> None:
    """Wait a moment for the evidence of cancels; what is not there by then is still held."""
    until = asyncio.get_running_loop().time() + _CANCELS_SECONDS
    while asyncio.get_running_loop().time() < until:
        async with reading(client.service) as connection:
            if not await views.open_ids(connection, client.account):
                return
        await asyncio.sleep(0.05)
