"""The made-up market in Alpaca's words. What happened is a function of time alone, so stream and
history tell the same."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.calendars import ExchangeCalendars
from app.domain.instant import DAY, MINUTE, SECOND, Instant, from_datetime, rfc3339, to_datetime
from app.domain.session import Session
from app.domain.tape import Tape
from app.domain.tape_search import after
from app.feeds.synthetic.profile import SYMBOLS, Profile, bin_volumes
from app.feeds.synthetic_live import LiveSynthetic, open_feed

Record = dict[str, Any]

NEW_YORK = ZoneInfo("America/New_York")
STOCKS = ("ACME", "GLOBEX", "INITECH")
IEX_OF = 5
"""Every so many-th trade is one of IEX."""

IEX_SHARE = 0.2
KEPT = 20 * MINUTE


def now() -> Instant:
    return int(time.time() * 1e6)


@dataclass
class Market:
    """Symbols that trade all day, New York's; `void` and `corrected` trades are marked in the
    history by their id."""

    seed: int = 1
    names: dict[str, str] = field(default_factory=dict)
    void: set[int] = field(default_factory=set)
    hours: tuple[str, str] = ("00:00", "23:59")
    short_days: set[date] = field(default_factory=set)

    def __post_init__(self) -> None:
        feed = open_feed(ExchangeCalendars(), {"seed": self.seed})
        assert isinstance(feed, LiveSynthetic)
        self._feed = feed

    async def open(self) -> None:
        for symbol in STOCKS:
            await self._feed.watch(symbol, now(), now() - KEPT)

    async def advance(self) -> Instant:
        at = now()
        await self._feed.advance(at)
        return at

    def tape(self, symbol: str) -> Tape:
        return self._feed.tape(symbol)

    def trades(
        self, symbol: str, start: Instant, end: Instant, source: str = "sip"
    ) -> Iterator[Record]:
        """Trades in (start, end], as the stream tells them."""
        tape = self.tape(symbol)
        low, high = after(tape.trade_at, start), after(tape.trade_at, end)
        for row in range(low, high):
            at = int(tape.trade_at[row])
            number = at % 10**12 * 8 + row - int(tape.trade_at.searchsorted(at))
            mine = number // 8 % IEX_OF == 0
            if source == "iex" and not mine:
                continue
            yield {
                "S": symbol,
                "i": number,
                "x": "V" if mine else "Q",
                "p": float(tape.price(tape.trade_price[row])),
                "s": int(tape.trade_size[row]),
                "t": rfc3339(at)[:-1] + "123Z",
                "c": ["@"],
                "z": "C",
            }

    def quotes(self, symbol: str, start: Instant, end: Instant) -> Iterator[Record]:
        tape = self.tape(symbol)
        for row in range(after(tape.quote_at, start), after(tape.quote_at, end)):
            yield {
                "S": symbol,
                "bx": "V",
                "ax": "V",
                "bp": float(tape.price(tape.bid[row])),
                "ap": float(tape.price(tape.ask[row])),
                "bs": int(tape.bid_size[row]),
                "as": int(tape.ask_size[row]),
                "t": rfc3339(int(tape.quote_at[row])),
                "c": ["R"],
                "z": "C",
            }

    def minutes(self, symbol: str, start: Instant, end: Instant, source: str) -> Iterator[Record]:
        for first in range(-(-start // MINUTE) * MINUTE, end, MINUTE):
            rows = list(self.trades(symbol, first - 1, first + MINUTE - 1, source))
            volume = sum(row["s"] for row in rows)
            if volume:
                mean = sum(row["s"] * row["p"] for row in rows) / volume
                yield _bar(first, mean, volume)

    def fives(self, symbol: str, start: Instant, end: Instant, source: str) -> Iterator[Record]:
        """Past days in bars of five minutes, with something before the open that does not count."""
        share = IEX_SHARE if source == "iex" else 1.0
        for session in self.sessions(start - DAY, end):
            if session.opens_at > now():
                return
            if self.hours[0] > "00:05":
                yield _bar(session.opens_at - 5 * MINUTE, 100.0, 999_999_999)
            made = bin_volumes(self.profile(symbol), session, 5 * MINUTE, f"{session.opens_at}")
            for number, volume in enumerate(made):
                at = session.opens_at + number * 5 * MINUTE
                if start <= at < end:
                    yield _bar(at, 100.0 if number % 2 else 100.2, int(volume * share))

    def profile(self, symbol: str) -> Profile:
        return SYMBOLS[symbol]

    def calendar(self, start: date, end: date) -> list[Record]:
        days = [start + timedelta(days=n) for n in range((end - start).days + 1)]
        opens, closes = self.hours
        return [
            {
                "date": day.isoformat(),
                "open": opens,
                "close": "12:00" if day in self.short_days else closes,
                "session_open": "0400",
                "session_close": "2000",
            }
            for day in days
        ]

    def sessions(self, start: Instant, end: Instant) -> list[Session]:
        rows = self.calendar(to_datetime(start).date(), to_datetime(end).date())
        spans = ((_local(r["date"], r["open"]), _local(r["date"], r["close"])) for r in rows)
        return [Session(opens, closes) for opens, closes in spans]

    def last(self, symbol: str, source: str) -> tuple[Record | None, Record | None]:
        """The newest trade and quote."""
        at = now()
        trades = list(self.trades(symbol, at - 60 * SECOND, at, source))
        quotes = list(self.quotes(symbol, at - 60 * SECOND, at))
        return (trades[-1] if trades else None), (quotes[-1] if quotes else None)


def _bar(at: Instant, price: float, volume: int) -> Record:
    return {
        "t": rfc3339(at),
        "o": price,
        "h": price,
        "l": price,
        "c": price,
        "v": volume,
        "n": 1,
        "vw": round(price, 6),
    }


def _local(day: str, at: str) -> Instant:
    return from_datetime(datetime.fromisoformat(f"{day}T{at}").replace(tzinfo=NEW_YORK))
