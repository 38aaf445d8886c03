"""Tapes: every search is compared with one that reads row by row and knows nothing of numpy."""

from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.instant import Instant
from app.domain.quantity import Side
from app.domain.tape import QUOTE_COLUMNS, TRADE_COLUMNS, Tape
from app.domain.tape_build import Quotes, Trades, build_tape
from app.domain.tape_search import FIRST_CHUNK
from app.domain.trigger import (
    BookUncrossed,
    MixReaches,
    PriceReaches,
    PriceWithin,
    QuoteUpdated,
    SideUpdated,
    SizeReaches,
    TouchMoved,
    Trigger,
    VolumeReaches,
)

PRICE_SCALE, SIZE_SCALE = 100, 10
END = 40
"""Little room, so that times, prices and thresholds meet often."""


@dataclass(frozen=True)
class Row:
    """A quote row as a person would write it."""

    at: Instant
    bid: int
    ask: int
    bid_size: int
    ask_size: int
    bid_at: Instant
    ask_at: Instant


@dataclass(frozen=True)
class Print:
    at: Instant
    price: int
    size: int


@dataclass(frozen=True)
class Story:
    """The same market twice: as rows for the slow oracle, as a tape for the code under test."""

    rows: tuple[Row, ...]
    prints: tuple[Print, ...]
    tape: Tape

    def row(self, at: Instant) -> Row | None:
        return next((row for row in reversed(self.rows) if row.at <= at), None)

    def volume(self, start: Instant, end: Instant) -> Decimal:
        units = sum(p.size for p in self.prints if start < p.at <= end)
        return Decimal(units) / SIZE_SCALE

    def notional(self, start: Instant, end: Instant) -> Decimal:
        units = sum(p.size * p.price for p in self.prints if start < p.at <= end)
        return Decimal(units) / (SIZE_SCALE * PRICE_SCALE)

    def holds(self, trigger: Trigger, at: Instant) -> bool:
        if isinstance(trigger, VolumeReaches):
            return self.volume(trigger.since, at) >= trigger.volume
        row = self.row(at)
        return row is not None and quote_holds(trigger, row)

    def first(self, trigger: Trigger, start: Instant, until: Instant) -> Instant | None:
        speaking = self.prints if isinstance(trigger, VolumeReaches) else self.rows
        moments = sorted({event.at for event in speaking if start < event.at <= until})
        return next((at for at in moments if self.holds(trigger, at)), None)


def quote_holds(trigger: Trigger, row: Row) -> bool:
    bid, ask = Decimal(row.bid) / PRICE_SCALE, Decimal(row.ask) / PRICE_SCALE
    buy = getattr(trigger, "side", Side.BUY) is Side.BUY
    far, size = (ask, row.ask_size) if buy else (bid, row.bid_size)
    far_at = row.ask_at if buy else row.bid_at
    match trigger:
        case PriceReaches():
            return far <= trigger.price if buy else far >= trigger.price
        case PriceWithin():
            return trigger.low <= far <= trigger.high
        case TouchMoved():
            return far != trigger.price
        case MixReaches():
            near, sign = (bid, 1) if buy else (ask, -1)
            mixed = near * (trigger.whole - trigger.part) + far * trigger.part
            return sign * (mixed - trigger.price * trigger.whole) >= 0
        case SizeReaches():
            return Decimal(size) / SIZE_SCALE >= trigger.size
        case SideUpdated():
            return far_at > trigger.after
        case QuoteUpdated():
            return max(row.bid_at, row.ask_at) > trigger.after
        case BookUncrossed():
            return bid < ask
    raise AssertionError(trigger)


def tape_of(
    rows: tuple[Row, ...] = (),
    prints: tuple[Print, ...] = (),
    until: Instant = END,
    since: Instant | None = None,
) -> Tape:
    return build_tape(
        "ACME",
        price_scale=PRICE_SCALE,
        size_scale=SIZE_SCALE,
        since=since,
        until=until,
        quotes=Quotes(
            at=[r.at for r in rows],
            bid=[r.bid for r in rows],
            ask=[r.ask for r in rows],
            bid_size=[r.bid_size for r in rows],
            ask_size=[r.ask_size for r in rows],
            bid_at=[r.bid_at for r in rows],
            ask_at=[r.ask_at for r in rows],
        ),
        trades=Trades([p.at for p in prints], [p.price for p in prints], [p.size for p in prints]),
    )


moments = st.integers(0, END)
prices = st.integers(998, 1003)
sizes = st.integers(1, 6)


