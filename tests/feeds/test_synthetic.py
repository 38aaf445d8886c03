"""The made-up market: the same for the same seed, plausible, and honest about the future."""

import asyncio
from collections.abc import Iterable
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest

from app.calendars import ExchangeCalendars
from app.domain.instant import DAY, HOUR, MINUTE, SECOND, Instant
from app.domain.quantity import floor_to
from app.domain.session import Session
from app.domain.tape import QUOTE_COLUMNS, TRADE_COLUMNS, Tape
from app.feeds.synthetic import STARTS_AT, SyntheticMarket, open_feed
from app.feeds.synthetic.profile import SYMBOLS, Profile, bin_volumes
from app.feeds.taped import KEPT_STRETCHES, TapedFeed, bin_of
from app.ports import Watched

EVERY = list(SYMBOLS)
HALF_DAY: Instant = 1_795_791_600_000_000
"""Friday, 2026-11-27, after Thanksgiving: 15:00 UTC, half an hour after the open."""


BEFORE, AFTER = 5 * HOUR + 30 * MINUTE, 4 * HOUR
"""New York's extended hours."""


def market(calendars: ExchangeCalendars, seed: int = 1) -> SyntheticMarket:
    return SyntheticMarket(calendars, seed, SYMBOLS, STARTS_AT)


def first_day(calendars: ExchangeCalendars, symbol: str, seed: int = 1) -> tuple[Session, Tape]:
    made = market(calendars, seed)
    stretch = made.stretches(symbol, STARTS_AT)[0]
    return stretch, made.session_tape(symbol, stretch)


async def watched(feed: TapedFeed, symbol: str, now: Instant) -> Watched:
    found = await feed.watch(symbol, now)
    assert found is not None
    return found


def same(one: Tape, other: Tape) -> bool:
    return all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in (*QUOTE_COLUMNS, *TRADE_COLUMNS)
    )


def opened(calendars: ExchangeCalendars, **options: object) -> TapedFeed:
    feed = open_feed(calendars, options)
    assert isinstance(feed, TapedFeed)
    return feed


@pytest.mark.parametrize("symbol", EVERY)
def test_a_day_depends_on_seed_symbol_and_date_alone(
    calendars: ExchangeCalendars, symbol: str
) -> None:
    forwards, backwards = market(calendars), market(calendars)
    days = forwards.stretches(symbol, STARTS_AT)[:3]
    one = [forwards.tape(symbol, day) for day in days]
    other = [backwards.tape(symbol, day) for day in reversed(days)]
    for a, b in zip(one, reversed(other), strict=True):
        assert same(a, b)
    assert not same(one[0], market(calendars, seed=2).tape(symbol, days[0]))
    assert not same(one[0], one[1])


