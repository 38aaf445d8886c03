"""The REST face: history, the newest, assets and the calendar, in pages as Alpaca has them."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from app.domain.instant import Instant, from_datetime
from tests.feeds.alpaca_data.faults import Faults
from tests.feeds.alpaca_data.market import STOCKS, Market, Record, now

KEY, SECRET = "PKTESTTESTTEST", "very-secret-words-of-the-test"

PAGE_MOST = {"trades": 25, "bars": 1_000}
"""Less than what is asked for, so that pages follow each other."""


def create_rest(market: Market, faults: Faults, asked: list[str]) -> FastAPI:
    """`asked` gets the path and query of every request."""
    app = FastAPI(redirect_slashes=False)

    @app.middleware("http")
    async def door(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
        asked.append(f"{request.url.path}?{request.url.query}")
        fault = await _fault(faults)
        if fault is not None:
            return fault
        names = request.headers.get("APCA-API-KEY-ID"), request.headers.get("APCA-API-SECRET-KEY")
        if names != (KEY, SECRET):
            return _error(403, "forbidden.")
        if faults.no_sip and request.query_params.get("feed") == "sip":
            return _error(403, "subscription does not permit querying recent SIP data")
        return await go_on(request)

    _add_reference(app, market)
    _add_history(app, market)
    return app


def _add_reference(app: FastAPI, market: Market) -> None:
    @app.get("/v2/assets/{symbol}")
    async def asset(symbol: str) -> Response:
        status = market.names.get(symbol, "active" if symbol in STOCKS else None)
        if status is None:
            return _error(404, f"asset not found for {symbol}")
        return JSONResponse(
            {
                "id": "00000000-0000-0000-0000-000000000001",
                "class": "crypto" if status == "crypto" else "us_equity",
                "exchange": "NASDAQ",
                "symbol": symbol,
                "status": "active" if status == "crypto" else status,
                "tradable": status == "active",
                "fractionable": True,
                "marginable": True,
                "shortable": True,
                "easy_to_borrow": True,
            }
        )

    @app.get("/v2/calendar")
    async def calendar(start: date, end: date) -> list[Record]:
        return market.calendar(start, end)


def _add_history(app: FastAPI, market: Market) -> None:
    @app.get("/v2/stocks/trades")
    async def trades(request: Request) -> Record:
        query = request.query_params
        start, end = _span(query)
        found = {s: list(market.trades(s, start - 1, end, query["feed"])) for s in _symbols(query)}
        for row in (row for rows in found.values() for row in rows):
            row.pop("S")
            if row["i"] in market.void:
                row["u"] = "canceled"
        return _page("trades", found, query)

    @app.get("/v2/stocks/bars")
    async def bars(request: Request) -> Record:
        query = request.query_params
        start, end = _span(query)
        made = {"1Min": market.minutes, "5Min": market.fives}[query["timeframe"]]
        found = {s: list(made(s, start, end, query["feed"])) for s in _symbols(query)}
        return _page("bars", found, query)

    @app.get("/v2/stocks/{what}/latest")
    async def latest(what: str, request: Request) -> Record:
        query = request.query_params
        both = {s: market.last(s, query["feed"]) for s in _symbols(query)}
        chosen = {s: pair[0 if what == "trades" else 1] for s, pair in both.items()}
        return {what: {s: row for s, row in chosen.items() if row is not None}}


async def _fault(faults: Faults) -> Response | None:
    await asyncio.sleep(faults.slow)
    if faults.hanging:
        faults.hanging -= 1
        await asyncio.sleep(60)
    if faults.limited:
        faults.limited -= 1
        reset = str(int(time.time()) + 1)
        return _error(429, "too many requests.", {"X-RateLimit-Reset": reset})
    if faults.failing:
        faults.failing -= 1
        return _error(500, "internal server error occurred")
    return None


def _error(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"message": message}, status, headers)


def _symbols(query: Any) -> list[str]:
    return sorted(s for s in query["symbols"].split(",") if s in STOCKS)


def _span(query: Any) -> tuple[Instant, Instant]:
    start = from_datetime(datetime.fromisoformat(query["start"]))
    end = query.get("end")
    return start, from_datetime(datetime.fromisoformat(end)) if end else now()


def _page(what: str, found: dict[str, list[Record]], query: Any) -> Record:
    """Rows of one symbol after those of another, cut into pages."""
    rows = [(symbol, row) for symbol, some in found.items() for row in some]
    first, size = int(query.get("page_token") or 0), min(int(query["limit"]), PAGE_MOST[what])
    page: dict[str, list[Record]] = {}
    for symbol, row in rows[first : first + size]:
        page.setdefault(symbol, []).append(row)
    token = str(first + size) if len(rows) > first + size else None
    return {what: page, "next_page_token": token}