@st.composite
def stories(draw: st.DrawFn, first: int = 0, last: int = END, most: int = 25) -> Story:
    """Rows in time order; many share a time, books lock and cross, sides speak alone."""
    rows: list[Row] = []
    for at in sorted(draw(st.lists(st.integers(first, last), min_size=1, max_size=most))):
        fresh = Row(at, draw(prices), draw(prices), draw(sizes), draw(sizes), at, at)
        side = draw(st.sampled_from(["bid", "ask", "both"])) if rows else "both"
        if side == "bid":
            old = rows[-1]
            fresh = replace(fresh, ask=old.ask, ask_size=old.ask_size, ask_at=old.ask_at)
        if side == "ask":
            old = rows[-1]
            fresh = replace(fresh, bid=old.bid, bid_size=old.bid_size, bid_at=old.bid_at)
        rows.append(fresh)
    times = sorted(draw(st.lists(st.integers(first, last), max_size=most)))
    prints = tuple(Print(at, draw(prices), draw(sizes)) for at in times)
    return Story(tuple(rows), prints, tape_of(tuple(rows), prints, until=last))


# Finer than the tape's grid too: 10.005 lies between two prices.
some_price = st.integers(1995, 2008).map(lambda n: Decimal(n) / 200)
some_size = st.integers(0, 14).map(lambda n: Decimal(n) / 20)
side = st.sampled_from(Side)

triggers: st.SearchStrategy[Trigger] = st.one_of(
    st.builds(PriceReaches, side, some_price),
    st.builds(PriceWithin, side, some_price, some_price),
    st.builds(TouchMoved, side, some_price | prices.map(lambda p: Decimal(p) / PRICE_SCALE)),
    st.builds(MixReaches, side, st.integers(0, 3), st.integers(3, 5), some_price),
    st.builds(SizeReaches, side, some_size),
    st.builds(SideUpdated, side, moments),
    st.builds(QuoteUpdated, moments),
    st.builds(BookUncrossed),
    st.builds(VolumeReaches, moments, st.integers(0, 200).map(lambda n: Decimal(n) / 20)),
)


@settings(max_examples=400)
@given(stories(), triggers)
def test_first_finds_what_reading_row_by_row_finds(story: Story, trigger: Trigger) -> None:
    for start in range(-1, END):
        for until in (start + 2, END):
            assert story.tape.first(trigger, start, until) == story.first(trigger, start, until)


@given(stories(), moments)
def test_the_quote_is_the_last_row_of_its_moment(story: Story, at: Instant) -> None:
    quote, row = story.tape.quote(at), story.row(at)
    if quote is None or row is None:
        assert quote is None
        assert row is None
        return
    assert (quote.bid, quote.ask) == (Decimal(row.bid) / 100, Decimal(row.ask) / 100)
    assert (quote.bid_size, quote.ask_size) == (
        Decimal(row.bid_size) / 10,
        Decimal(row.ask_size) / 10,
    )
    assert (quote.bid_at, quote.ask_at) == (row.bid_at, row.ask_at)


@given(stories(), moments, moments)
def test_volume_and_notional_are_exact_over_half_open_intervals(
    story: Story, start: Instant, end: Instant
) -> None:
    traded = story.tape.traded(start, end)
    assert traded.volume == story.volume(start, end)
    assert traded.notional == story.notional(start, end)


@given(stories(), moments, moments)
def test_prints_and_last_are_the_trades_themselves(
    story: Story, start: Instant, end: Instant
) -> None:
    found = story.tape.prints(start, end)
    wanted = [p for p in story.prints if start < p.at <= end]
    assert found.at.tolist() == [p.at for p in wanted]
    assert found.price.tolist() == [p.price for p in wanted]
    assert found.size.tolist() == [p.size for p in wanted]
    latest = [p for p in story.prints if p.at <= end]
    expected = (Decimal(latest[-1].price) / PRICE_SCALE, latest[-1].at) if latest else None
    assert story.tape.last(end) == expected


@given(stories(), moments)
def test_the_next_event_is_the_earliest_row_later(story: Story, moment: Instant) -> None:
    later = [event.at for event in (*story.rows, *story.prints) if event.at > moment]
    assert story.tape.next_event(moment) == min(later, default=None)


@given(stories(0, 20), stories(20, END), triggers, moments, moments)
def test_two_tapes_in_a_row_are_as_one(
    morning: Story, evening: Story, trigger: Trigger, start: Instant, until: Instant
) -> None:
    rows, prints = (*morning.rows, *evening.rows), (*morning.prints, *evening.prints)
    joined = morning.tape.extended(evening.tape)
    whole = Story(rows, prints, tape_of(rows, prints))
    for name in (*QUOTE_COLUMNS, *TRADE_COLUMNS, "cum_volume", "cum_notional"):
        assert getattr(joined, name).tolist() == getattr(whole.tape, name).tolist()
    assert joined.until == END
    assert joined.first(trigger, start, until) == whole.first(trigger, start, until)


