"""The bookkeeping that stepped feeds share, over a source that counts what it is asked."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from math import sqrt

import pytest

from app.domain.instant import DAY, HOUR, Instant, Micros
from app.domain.instrument import Instrument
from app.domain.session import Session
from app.domain.tape import Tape
from app.domain.tape_build import Trades, build_tape
from app.feeds.taped import BIN, HISTORY_STRETCHES, KEPT_STRETCHES, TapedFeed, days
from app.ports import FeedError

MONDAY: Instant = 19_723 * DAY
OPEN = 14 * HOUR


def session(day: int, length: Micros = 6 * HOUR) -> Session:
    return Session(MONDAY + day * DAY + OPEN, MONDAY + day * DAY + OPEN + length)


@dataclass
class Weeks:
    """A symbol "A" with one trade in each session, after hours too."""

    sessions: Sequence[Session]
    read: list[int] = field(default_factory=list)
    reading: int = 0
    broken: bool = False
    unmoved: int | None = None

    def instrument(self, symbol: str) -> Instrument | None:
        one = Decimal(1)
        return Instrument(symbol, one, one, one, "XNYS") if symbol == "A" else None

    def around(self, symbol: str) -> None:
        return None

    def stretches(self, symbol: str, now: Instant) -> Sequence[Session]:
        return [stretch for stretch in self.sessions if stretch.closes_at > now]

    def tape(self, symbol: str, stretch: Session) -> Tape:
        if self.broken:
            raise FeedError("a.csv, line 7: price is zero")
        assert self.reading == 0, "a source is asked one thing at a time"
        self.reading += 1
        time.sleep(0.01)
        self.reading -= 1
        self.read.append((stretch.opens_at - MONDAY) // DAY)
        at = [stretch.opens_at - HOUR, stretch.opens_at, stretch.closes_at + HOUR]
        return build_tape(
            symbol, price_scale=1, size_scale=1, until=at[-1], trades=Trades(at, [9] * 3, [5] * 3)
        )

    def earlier(self, symbol: str, stretch: Session) -> Sequence[Session]:
        return [past for past in self.sessions if past.closes_at <= stretch.opens_at]

    def volumes(self, symbol: str, stretch: Session, bin_length: Micros) -> Sequence[float]:
        bins = -(-stretch.length // bin_length)
        return [float(1 + (stretch.opens_at - MONDAY) // DAY)] * bins

    def variance(self, symbol: str, stretch: Session) -> float | None:
        day = (stretch.opens_at - MONDAY) // DAY
        return None if day == self.unmoved else 1e-4 * (1 + day)


def over(source: Weeks) -> TapedFeed:
    return TapedFeed("weeks", source, MONDAY)


async def test_only_what_is_due_is_read() -> None:
    source = Weeks([session(day) for day in range(9)])
    feed = over(source)
    await feed.watch("A", MONDAY)
    await feed.watch("A", MONDAY + HOUR)
    await feed.advance(MONDAY + OPEN)
    assert source.read == [0]
    await feed.advance(session(0).closes_at)
    await feed.advance(session(1).closes_at - 1)
    assert source.read == [0, 1]


async def test_after_a_jump_no_more_is_read_than_is_kept() -> None:
    source = Weeks([session(day) for day in range(30)])
    feed = over(source)
    await feed.watch("A", MONDAY)
    await feed.advance(session(20).opens_at)
    assert source.read == [0, *range(21 - KEPT_STRETCHES, 21)]
    assert feed.tape("A").since == session(21 - KEPT_STRETCHES).opens_at - HOUR
    # A jump within what is kept keeps what is there.
    await feed.advance(session(22).opens_at)
    assert source.read == [0, *range(21 - KEPT_STRETCHES, 23)]
    assert feed.tape("A").traded(0, feed.tape("A").until).volume == 15 * KEPT_STRETCHES


async def test_the_last_session_stays_when_nothing_follows() -> None:
    source = Weeks([session(0), session(1)])
    feed = over(source)
    found = await feed.watch("A", session(1).opens_at)
    assert found is not None
    assert found.sessions == (session(1),)
    tape = feed.tape("A")
    await feed.advance(session(1).closes_at + DAY)
    assert feed.tape("A") is tape
    assert await feed.watch("A", session(1).closes_at) is None


async def test_what_is_needed_stays_and_what_is_not_goes() -> None:
    source = Weeks([session(day) for day in range(30)])
    feed = over(source)
    await feed.watch("A", session(9).opens_at, session(4).opens_at + HOUR)
    assert source.read == list(range(4, 10))
    await feed.advance(session(15).opens_at)
    assert source.read == list(range(4, 16))
    assert feed.tape("A").since <= session(4).opens_at
    await feed.watch("A", session(16).opens_at)
    assert feed.tape("A").since == session(17 - KEPT_STRETCHES).opens_at - HOUR


async def test_a_tape_is_read_back_to_what_is_needed() -> None:
    source = Weeks([session(day) for day in range(9)])
    feed = over(source)
    await feed.watch("A", session(6).opens_at)
    await feed.keep("A", session(6).opens_at)
    assert source.read == [6]
    # In a pause: what is printed after the close before it belongs to that session.
    await feed.keep("A", session(3).closes_at + HOUR)
    assert source.read == [6, 3, 4, 5, 6]
    await feed.keep("A", MONDAY - DAY)
    assert feed.tape("A").since == MONDAY - DAY
    assert feed.tape("A").traded(MONDAY - DAY, feed.tape("A").until).volume == 15 * 7
    read = len(source.read)
    await feed.keep("A", MONDAY - DAY)
    assert len(source.read) == read


async def test_a_source_that_has_ended_is_asked_once() -> None:
    source = Weeks([session(0)])
    feed = over(source)
    await feed.watch("A", MONDAY)
    await feed.advance(session(0).closes_at)
    source.broken = True
    source.sessions = [session(0), session(1)]
    assert await feed.advance(session(0).closes_at + DAY) == {}


async def test_a_source_is_asked_one_thing_at_a_time() -> None:
    feed = over(Weeks([session(day) for day in range(5)]))
    await feed.watch("A", MONDAY)
    later = session(2).opens_at
    await asyncio.gather(*(feed.advance(later) for _ in range(5)), feed.watch("A", later))
    assert feed.tape("A").until == session(2).closes_at + HOUR


async def test_what_cannot_be_read_is_told_and_nothing_is_lost() -> None:
    source = Weeks([session(0), session(1)])
    feed = over(source)
    await feed.watch("A", MONDAY)
    tape = feed.tape("A")
    source.broken = True
    told = await feed.advance(session(1).opens_at)
    assert list(told) == ["A"]
    assert "line 7" in told["A"]
    assert feed.tape("A") is tape
    # Not at every step again: only when somebody asks.
    assert await feed.advance(session(1).opens_at) == {}
    with pytest.raises(FeedError, match="line 7"):
        await feed.watch("A", session(1).opens_at)
    source.broken = False
    await feed.watch("A", session(1).opens_at)
    assert feed.tape("A").until == session(1).closes_at + HOUR


async def test_history_is_the_last_full_days_before_today() -> None:
    # Every fourth day is a half one; the trade of day n is n + 1 in every bin.
    sessions = [session(day, 3 * HOUR if day % 4 == 3 else 6 * HOUR) for day in range(40)]
    found = await over(Weeks(sessions)).watch("A", sessions[36].opens_at)
    assert found is not None
    full = [day for day in range(36) if day % 4 != 3][-HISTORY_STRETCHES:]
    assert found.curve is not None
    assert found.curve.source == f"history:{HISTORY_STRETCHES}d"
    assert len(found.curve.shares) == 6 * HOUR // BIN
    mean = Decimal(sum(72 * (day + 1) for day in full)) / len(full)
    assert found.daily_volume == int(mean)
    moved = sum(1e-4 * (day + 1) for day in full) / len(full)
    assert found.volatility == pytest.approx(sqrt(moved))


async def test_a_day_that_did_not_move_says_nothing_of_volatility() -> None:
    source = Weeks([session(day) for day in range(3)])
    source.unmoved = 0
    found = await over(source).watch("A", session(2).opens_at)
    assert found is not None
    assert found.volatility == pytest.approx(sqrt(2e-4))


async def test_without_a_day_before_there_is_no_history() -> None:
    found = await over(Weeks([session(0)])).watch("A", MONDAY)
    assert found is not None
    assert found.curve is None
    assert found.daily_volume is None
    assert found.volatility is None


def test_a_market_that_never_closes_is_cut_at_midnight() -> None:
    always = Session(MONDAY - HOUR, MONDAY + 2 * DAY + HOUR)
    assert days([always]) == (
        Session(MONDAY - HOUR, MONDAY),
        Session(MONDAY, MONDAY + DAY),
        Session(MONDAY + DAY, MONDAY + 2 * DAY),
        Session(MONDAY + 2 * DAY, MONDAY + 2 * DAY + HOUR),
    )
    overnight = Session(MONDAY + 20 * HOUR, MONDAY + 30 * HOUR)
    assert days([overnight]) == (overnight,)


async def test_the_parts_of_a_day_with_a_break_make_one_day() -> None:
    """A morning and an afternoon move by the sum of their variances."""
    parts = [
        Session(MONDAY + day * DAY + hour * HOUR, MONDAY + day * DAY + (hour + 2) * HOUR)
        for day in range(3)
        for hour in (10, 14)
    ]
    found = await over(Weeks(parts)).watch("A", parts[4].opens_at)
    assert found is not None
    assert found.volatility == pytest.approx(sqrt((2 * 1e-4 + 2 * 2e-4) / 2))
