"""The account, the market's hours and what can be traded."""

import asyncio
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import JSONResponse, Response

from app.api.alpaca.access import Client, Reader
from app.api.alpaca.queries import Filters, could_be_symbol
from app.api.alpaca.wording import account_id, asset, asset_class, asset_id, exchange, money
from app.domain.instant import DAY, Instant, from_datetime, rfc3339, to_datetime
from app.domain.instrument import Instrument
from app.domain.quantity import ZERO
from app.domain.refusal import Missing, Refusal, Unavailable
from app.domain.session import Session, session_at
from app.engine.market_clock import market_clock
from app.engine.quotes import scene_for
from app.engine.reading import reading
from app.store import views

router = APIRouter(tags=["account"])

_CALENDAR = "XNYS"
"""Alpaca's clock is that of the American stock market, whatever is traded."""

_ZONE = ZoneInfo("America/New_York")
_YEAR = timedelta(days=366)


@router.get("/account")
async def get_account(client: Reader) -> Response:
    """The account. Money is told for paper accounts only, of what they are said to have begun
    with: nothing here knows what a broker lends."""
    async with reading(client.service) as connection:
        account = await views.account_money(connection, client.account)
    answer = {
        "id": account_id(client.account),
        "account_number": client.account,
        "status": "ACTIVE",
        "crypto_status": "ACTIVE",
        "currency": account["currency"],
        "created_at": rfc3339(account["created_at"]),
        "pattern_day_trader": False,
        "trading_blocked": False,
        "transfers_blocked": True,
        "account_blocked": False,
        "trade_suspended_by_user": account["halted"],
        "shorting_enabled": True,
        "multiplier": "1",
        "daytrade_count": 0,
    }
    return JSONResponse(answer | _money(client, account))


def _money(client: Client, account: Any) -> dict[str, Any]:
    cash = client.surface.cash
    if cash is None or account["broker"] != "paper":
        return {}
    long, short = account["long_value"], account["short_value"]
    left = cash + account["cash"]
    equity = left + long + short
    free = max(min(left, equity), ZERO)
    shown: dict[str, Decimal] = {
        "cash": left,
        "equity": equity,
        "portfolio_value": equity,
        "last_equity": equity,
        "long_market_value": long,
        "short_market_value": short,
        "buying_power": free,
        "regt_buying_power": free,
        "daytrading_buying_power": free,
        "non_marginable_buying_power": free,
        "initial_margin": ZERO,
        "maintenance_margin": ZERO,
        "last_maintenance_margin": ZERO,
        "accrued_fees": account["fees"],
    }
    return {name: money(value) for name, value in shown.items()}


@router.get("/account/configurations")
async def get_configurations(client: Reader) -> Response:
    """What cannot be changed here, in the client's words."""
    return JSONResponse(
        {
            "dtbp_check": "entry",
            "fractional_trading": True,
            "max_margin_multiplier": "1",
            "no_shorting": False,
            "pdt_check": "entry",
            "suspend_trade": False,
            "trade_confirm_email": "none",
            "ptp_no_exception_entry": False,
        }
    )


@router.get("/clock")
async def get_clock(client: Reader) -> Response:
    """Market time, and when the American stock market opens and closes next."""
    now = await _now(client)
    sessions = await _sessions(client, now - DAY, now + 14 * DAY)
    opens = [s.opens_at for s in sessions if s.opens_at > now]
    closes = [s.closes_at for s in sessions if s.closes_at > now]
    if not opens or not closes:
        raise Unavailable("no_calendar", "the calendar knows no further session")
    return JSONResponse(
        {
            "timestamp": rfc3339(now),
            "is_open": session_at(sessions, now) is not None,
            "next_open": rfc3339(min(opens)),
            "next_close": rfc3339(min(closes)),
        }
    )


class CalendarQuery(Filters):
    """Days of the market, both included. Default: a year back, and one ahead."""

    start: date | None = None
    end: date | None = None
    date_type: Literal["TRADING"] = "TRADING"


@router.get("/calendar")
async def get_calendar(client: Reader, query: Annotated[CalendarQuery, Query()]) -> Response:
    """The days on which the American stock market is open, in its own time."""
    today = to_datetime(await _now(client)).astimezone(_ZONE).date()
    first, last = query.start or today - _YEAR, query.end or today + _YEAR
    if not date(1990, 1, 1) <= first <= date(2100, 1, 1) or last - first > 40 * _YEAR:
        raise Refusal("out_of_range", "at most 40 years, from 1990 on", field="start")
    sessions = await _sessions(client, _midnight(first), _midnight(last + timedelta(days=1)))
    return JSONResponse([_day(session) for session in sessions])


def _day(session: Session) -> dict[str, str]:
    opens = to_datetime(session.opens_at).astimezone(_ZONE)
    closes = to_datetime(session.closes_at).astimezone(_ZONE)
    return {
        "date": opens.date().isoformat(),
        "open": opens.strftime("%H:%M"),
        "close": closes.strftime("%H:%M"),
    }


def _midnight(day: date) -> Instant:
    return from_datetime(datetime(day.year, day.month, day.day, tzinfo=_ZONE))


async def _now(client: Client) -> Instant:
    clock = await market_clock(client.service)
    if clock is None:
        raise Unavailable("no_market_time", "no worker has told the market time yet")
    return clock.now


async def _sessions(client: Client, start: Instant, end: Instant) -> tuple[Session, ...]:
    calendar = client.service.calendar
    if calendar is None:
        raise Unavailable("no_calendar", "this server was opened without a calendar")
    # The first time it reads years of them, which takes a second.
    return await asyncio.to_thread(calendar.sessions, _CALENDAR, start, end)


class AssetsQuery(Filters):
    status: str | None = None
    asset_class: str | None = None
    exchange: str | None = None
    attributes: Annotated[str, Field(max_length=400)] | None = None


@router.get("/assets")
async def list_assets(client: Reader, query: Annotated[AssetsQuery, Query()]) -> Response:
    """What somebody has asked the feed for so far; any other symbol can be asked for by name."""
    async with reading(client.service) as connection:
        known = await views.instruments(connection)
    found = [asset(i) for i in known if _matches(i, query)]
    return JSONResponse(found)


def _matches(instrument: Instrument, query: AssetsQuery) -> bool:
    return (
        query.status in (None, "active")
        and query.asset_class in (None, asset_class(instrument.calendar))
        and query.exchange in (None, exchange(instrument.calendar))
        and not query.attributes
    )


@router.get("/assets/{symbol_or_id:path}")
async def get_asset(symbol_or_id: str, client: Reader) -> Response:
    """An asset by symbol (BTC/USD too) or by id."""
    return JSONResponse(asset(await instrument_of(client, symbol_or_id)))


async def instrument_of(client: Client, symbol_or_id: str) -> Instrument:
    """What a symbol or an asset's id stands for. Raises Missing."""
    async with reading(client.service) as connection:
        known = await views.instruments(connection)
    for instrument in known:
        if symbol_or_id in (instrument.symbol, asset_id(instrument.symbol)):
            return instrument
    unknown = Missing("unknown_asset", f"asset not found for {symbol_or_id[:40]}")
    if not could_be_symbol(symbol_or_id):
        raise unknown
    try:
        return (await scene_for(client.service, symbol_or_id)).instrument
    except Unavailable:
        raise
    except Refusal as refusal:
        raise unknown from refusal