@given(stories(), moments, triggers, moments, moments)
def test_trimming_forgets_the_past_and_nothing_else(
    story: Story, before: Instant, trigger: Trigger, start: Instant, until: Instant
) -> None:
    tape = story.tape.trimmed(before)
    at = max(before, until)
    assert tape.quote(at) == story.tape.quote(at)
    assert tape.last(at) == story.tape.last(at)
    since = max(before, story.tape.since)
    assert tape.traded(-1, at).volume == story.volume(since - 1, at)
    assert tape.traded(before, at) == story.tape.traded(before, at)
    start = max(before, start)
    if isinstance(trigger, VolumeReaches):
        trigger = replace(trigger, since=start)
    assert tape.first(trigger, start, until) == story.first(trigger, start, until)


@pytest.mark.parametrize("hit", [0, 1, FIRST_CHUNK - 1, FIRST_CHUNK, 5 * FIRST_CHUNK, 9_999])
def test_a_hit_is_found_in_every_chunk(hit: int) -> None:
    ask = np.full(10_000, 1_010)
    ask[hit] = 1_000
    at = np.arange(10_000)
    tape = build_tape(
        "ACME",
        price_scale=100,
        size_scale=1,
        until=10_000,
        quotes=Quotes(at, np.full(10_000, 990), ask, np.ones(10_000, int), np.ones(10_000, int)),
    )
    trigger = PriceReaches(Side.BUY, Decimal(10))
    assert tape.first(trigger, -1, 10_000) == hit
    assert tape.first(trigger, -1, hit - 1) is None
    assert tape.first(trigger, hit, 10_000) is None


def test_a_state_that_lasted_no_time_was_never_there() -> None:
    shown = Row(5, 990, 1_000, 1, 1, 5, 5)
    rows = (shown, replace(shown, ask=1_010), replace(shown, at=9, ask=1_001, ask_at=9))
    tape = tape_of(rows)
    assert tape.first(PriceReaches(Side.BUY, Decimal("10.00")), 0, END) is None
    assert tape.first(PriceReaches(Side.BUY, Decimal("10.01")), 0, END) == 9


def test_without_times_of_the_sides_they_follow_from_changes() -> None:
    tape = build_tape(
        "ACME",
        price_scale=100,
        size_scale=1,
        until=9,
        quotes=Quotes([1, 2, 3, 4], [9, 9, 8, 8], [10, 10, 10, 10], [1, 1, 1, 1], [5, 6, 6, 6]),
    )
    assert tape.bid_at.tolist() == [1, 1, 3, 3]
    assert tape.ask_at.tolist() == [1, 2, 2, 2]


def test_sums_are_exact_where_floats_are_not() -> None:
    size = 10**8 + 1
    prints = [(at, 10**8 + 7, size) for at in range(100)]
    at, price, sizes = zip(*prints, strict=True)
    tape = build_tape(
        "ACME", price_scale=10_000, size_scale=1, until=99, trades=Trades(at, price, sizes)
    )
    assert tape.traded(-1, 99).notional == Decimal((10**8 + 7) * size * 100) / 10_000


def test_an_overflow_is_refused_and_never_wraps() -> None:
    with pytest.raises(ValueError, match="64 bits"):
        build_tape(
            "ACME", price_scale=1, size_scale=1, until=9, trades=Trades([1], [1 << 40], [1 << 30])
        )
    big = build_tape(
        "ACME", price_scale=1, size_scale=1, until=1, trades=Trades([1], [1 << 30], [1 << 31])
    )
    with pytest.raises(ValueError, match="64 bits"):
        big.extended(replace(big, trade_at=big.trade_at + 1))


FLAT = Row(5, 990, 1_000, 1, 1, 5, 5)


