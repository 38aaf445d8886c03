"""What the owner of the feed knows of orders older than its tape, and of symbols it cannot read."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import pytest

from app.calendars import ExchangeCalendars
from app.domain.execution import Execution
from app.domain.instant import DAY, HOUR, SECOND, Instant
from app.domain.quantity import ZERO
from app.domain.session import Session
from app.domain.task import Anchor
from app.engine.market import MarketDesk
from app.feeds.synthetic import STARTS_AT, open_feed
from app.feeds.synthetic.profile import SYMBOLS
from app.feeds.synthetic_live import open_feed as open_live
from app.ports import Feed, FeedError, Watched
from app.store import market_state, watched
from app.store.database import Database

MIDNIGHT = (STARTS_AT // DAY + 1) * DAY


def coins() -> Feed:
    return open_feed(ExchangeCalendars(), {"symbols": ["COINX"]})


def order(start: Instant, symbol: str = "COINX", filled: Decimal = ZERO) -> Execution:
    """As much of an order as the market asks for."""
    instrument = SimpleNamespace(symbol=symbol)
    end = start + 30 * DAY
    task = SimpleNamespace(
        order_id="o", instrument=instrument, start=start, end=end, algo="twap", extended_hours=False
    )
    return cast(Execution, SimpleNamespace(task=task, filled=filled, anchor=Anchor(start, ZERO)))


class Wrapped:
    """A feed that can be told to fail, and counts how often it is watched."""

    def __init__(self, inner: Feed) -> None:
        self.inner, self.name, self.starts_at = inner, inner.name, inner.starts_at
        self.own_volume_included = False
        self.failure: Exception | None = None
        self.ended = False
        self.asked = 0

    async def watch(
        self, symbol: str, now: Instant, since: Instant | None = None
    ) -> Watched | None:
        self.asked += 1
        if self.failure is not None:
            raise self.failure
        return None if self.ended else await self.inner.watch(symbol, now, since)

    async def keep(self, symbol: str, since: Instant) -> None:
        if self.failure is not None:
            raise self.failure
        await self.inner.keep(symbol, since)

    async def advance(self, now: Instant) -> Mapping[str, str]:
        return await self.inner.advance(now)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


async def opened(database_url: str, feed: Any) -> tuple[MarketDesk, Database]:
    database = await Database.open(database_url)
    market = MarketDesk(database, feed)
    await market.open(speed=Decimal(0), held=True)
    async with database.connection() as connection:
        await market_state.ask(connection, "COINX")
    await market.watch(["COINX"])
    return market, database


async def refusal(database: Database) -> str | None:
    async with database.connection() as connection:
        told = await watched.told(connection, "COINX")
    return told if isinstance(told, str) else None


async def test_a_restart_after_midnight_keeps_the_volume_of_an_order(database_url: str) -> None:
    start, now = MIDNIGHT - HOUR, MIDNIGHT + 4 * DAY + HOUR
    whole = coins()
    await whole.watch("COINX", now, start)
    true = whole.tape("COINX").traded(start, now)
    market, database = await opened(database_url, coins())
    await market.feed.advance(now)
    short = order(start)
    # Before anybody says so, the tape is too short: less is known, and nothing is measured.
    assert market.measured(short, now) is None
    assert market.market_for(short, now).volume < true.volume
    await market.need("COINX", start)
    tape = market.feed.tape("COINX")
    await market.need("COINX", start + HOUR)
    assert market.feed.tape("COINX") is tape
    measured = market.measured(short, now)
    assert measured is not None
    assert measured.traded == true
    assert market.market_for(short, now).volume == true.volume
    await database.close()


async def test_of_a_part_of_the_volume_the_whole_is_estimated(database_url: str) -> None:
    """A feed that tells a fiftieth, and our own fills with it."""
    market, database = await opened(database_url, Wrapped(coins()))
    start, now = MIDNIGHT - HOUR, MIDNIGHT
    mine = order(start, filled=Decimal(3))
    told = market.feed.tape("COINX").traded(start, now)
    whole = replace(market.watched["COINX"], volume_coverage=Decimal("0.02"))
    market.watched["COINX"] = whole
    market.feed.own_volume_included = True
    seen = market.market_for(mine, now)
    assert (seen.volume, seen.own_volume) == (told.volume * 50 - 3, 3)
    assert seen.volume_coverage == Decimal("0.02")
    measured = market.measured(mine, now)
    assert measured is not None
    assert measured.traded.volume == told.volume * 50
    assert measured.own_included
    assert told.vwap is not None
    assert measured.traded.vwap is not None
    assert abs(measured.traded.vwap / told.vwap - 1) < Decimal("1e-12")
    await database.close()


async def test_what_nobody_watches_is_unknown_and_no_error(database_url: str) -> None:
    market, database = await opened(database_url, coins())
    missing = order(STARTS_AT, "GONE")
    await market.need("GONE", STARTS_AT)
    seen = market.market_for(missing, STARTS_AT)
    assert (seen.quote, seen.session, seen.volume) == (None, None, 0)
    assert market.measured(missing, STARTS_AT) is None
    assert market.first("GONE", [], STARTS_AT, STARTS_AT + HOUR) is None
    await database.close()


async def test_what_cannot_be_read_is_refused_until_asked_again(database_url: str) -> None:
    feed = Wrapped(coins())
    for failure in (FeedError("a.csv, line 7"), ValueError("no tape"), OSError("disk")):
        feed.failure = failure
        market, database = await opened(database_url, feed)
        assert market.watched == {}
        assert await refusal(database) == str(failure)
        feed.failure, asked = None, feed.asked
        await market.advance(STARTS_AT + DAY)
        await market.look()
        assert feed.asked == asked
        async with database.connection() as connection:
            await market_state.ask(connection, "COINX")
        await market.look()
        for task in list(market._reading.values()):
            await task
        assert "COINX" in market.watched
        feed.failure = failure
        await market.need("COINX", STARTS_AT - 30 * DAY)
        await market.close()
        await database.close()


async def test_the_end_of_the_data_is_met_once(database_url: str) -> None:
    feed = Wrapped(coins())
    market, database = await opened(database_url, feed)
    feed.ended, asked = True, feed.asked
    for days in range(1, 5):
        await market.advance(STARTS_AT + days * DAY)
    assert feed.asked == asked + 1
    assert "no more" in (await refusal(database) or "")
    # The tape it has goes on being told.
    assert market.market_for(order(STARTS_AT), STARTS_AT + 4 * DAY).quote is not None
    await database.close()


class Slow(Wrapped):
    """A live feed whose answers can be held back."""

    def __init__(self, inner: Feed) -> None:
        super().__init__(inner)
        self.starts_at = None
        self.answers = asyncio.Event()

    async def watch(
        self, symbol: str, now: Instant, since: Instant | None = None
    ) -> Watched | None:
        watched = await super().watch(symbol, now, since)
        await self.answers.wait()
        ending = (Session(now - HOUR, now + SECOND // 5),)
        return replace(watched, sessions=ending) if watched is not None else None


async def test_live_nobody_waits_for_a_new_session_and_a_failure_is_tried_again(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.engine.market.RETRY_SECONDS", 0.2)
    live = open_live(ExchangeCalendars(), {"symbols": {"COINX": SYMBOLS["COINX"]}})
    feed = Slow(live)
    feed.answers.set()
    database = await Database.open(database_url)
    market = MarketDesk(database, cast(Feed, feed))
    await market.watch(["COINX"])
    feed.answers.clear()
    feed.failure = FeedError("not now")
    deadline = time.monotonic() + 30
    while feed.asked < 3 and time.monotonic() < deadline:
        begun = time.monotonic()
        await market.look()
        await market.advance(market.clock.now())
        assert time.monotonic() - begun < 10
        await asyncio.sleep(0.02)
    assert feed.asked == 3
    feed.failure = None
    for _ in range(30):
        # It is asked, and does not answer: the tape goes on.
        await market.look()
        await market.advance(market.clock.now())
        await asyncio.sleep(0.02)
    assert feed.asked == 4
    assert market.feed.tape("COINX").until > market.clock.now()
    await market.close()
    await database.close()