@pytest.mark.parametrize("symbol", EVERY)
def test_quotes_are_on_the_grid_and_a_few_ticks_wide(
    calendars: ExchangeCalendars, symbol: str
) -> None:
    _, tape = first_day(calendars, symbol)
    profile = SYMBOLS[symbol]
    tick = int(profile.tick * tape.price_scale)
    lot = int(profile.lot * tape.size_scale)
    for column in (tape.bid, tape.ask, tape.trade_price):
        assert not np.any(column % tick)
    for column in (tape.bid_size, tape.ask_size, tape.trade_size):
        assert not np.any(column % lot)
        assert len(np.unique(column)) > 20
    assert set(np.unique((tape.ask - tape.bid) // tick)) == {1, 2, 3}


@pytest.mark.parametrize("symbol", EVERY)
def test_sides_speak_on_their_own(calendars: ExchangeCalendars, symbol: str) -> None:
    _, tape = first_day(calendars, symbol)
    rows = len(tape.quote_at)
    alone = (tape.bid_at != tape.ask_at).sum()
    assert alone > rows / 2
    # Every row says something, and what it says of a side is from when that side spoke.
    assert np.all((tape.bid_at == tape.quote_at) | (tape.ask_at == tape.quote_at))
    silent = tape.bid_at[1:] == tape.bid_at[:-1]
    apart = tape.quote_at[1:] != tape.quote_at[:-1]
    for column in (tape.bid, tape.bid_size):
        assert not np.any((column[1:] != column[:-1]) & silent & apart)


@pytest.mark.parametrize("symbol", EVERY)
def test_trades_are_at_or_inside_the_touch(calendars: ExchangeCalendars, symbol: str) -> None:
    stretch, tape = first_day(calendars, symbol)
    row = tape.quote_at.searchsorted(tape.trade_at, side="right") - 1
    assert tape.quote_at[0] == stretch.opens_at
    assert tape.trade_at[-1] < stretch.closes_at
    assert tape.quote_at[-1] < stretch.closes_at
    bid, ask = tape.bid[row], tape.ask[row]
    assert np.all((bid <= tape.trade_price) & (tape.trade_price <= ask))
    at_touch = (tape.trade_price == bid) | (tape.trade_price == ask)
    assert 0.9 < at_touch.mean() < 1


@pytest.mark.parametrize("symbol", EVERY)
def test_events_come_at_the_promised_pace(calendars: ExchangeCalendars, symbol: str) -> None:
    stretch, tape = first_day(calendars, symbol)
    seconds = stretch.length / SECOND
    assert len(tape.quote_at) == pytest.approx(2 * seconds, rel=0.01)
    assert len(tape.trade_at) == pytest.approx(seconds / 1.5, rel=0.01)
    assert np.diff(tape.quote_at).max() < MINUTE


def test_symbols_have_markets_of_their_own(calendars: ExchangeCalendars) -> None:
    acme, globex = (first_day(calendars, symbol)[1] for symbol in ("ACME", "GLOBEX"))
    assert not np.array_equal(acme.quote_at, globex.quote_at)
    assert abs(np.corrcoef(np.diff(acme.bid[:10_000]), np.diff(globex.bid[:10_000]))[0, 1]) < 0.1


def test_events_are_denser_where_the_volume_is(calendars: ExchangeCalendars) -> None:
    stretch, tape = first_day(calendars, "ACME")
    for at in (tape.quote_at, tape.trade_at):
        per_half_hour = np.histogram(at - stretch.opens_at, 13)[0]
        assert per_half_hour[0] > 1.2 * per_half_hour[6]
        assert per_half_hour[-1] > 1.1 * per_half_hour[6]


@pytest.mark.parametrize("symbol", EVERY)
def test_what_trades_is_what_the_profile_says(calendars: ExchangeCalendars, symbol: str) -> None:
    made = market(calendars)
    stretch, tape = first_day(calendars, symbol)
    length = bin_of(stretch)
    meant = made.volumes(symbol, stretch, length)
    edges = [*range(stretch.opens_at, stretch.closes_at, length), stretch.closes_at]
    traded = [float(tape.traded(a - 1, b - 1).volume) for a, b in pairwise(edges)]
    assert sum(traded) == pytest.approx(sum(meant), rel=0.1)
    assert np.corrcoef(traded, meant)[0, 1] > (0.95 if stretch.length < DAY else 0.6)


def test_the_day_is_a_u_and_round_the_clock_is_flat(calendars: ExchangeCalendars) -> None:
    made = market(calendars)
    stretch = made.stretches("ACME", STARTS_AT)[0]
    days = [d for d in made.earlier("ACME", stretch) if d.length == stretch.length]
    shares = np.mean([made.volumes("ACME", day, 15 * MINUTE) for day in days], axis=0)
    shares /= shares.sum()
    assert shares[:2].sum() == pytest.approx(0.15, abs=0.02)
    assert shares[4:22].sum() == pytest.approx(0.50, abs=0.03)
    assert shares[-2:].sum() == pytest.approx(0.11, abs=0.02)
    always = made.stretches("COINX", STARTS_AT)[0]
    flat = np.mean(
        [made.volumes("COINX", past, HOUR) for past in made.earlier("COINX", always)[-20:]], axis=0
    )
    assert np.ptp(flat) < 0.3 * flat.mean()


def test_prices_go_on_from_day_to_day(calendars: ExchangeCalendars) -> None:
    made = market(calendars)
    for symbol in ("ACME", "COINX"):
        ticks = SYMBOLS[symbol].tick
        before, after = (made.tape(symbol, day) for day in made.stretches(symbol, STARTS_AT)[:2])
        closed, opens = before.quote(before.until), after.quote(after.since)
        assert closed is not None
        assert opens is not None
        # The last quote is up to a few seconds old, and prices wander meanwhile.
        assert abs(closed.mid - opens.mid) < 100 * ticks
        assert before.bid.max() - before.bid.min() > 20 * int(ticks * before.price_scale)


def test_it_starts_at_the_profiles_price(calendars: ExchangeCalendars) -> None:
    for symbol, price in (("ACME", 100), ("GLOBEX", 40), ("INITECH", 300), ("COINX", 60_000)):
        stretch, tape = first_day(calendars, symbol)
        quote = tape.quote(stretch.opens_at)
        assert quote is not None
        assert abs(quote.mid - price) <= 2 * SYMBOLS[symbol].tick


def test_a_half_day_is_half_as_long(calendars: ExchangeCalendars) -> None:
    made = market(calendars)
    stretch = made.stretches("ACME", HALF_DAY)[0]
    assert stretch.length == 210 * MINUTE
    assert made.tape("ACME", stretch).until == stretch.closes_at + AFTER
    tape = made.session_tape("ACME", stretch)
    assert tape.until == stretch.closes_at
    whole = first_day(calendars, "ACME")[1]
    assert len(tape.quote_at) == pytest.approx(len(whole.quote_at) * 210 / 390, rel=0.01)


async def test_the_curve_is_from_days_before_and_does_not_see_today(
    calendars: ExchangeCalendars,
) -> None:
    feed = opened(calendars)
    found = await watched(feed, "ACME", STARTS_AT)
    made = market(calendars)
    stretch = made.stretches("ACME", STARTS_AT)[0]
    earlier = made.earlier("ACME", stretch)
    assert all(past.closes_at <= stretch.opens_at for past in earlier)
    history = [made.volumes("ACME", past, 5 * MINUTE) for past in earlier]
    full = [day for day in history if len(day) == 78][-20:]
    shares = np.mean([np.array(day) / sum(day) for day in full], axis=0)
    assert found.curve is not None
    assert found.curve.source == "history:20d"
    assert found.curve.shares == pytest.approx(shares / shares.sum())
    mean = Decimal(sum(sum(day) for day in full) / 20)
    assert found.daily_volume == floor_to(mean, Decimal(1))
    assert abs(found.daily_volume / 5_000_000 - 1) < Decimal("0.2")
    assert found.volatility == pytest.approx(0.012)


async def test_a_round_the_clock_curve_is_periodic(calendars: ExchangeCalendars) -> None:
    found = await watched(opened(calendars), "COINX", STARTS_AT)
    assert found.curve is not None
    assert found.curve.periodic
    assert len(found.curve.shares) == 24
    (session,) = found.sessions
    assert session.round_the_clock
    assert session.contains(STARTS_AT + 30 * DAY)


async def test_advancing_brings_the_next_session_and_forgets_the_oldest(
    calendars: ExchangeCalendars,
) -> None:
    feed = opened(calendars, symbols=["ACME"])
    found = await watched(feed, "ACME", STARTS_AT)
    days = found.sessions[: KEPT_STRETCHES + 2]
    for i, day in enumerate(days):
        before = feed.tape("ACME")
        if i:
            assert before.until == days[i - 1].closes_at + AFTER
            await feed.advance(days[i - 1].closes_at + AFTER - 1)
            assert feed.tape("ACME") is before
            await feed.advance(days[i - 1].closes_at + AFTER)
        tape = feed.tape("ACME")
        assert tape.until == day.closes_at + AFTER
        assert tape.since == days[max(i - KEPT_STRETCHES + 1, 0)].opens_at - BEFORE
        own, before_open = market(calendars).session_tape("ACME", day), day.opens_at - 1
        assert tape.traded(before_open, day.closes_at) == own.traded(before_open, day.closes_at)


async def test_round_the_clock_the_next_day_is_there_before_midnight(
    calendars: ExchangeCalendars,
) -> None:
    feed = opened(calendars)
    await watched(feed, "COINX", STARTS_AT)
    midnight = (STARTS_AT // DAY + 1) * DAY
    assert feed.tape("COINX").until == midnight + DAY
    await feed.advance(midnight)
    tape = feed.tape("COINX")
    assert tape.until == midnight + 2 * DAY
    assert np.diff(tape.quote_at).max() < MINUTE


async def test_a_jump_over_many_sessions_leaves_no_hole(calendars: ExchangeCalendars) -> None:
    feed = opened(calendars, symbols=["ACME"])
    found = await watched(feed, "ACME", STARTS_AT)
    later = found.sessions[10]
    await feed.advance(later.opens_at + HOUR)
    tape = feed.tape("ACME")
    assert tape.until == later.closes_at + AFTER
    assert tape.since == found.sessions[8].opens_at - BEFORE
    for session in found.sessions[8:11]:
        assert tape.traded(session.opens_at, session.closes_at).volume > 0


async def test_who_watches_late_sees_the_same_market(calendars: ExchangeCalendars) -> None:
    early, late = opened(calendars, seed=7), opened(calendars, seed=7)
    day = (await watched(early, "GLOBEX", STARTS_AT)).sessions[1]
    await early.advance(day.opens_at)
    await watched(late, "GLOBEX", day.opens_at + HOUR)
    at = day.closes_at - MINUTE
    assert early.tape("GLOBEX").quote(at) == late.tape("GLOBEX").quote(at)
    assert early.tape("GLOBEX").last(at) == late.tape("GLOBEX").last(at)


async def test_watching_at_once_and_again_is_one_watch(calendars: ExchangeCalendars) -> None:
    feed = opened(calendars)
    one, other = await asyncio.gather(feed.watch("ACME", STARTS_AT), feed.watch("ACME", STARTS_AT))
    assert one == other
    tape = feed.tape("ACME")
    await feed.watch("ACME", STARTS_AT + HOUR)
    assert same(feed.tape("ACME"), tape)
    assert feed.updated() == ()
    assert not feed.own_volume_included


async def test_an_unknown_symbol_is_not_watched(calendars: ExchangeCalendars) -> None:
    feed = opened(calendars, symbols=["ACME"])
    assert await feed.watch("NOPE", STARTS_AT) is None
    assert await feed.watch("GLOBEX", STARTS_AT) is None
    with pytest.raises(KeyError):
        feed.tape("NOPE")


def test_a_symbol_that_is_not_in_the_set_cannot_be_chosen(calendars: ExchangeCalendars) -> None:
    with pytest.raises(ValueError, match="no NOPE; it has ACME"):
        opened(calendars, symbols=["NOPE"])


async def test_own_symbols_may_be_given(calendars: ExchangeCalendars) -> None:
    profile = Profile(
        Decimal(8), Decimal(30_000), tick=Decimal("0.05"), lot=Decimal(10), calendar="XHKG"
    )
    feed = opened(calendars, symbols={"TINY": profile}, seed=3)
    found = await watched(feed, "TINY", STARTS_AT)
    assert found.instrument == profile.instrument("TINY")
    tape = feed.tape("TINY")
    assert not np.any(tape.bid % 5)
    assert not np.any(tape.trade_size % 10)
    # Morning and afternoon make one day.
    assert found.daily_volume is not None
    morning, afternoon = found.sessions[:2]
    parts: Iterable[Session] = (morning, afternoon)
    expected = sum(sum(bin_volumes(profile, p, 15 * MINUTE, f"3:TINY:{p.opens_at}")) for p in parts)
    assert float(found.daily_volume) == pytest.approx(expected, rel=0.5)
    assert found.daily_volume > 20_000


# Extended hours.


async def test_around_a_session_little_trades_at_about_its_prices(
    calendars: ExchangeCalendars,
) -> None:
    feed = opened(calendars, symbols=["ACME"])
    found = await watched(feed, "ACME", STARTS_AT)
    session, day = found.sessions[0], found.days[0]
    assert day.session == session
    assert day.whole == Session(session.opens_at - BEFORE, session.closes_at + AFTER)
    tape = feed.tape("ACME")
    inside = tape.traded(session.opens_at - 1, session.closes_at - 1).volume
    early = tape.traded(day.whole.opens_at - 1, session.opens_at - 1).volume
    late = tape.traded(session.closes_at - 1, day.whole.closes_at - 1).volume
    assert Decimal("0.02") < (early + late) / inside < Decimal("0.1")
    assert early > 0
    assert late > 0
    opening, closing = tape.quote(session.opens_at), tape.quote(session.closes_at - 1)
    before, after = tape.quote(session.opens_at - 1), tape.quote(session.closes_at + HOUR)
    assert before is not None
    assert opening is not None
    assert closing is not None
    assert after is not None
    assert abs(before.mid / opening.mid - 1) < Decimal("0.02")
    assert abs(after.mid / closing.mid - 1) < Decimal("0.02")
    # While the auction may print, nobody else does.
    auction = tape.traded(session.closes_at - 1, session.closes_at + 5 * MINUTE - 1)
    assert auction.volume == 0


async def test_a_session_is_the_same_with_the_hours_around_it(calendars: ExchangeCalendars) -> None:
    feed = opened(calendars, symbols=["ACME"])
    session = (await watched(feed, "ACME", STARTS_AT)).sessions[0]
    whole, own = feed.tape("ACME"), market(calendars).session_tape("ACME", session)
    for at in range(session.opens_at, session.closes_at, 7 * MINUTE):
        assert whole.quote(at) == own.quote(at)


async def test_who_comes_in_the_evening_finds_the_evening(calendars: ExchangeCalendars) -> None:
    feed = opened(calendars, symbols=["ACME"])
    first = (await watched(feed, "ACME", STARTS_AT)).sessions[0]
    fresh = opened(calendars, symbols=["ACME"])
    evening = first.closes_at + HOUR
    found = await watched(fresh, "ACME", evening)
    assert found.days[0].session == first
    quote = fresh.tape("ACME").quote(evening)
    assert quote == feed.tape("ACME").quote(evening)
    assert quote is not None
    assert evening - quote.at < 5 * MINUTE
    # What is known for the next session is from the days before it, today among them.
    tomorrow = await watched(
        opened(calendars, symbols=["ACME"]), "ACME", found.sessions[1].opens_at
    )
    assert found.curve == tomorrow.curve
    assert found.daily_volume == tomorrow.daily_volume


async def test_round_the_clock_there_is_nothing_around_a_session(
    calendars: ExchangeCalendars,
) -> None:
    found = await watched(opened(calendars), "COINX", STARTS_AT)
    assert [day.whole for day in found.days] == list(found.sessions)