@pytest.mark.parametrize(
    ("rows", "prints", "complaint"),
    [
        ((FLAT, replace(FLAT, at=4, bid_at=4, ask_at=4)), (), "backwards"),
        ((FLAT, replace(FLAT, at=6, bid_at=3)), (), "bid_at runs backwards"),
        ((replace(FLAT, ask_at=6),), (), "after its own row"),
        ((replace(FLAT, bid=0),), (), "bid must be above zero"),
        ((replace(FLAT, ask_size=-1),), (), "ask_size must be above zero"),
        ((), (Print(5, 0, 1),), "trade_price must be above zero"),
        ((), (Print(5, 1, 0),), "trade_size must be above zero"),
        ((), (Print(5, 1, 1), Print(4, 1, 1)), "trade_at runs backwards"),
        ((), (Print(END + 1, 1, 1),), "rows after"),
    ],
)
def test_what_is_no_market_record_is_refused(
    rows: tuple[Row, ...], prints: tuple[Print, ...], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        tape_of(rows, prints)


def test_columns_must_fit_together() -> None:
    with pytest.raises(ValueError, match="length"):
        build_tape("A", price_scale=1, size_scale=1, until=9, trades=Trades([1, 2], [1, 1], [1]))
    with pytest.raises(ValueError, match="length"):
        build_tape("A", price_scale=1, size_scale=1, until=9, quotes=Quotes([1], [1], [1, 2]))
    with pytest.raises(ValueError, match="whole numbers"):
        build_tape("A", price_scale=1, size_scale=1, until=9, trades=Trades([1], [1.5], [1]))
    with pytest.raises(ValueError, match="power of ten"):
        build_tape("A", price_scale=20, size_scale=1, until=9)
    with pytest.raises(ValueError, match="rows before"):
        tape_of((FLAT,), since=6)


def test_only_a_later_tape_of_the_same_symbol_continues_one() -> None:
    tape = tape_of((FLAT,), (Print(7, 1_000, 3),))
    with pytest.raises(ValueError, match="starts before"):
        tape.extended(tape_of((), (Print(6, 1_000, 3),)))
    with pytest.raises(ValueError, match="does not continue"):
        tape.extended(replace(tape, symbol="GLOBEX"))


def test_sums_go_on_from_a_trimmed_tape() -> None:
    early = tape_of((), (Print(1, 1_000, 4),), until=1)
    prints = (Print(2, 1_000, 9), Print(3, 1_000, 5), Print(4, 1_000, 7))
    later = tape_of((), prints, until=4).trimmed(4)
    assert later.traded(0, 4).volume == Decimal("0.7")
    # The trade that a trimmed tape keeps as a price is a real one: joined to the past it counts.
    assert early.extended(later).cum_volume.tolist() == [0, 4, 9, 16]


def test_a_moment_may_lie_across_two_chunks() -> None:
    border = FIRST_CHUNK - 1
    at = np.arange(2 * FIRST_CHUNK)
    at[border] = at[border + 1]
    ask = np.full(len(at), 1_010)
    ask[border] = 1_000
    ones = np.ones(len(at), int)
    tape = build_tape(
        "ACME",
        price_scale=100,
        size_scale=1,
        until=len(at),
        quotes=Quotes(at, ones, ask, ones, ones),
    )
    assert tape.first(PriceReaches(Side.BUY, Decimal(10)), -1, len(at)) is None


def test_thresholds_between_two_units() -> None:
    tape = tape_of((FLAT, replace(FLAT, at=6, bid_size=2, bid_at=6)))
    assert tape.first(SizeReaches(Side.SELL, Decimal("0.15")), 0, END) == 6
    # No touch is ever shown between two units, so every touch differs from such a price.
    assert tape.first(TouchMoved(Side.SELL, Decimal("9.905")), 0, END) == 5
    assert tape.first(TouchMoved(Side.SELL, Decimal("9.90")), 0, END) is None


def test_a_search_includes_its_last_moment() -> None:
    tape = tape_of((FLAT,), (Print(7, 1_000, 3),))
    assert tape.first(VolumeReaches(0, Decimal("0.3")), 0, 7) == 7
    assert tape.first(VolumeReaches(0, Decimal("0.3")), 0, 6) is None
    assert tape.first(BookUncrossed(), 0, 5) == 5
    assert tape.first(BookUncrossed(), 0, 4) is None


def test_counts_of_dropped_rows_add_up_and_nothing_can_be_changed() -> None:
    def part(at: Instant, **dropped: int) -> Tape:
        return build_tape(
            "A",
            price_scale=1,
            size_scale=1,
            until=at,
            trades=Trades([at], [1], [1]),
            dropped=dropped,
        )

    joined = part(1, off_market=2, crossed=0).extended(part(2, off_market=3, suspicious=1))
    assert dict(joined.dropped) == {"off_market": 5, "suspicious": 1}
    with pytest.raises(ValueError, match="read-only"):
        joined.trade_price[0] = 9
    with pytest.raises(TypeError):
        joined.dropped["off_market"] = 0  # type: ignore[index]


def test_an_empty_tape_answers_nothing() -> None:
    tape = tape_of()
    assert tape.quote(5) is None
    assert tape.last(5) is None
    assert tape.next_event(0) is None
    assert tape.traded(0, END).vwap is None
    assert tape.first(QuoteUpdated(0), 0, END) is None
    assert tape.first(VolumeReaches(0, Decimal(1)), 0, END) is None
