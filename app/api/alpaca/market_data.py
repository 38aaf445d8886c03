"""The latest quotes, trades and minute bars of our own feed, as Alpaca's data clients ask."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import JSONResponse, Response

from app.api.alpaca.access import Client, Reader
from app.api.alpaca.queries import Filters, symbols_in
from app.domain.instant import rfc3339
from app.domain.refusal import Missing, Refusal, Unavailable
from app.engine.quotes import scene_for
from app.engine.reading import reading
from app.store import views

router = APIRouter(tags=["market data"])

_SYMBOLS_MAX = 100


class LatestQuery(Filters):
    """`symbols` are separated by commas. Which `feed` is ours to say: the one we
    have, in the `currency` that its prices are in."""

    symbols: Annotated[str, Field(min_length=1, max_length=4_000)]
    feed: str | None = None
    currency: str | None = None


Latest = Annotated[LatestQuery, Query()]


@router.get("/v2/stocks/quotes/latest")
@router.get("/v1beta3/crypto/us/latest/quotes")
async def latest_quotes(client: Reader, query: Latest) -> Response:
    """The best bid and offer of each symbol; a symbol without any is left out."""
    return await _answer(client, query, "quotes", _quote)


@router.get("/v2/stocks/trades/latest")
@router.get("/v1beta3/crypto/us/latest/trades")
async def latest_trades(client: Reader, query: Latest) -> Response:
    """The last trade of each symbol."""
    return await _answer(client, query, "trades", _trade)


@router.get("/v2/stocks/bars/latest")
@router.get("/v1beta3/crypto/us/latest/bars")
async def latest_bars(client: Reader, query: Latest) -> Response:
    """The latest whole minute of each symbol in which it traded."""
    return await _answer(client, query, "bars", _bar)


_Show = Callable[[Any], dict[str, Any] | None]


@router.get("/v2/stocks/{symbol}/quotes/latest")
async def latest_quote(client: Reader, symbol: str) -> Response:
    """The best bid and offer of one symbol, as older clients ask."""
    return await _one(client, symbol, "quote", _quote)


@router.get("/v2/stocks/{symbol}/trades/latest")
async def latest_trade(client: Reader, symbol: str) -> Response:
    """The last trade of one symbol."""
    return await _one(client, symbol, "trade", _trade)


@router.get("/v2/stocks/{symbol}/bars/latest")
async def latest_bar(client: Reader, symbol: str) -> Response:
    """The latest whole minute of one symbol in which it traded."""
    return await _one(client, symbol, "bar", _bar)


async def _one(client: Client, symbol: str, name: str, show: _Show) -> Response:
    found = await _found(client, symbols_in(symbol), show)
    if symbol not in found:
        raise Missing("no_data", f"there is no {name} of {symbol[:32]}")
    return JSONResponse({"symbol": symbol, name: found[symbol]})


async def _answer(client: Client, query: LatestQuery, name: str, show: _Show) -> Response:
    symbols = sorted(set(symbols_in(query.symbols)))
    if len(symbols) > _SYMBOLS_MAX:
        raise Refusal("too_many_symbols", f"at most {_SYMBOLS_MAX} symbols", field="symbols")
    return JSONResponse({name: await _found(client, symbols, show)})


async def _found(client: Client, symbols: list[str], show: _Show) -> dict[str, dict[str, Any]]:
    # A symbol that nobody watches is asked of the feed; one that it does not know is left out.
    await asyncio.gather(*(_watch(client, symbol) for symbol in symbols))
    async with reading(client.service) as connection:
        rows = await views.latest(connection, symbols)
    found = {row["symbol"]: show(row) for row in rows}
    return {symbol: one for symbol, one in found.items() if one is not None}


async def _watch(client: Client, symbol: str) -> None:
    try:
        await scene_for(client.service, symbol)
    except Unavailable:
        raise
    except Refusal:
        return


def _quote(row: Any) -> dict[str, Any] | None:
    if row["bid_at"] is None:
        return None
    return {
        "t": rfc3339(max(row["bid_at"], row["ask_at"])),
        "bp": float(row["bid"]),
        "bs": float(row["bid_size"]),
        "bx": "",
        "ap": float(row["ask"]),
        "as": float(row["ask_size"]),
        "ax": "",
        "c": [],
        "z": "",
    }


def _trade(row: Any) -> dict[str, Any] | None:
    if row["last"] is None:
        return None
    return {
        "t": rfc3339(row["last_at"]),
        "p": float(row["last"]),
        "s": float(row["last_size"] or 0),
        "x": "",
        "i": None,
        "c": [],
        "z": "",
    }


def _bar(row: Any) -> dict[str, Any] | None:
    bar = row["minute_bar"]
    if bar is None:
        return None
    prices = {name: float(bar[name]) for name in ("o", "h", "l", "c", "v", "vw")}
    return {"t": bar["t"], "n": bar["n"], **prices}
