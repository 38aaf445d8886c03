"""What Alpaca says of a symbol itself, and of the days on which it is traded."""

import asyncio
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from app.domain.extended_hours import TradingDay
from app.domain.instant import DAY, HOUR, Instant, from_datetime, to_datetime
from app.domain.instrument import Instrument
from app.domain.session import Session, join_adjacent
from app.feeds.alpaca.line import Line
from app.ports import FeedError

NEW_YORK = ZoneInfo("America/New_York")
CALENDAR = "XNYS"
SHARE = Decimal(1)

CENT = Decimal("0.01")
HUNDREDTH = Decimal("0.0001")
SMALL = Decimal("0.90")
"""Below a dollar prices may be finer than a cent. What is near it may rise above it while orders
rest, and is traded in cents, which are taken on both sides."""

BEHIND = 45 * DAY
AHEAD = 20 * DAY
ASKED_AGAIN = 6 * HOUR


async def check_asset(line: Line, symbol: str) -> bool:
    """Whether there is such a stock; raises FeedError for one that is not traded."""
    asset = await line.trading(f"assets/{quote(symbol, safe='')}")
    if asset is None:
        return False
    if not isinstance(asset, dict):
        raise FeedError(f"Alpaca's answer about {symbol!r} is no table")
    if asset.get("class") != "us_equity":
        raise FeedError(f"{symbol} is of the class {asset.get('class')!r}; only stocks are fed")
    if asset.get("status") != "active" or asset.get("tradable") is not True:
        raise FeedError(f"Alpaca does not trade {symbol} now (its status: {asset.get('status')})")
    return bool(asset.get("symbol") == symbol)


def instrument(symbol: str, price: Decimal | None) -> Instrument:
    """A stock at about `price`: whole shares, in cents, or finer far below a dollar."""
    tick = HUNDREDTH if price is not None and price < SMALL else CENT
    return Instrument(symbol, tick, SHARE, SHARE, CALENDAR)


class Days:
    """Alpaca's trading calendar: it knows of a sudden day of mourning before any table does."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._asking = asyncio.Lock()
        self.known: tuple[Session, ...] = ()
        self.whole: tuple[TradingDay, ...] = ()
        self._asked_at: Instant | None = None

    async def around(self, now: Instant) -> tuple[Session, ...]:
        """The sessions from six weeks before to three after. Raises FeedError."""
        async with self._asking:
            if self._asked_at is None or abs(now - self._asked_at) > ASKED_AGAIN:
                rows = await self._line.trading(
                    "calendar", start=_day(now - BEHIND), end=_day(now + AHEAD)
                )
                self.whole, self._asked_at = _days(rows), now
                self.known = join_adjacent(day.session for day in self.whole)
            return self.known


def _day(at: Instant) -> str:
    return to_datetime(at).astimezone(NEW_YORK).date().isoformat()


def _days(rows: Any) -> tuple[TradingDay, ...]:
    """Raises FeedError."""
    try:
        return tuple(_trading_day(row) for row in sorted(rows, key=lambda row: str(row["date"])))
    except (AttributeError, KeyError, TypeError, ValueError) as wrong:
        raise FeedError(f"Alpaca's calendar cannot be read: {wrong}") from wrong


def _trading_day(row: Mapping[str, Any]) -> TradingDay:
    """`session_open` and `session_close` are those of extended hours, written `0400`; a day without
    them has none. Nobody's extended hours end before its session does."""
    day, session = row["date"], _span(row["date"], row["open"], row["close"])
    told = _span(day, row.get("session_open", row["open"]), row.get("session_close", row["close"]))
    opens, closes = (session.opens_at, told.opens_at), (session.closes_at, told.closes_at)
    return TradingDay(session, Session(min(opens), max(closes)))


def _span(day: str, opens: str, closes: str) -> Session:
    return Session(_local(day, opens), _local(day, closes))


def _local(day: str, at: str) -> Instant:
    moment = datetime.combine(date.fromisoformat(day), time.fromisoformat(at), NEW_YORK)
    return from_datetime(moment)
