"""Order flow at a moment: read row by row for comparison, and never from the future."""

from decimal import Decimal
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.flow.aggressor import signed
from app.domain.flow.imbalance import updates
from app.domain.flow.measure import LENGTHS, Delta, delta, measure
from app.domain.flow.record import Flow, Frame, flow_from_json, flow_to_json
from app.domain.instant import MINUTE, SECOND, Instant
from app.domain.tape import Tape
from tests.domain.markets import END, MOMENTS, STORIES, Dealt, Quoted, Story, tape_of

NOWHERE = Delta(0, -1)


def flow_at(tape: Tape, now: Instant) -> Flow:
    return measure(tape, now, delta(tape, NOWHERE, now))


def slow_frame(tape: Tape, length: int, now: Instant) -> Frame | None:
    end = now - now % length
    if end < length:
        return None
    signs = signed(tape, 0, len(tape.trade_at))
    bought = sold = volume = trades = 0
    for row, at in enumerate(tape.trade_at.tolist()):
        if end - length <= at < end:
            size = int(tape.trade_size[row])
            bought += size * (signs.sign[row] > 0)
            sold += size * (signs.sign[row] < 0)
            volume, trades = volume + size, trades + 1
    every = updates(tape, 0, len(tape.quote_at))
    inside = [n for n, at in enumerate(every.at.tolist()) if end - length <= at < end]
    e = [float(every.e[n]) for n in inside]
    root = sqrt(sum(x * x for x in e))
    depth = sum(float(every.depth[n]) for n in inside) / len(e) if e else 0
    return Frame(
        length=length,
        end=end,
        ofi=pytest.approx(sum(e) / depth) if e else None,
        strength=pytest.approx(sum(e) / root) if root else None,
        updates=len(e),
        trade_imbalance=pytest.approx((bought - sold) / volume) if volume else None,
        trades=trades,
        bought=Decimal(bought),
        sold=Decimal(sold),
    )


@given(STORIES, MOMENTS)
def test_frames_are_the_last_that_are_over(story: Story, now: Instant) -> None:
    tape = story.tape()
    slow = [frame for length in LENGTHS if (frame := slow_frame(tape, length, now)) is not None]
    assert list(flow_at(tape, now).frames) == slow


@given(STORIES, STORIES, MOMENTS)
def test_the_future_changes_nothing(story: Story, other: Story, now: Instant) -> None:
    there = flow_at(story.tape(), now)
    assert flow_at(story.followed_by(other, now).tape(), now) == there
    assert flow_at(story.until(now).tape(), now) == there


@given(STORIES, MOMENTS)
def test_the_mirror_turns_every_sign(story: Story, now: Instant) -> None:
    there, turned = flow_at(story.tape(), now), flow_at(story.mirrored().tape(), now)
    assert turned.imbalance == (None if there.imbalance is None else -there.imbalance)
    assert (turned.cvd, turned.cvd_volume) == (-there.cvd, there.cvd_volume)
    assert turned.classified == there.classified
    for mine, theirs in zip(there.frames, turned.frames, strict=True):
        assert (theirs.bought, theirs.sold) == (mine.sold, mine.bought)
        for name in ("ofi", "strength", "trade_imbalance"):
            value = getattr(mine, name)
            assert getattr(theirs, name) == (None if value is None else -value)
    levels = [(level.bought, level.sold) for level in there.footprint]
    assert [(level.sold, level.bought) for level in reversed(turned.footprint)] == levels


@given(STORIES, st.lists(MOMENTS, max_size=6))
def test_delta_does_not_depend_on_how_often_it_is_asked(
    story: Story, moments: list[Instant]
) -> None:
    tape, stepwise = story.tape(), NOWHERE
    for moment in sorted(moments):
        stepwise = delta(tape, stepwise, moment)
    assert delta(tape, stepwise, END) == delta(tape, NOWHERE, END)


@given(STORIES, st.integers(0, 39))
def test_delta_does_not_depend_on_how_trades_are_split(story: Story, which: int) -> None:
    deals = list(story.deals)
    if not deals:
        return
    which = min(which, len(deals) - 1)
    one = deals[which]
    if one.size < 2:
        return
    deals[which : which + 1] = [
        Dealt(one.at, one.price, 1),
        Dealt(one.at, one.price, one.size - 1),
    ]
    split = delta(tape_of(story.quotes, deals), NOWHERE, END)
    assert split == delta(story.tape(), NOWHERE, END)


@given(STORIES, MOMENTS)
def test_figures_are_bounded_and_survive_json(story: Story, now: Instant) -> None:
    flow = flow_at(story.tape(), now)
    assert flow_from_json(flow_to_json(flow)) == flow
    assert abs(flow.cvd) <= flow.cvd_volume
    for frame in flow.frames:
        assert frame.end <= now
        assert frame.trade_imbalance is None or -1 <= frame.trade_imbalance <= 1
        assert frame.strength is None or abs(frame.strength) <= sqrt(frame.updates) + 1e-9
    longest = max(flow.frames, key=lambda f: f.length, default=None)
    if longest is not None:
        assert sum(level.bought for level in flow.footprint) == longest.bought
        assert sum(level.sold for level in flow.footprint) == longest.sold


def test_a_frame_that_is_not_over_is_not_looked_at() -> None:
    deals = [Dealt(61 * SECOND, 20, 5)]
    tape = tape_of([Quoted(1, 10, 1, 12, 1)], deals)
    early, late = flow_at(tape, 2 * MINUTE - 1), flow_at(tape, 2 * MINUTE)
    assert [f.trades for f in early.frames] == [0, 0]
    assert [f.trades for f in late.frames] == [0, 1]


def test_a_frame_that_the_tape_does_not_know_whole_is_left_out() -> None:
    tape = tape_of([Quoted(1, 10, 1, 12, 1)], [Dealt(END, 12, 1)]).trimmed(300 * SECOND + 1)
    assert [f.length for f in flow_at(tape, 601 * SECOND).frames] == [10 * SECOND, MINUTE]


def test_a_footprint_of_many_prices_is_put_into_bands() -> None:
    deals = [Dealt(1 + n, 1000 + n, 1) for n in range(100)]
    quotes = [Quoted(0, 1, 1, 2, 1)]
    levels = flow_at(tape_of(quotes, deals), 300 * SECOND).footprint
    assert [int(level.price) for level in levels] == [1000 + 10 * n for n in range(10)]
    assert {int(level.bought) for level in levels} == {10}
