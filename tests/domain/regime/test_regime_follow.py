"""Regimes along a tape: found again where the truth is known, and never from the future."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from app.domain.instant import DAY, HOUR, MINUTE, Instant
from app.domain.regime.components import Bars, Windows, components
from app.domain.regime.follow import Followed, along, behind, follow
from app.domain.regime.labels import Rules
from app.domain.regime.record import Label, Regime, regime_from_json, regime_to_json
from app.domain.session import Session
from app.domain.tape import QUOTE_COLUMNS, Tape
from app.domain.tape_build import Quotes, Trades, build_tape
from tests.domain.regime.walks import Walk, bars_of, walk

T, M, V, C = Label.TRENDING, Label.MEAN_REVERTING, Label.VOLATILE, Label.CRISIS
PARTS = [(M, 500), (T, 500), (V, 150), (M, 500), (T, 500), (C, 200), (M, 600)]
SMALL = Windows(q=2, ratio=20, volatility=5, history=40, least=10)
OPEN, CLOSE = 14 * HOUR, 20 * HOUR
SESSION = Session(OPEN, CLOSE)


def tape_of(prices: NDArray[np.float64], at: NDArray[np.int64]) -> Tape:
    """A narrow quote around each price, a second before the minute's end."""
    cents = np.round(prices * 10_000).astype(np.int64)
    sizes = np.ones(len(prices), dtype=np.int64)
    return build_tape(
        "X",
        price_scale=10_000,
        size_scale=1,
        since=0,
        until=int(at[-1]),
        quotes=Quotes(at - 1_000_000, cents - 1, cents + 1, sizes, sizes),
    )


def day_of(seed: int, minutes: int, open_at: Instant = OPEN) -> Tape:
    random = np.random.default_rng(seed)
    prices = 100 * np.exp(np.cumsum(random.normal(0, 0.001, minutes)))
    at = open_at + MINUTE * np.arange(1, minutes + 1, dtype=np.int64)
    return tape_of(prices, at)


def followed(tape: Tape, moments: list[Instant]) -> Followed:
    of = Followed()
    for now in moments:
        while behind(of, tape, now, SMALL):
            of = follow(of, tape, SESSION, now, SMALL)
    return of


def test_known_regimes_are_found_again() -> None:
    """Measured 0.94 once a label had half of the variance ratio's window to be seen in."""
    seen = hits = 0
    for seed in range(4):
        made = walk(PARTS, seed)
        seen, hits = (a + b for a, b in zip((seen, hits), _scored(made, lag=120), strict=True))
    assert seen > 6000
    assert hits / seen >= 0.9


def _scored(made: Walk, lag: int) -> tuple[int, int]:
    since = seen = hits = 0
    for row, found in enumerate(along(made.bars)):
        truth = made.truth[row]
        since = row if row and made.truth[row - 1] is not truth else since
        if found is None or row - since < lag:
            continue
        # A fast market that fell by the threshold is a crisis, whatever it was made as.
        fell = found.label is C and truth is V and found.components.drawdown >= 0.03
        seen, hits = seen + 1, hits + (found.label is truth or fell)
    return seen, hits


def test_the_future_changes_nothing() -> None:
    """Every bar from 700 on is replaced by another market; what was said before stands."""
    mine, other = walk(PARTS, 1).bars, walk(PARTS, 2).bars
    price = np.concatenate((mine.price[:700], other.price[700:] * 3))
    assert along(replace(mine, price=price))[:700] == along(mine)[:700]
    assert along(bars_of(mine.price[:700])) == along(mine)[:700]


@given(st.integers(0, 50), st.integers(20, 300))
def test_the_future_of_a_tape_changes_nothing(seed: int, minutes: int) -> None:
    now = OPEN + minutes * MINUTE + 12_345_678
    mine, other = day_of(seed, 320), day_of(seed + 1000, 320)
    rows = int(mine.quote_at.searchsorted(now, side="right"))
    columns = {
        name: np.concatenate((getattr(mine, name)[:rows], getattr(other, name)[rows:]))
        for name in ("bid", "ask", "bid_size", "ask_size")
    }
    perturbed = replace(mine, **columns)
    there = followed(mine, [now]).regime()
    assert followed(perturbed, [now]).regime() == there
    assert (there is None) == (minutes < SMALL.least + 1)


@given(st.lists(st.integers(1, 320), max_size=8))
def test_it_does_not_depend_on_how_often_it_is_asked(minutes: list[int]) -> None:
    tape, end = day_of(3, 320), OPEN + 320 * MINUTE
    moments = [OPEN + m * MINUTE + 7 for m in sorted(minutes)]
    assert followed(tape, [*moments, end]).regime() == followed(tape, [end]).regime()


def test_one_at_a_time_is_the_same_as_all_at_once() -> None:
    bars = walk([(M, 60), (V, 60)], 4).bars
    whole = components(bars, 0, SMALL)
    for row in (11, 40, 119):
        cut = Bars(bars.at[: row + 1], bars.price[: row + 1], bars.joined[: row + 1], 390)
        assert components(cut, row, SMALL) == [whole[row]]


@given(st.integers(0, 30), st.floats(0.01, 100))
def test_price_scale_does_not_matter(seed: int, c: float) -> None:
    bars = walk([(M, 80), (V, 40)], seed).bars
    scaled = along(replace(bars, price=bars.price * c), SMALL)
    for mine, theirs in zip(along(bars, SMALL), scaled, strict=True):
        assert (mine is None) == (theirs is None)
        if mine is not None and theirs is not None:
            assert theirs.components.z == pytest.approx(mine.components.z, abs=1e-6)
            assert theirs.components.volatility == pytest.approx(mine.components.volatility)
            assert theirs.components.drawdown == pytest.approx(mine.components.drawdown, abs=1e-9)


@given(st.integers(0, 30))
def test_volatility_does_not_know_up_from_down(seed: int) -> None:
    bars = walk([(M, 80), (V, 40)], seed).bars
    turned = along(replace(bars, price=1e4 / bars.price), SMALL)
    for mine, theirs in zip(along(bars, SMALL), turned, strict=True):
        if mine is not None and theirs is not None:
            assert theirs.components.volatility == pytest.approx(mine.components.volatility)
            assert theirs.components.percentile == pytest.approx(mine.components.percentile)


def test_every_bar_has_one_label_once_there_are_enough() -> None:
    found = along(walk(PARTS, 3).bars)
    assert found[:120] == [None] * 120
    assert all(isinstance(of, Regime) for of in found[120:])
    some = found[-1]
    assert some is not None
    assert regime_from_json(regime_to_json(some)) == some


def test_the_night_is_no_return_and_other_hours_do_not_count() -> None:
    """Two days with a gap of 10 % between them, and quotes before the open."""
    first, second = day_of(5, 300), day_of(6, 300, OPEN + DAY)
    raised = {name: (getattr(second, name) * 11) // 10 for name in ("bid", "ask")}
    both = first.extended(replace(second, **raised))
    # Three minutes after the open: the last five returns are of both days.
    found = followed(both, [OPEN + DAY + 3 * MINUTE]).regime()
    assert found is not None
    assert found.components.volatility < 0.001 * np.sqrt(360) * 2
    early = day_of(7, 60, OPEN - HOUR)
    assert followed(early, [OPEN]).regime() is None
    assert followed(early, [OPEN]).bars is None


def test_the_bounce_between_bid_and_ask_is_not_seen() -> None:
    """Prices are of the middle of a quote, however trades alternate between its sides."""
    made = day_of(8, 320)
    trades = Trades(
        made.quote_at,
        np.where(np.arange(320) % 2, made.bid, made.ask),
        np.ones(320, dtype=np.int64),
    )
    quotes = Quotes(made.quote_at, made.bid, made.ask, made.bid_size, made.ask_size)
    tape = build_tape(
        "X",
        price_scale=10_000,
        size_scale=1,
        since=0,
        until=made.until,
        quotes=quotes,
        trades=trades,
    )
    bars = followed(tape, [OPEN + 320 * MINUTE]).bars
    assert bars is not None
    middles = (made.bid + made.ask) / 2 / 10_000
    assert bars.price.tolist() == pytest.approx(middles[-len(bars) :].tolist(), abs=1e-9)
    # Without quotes there is nothing better than the trades.
    bare = replace(tape, **{name: getattr(tape, name)[:0] for name in QUOTE_COLUMNS})
    traded = followed(bare, [OPEN + 320 * MINUTE]).bars
    assert traded is not None
    assert traded.price[-1] == tape.trade_price[-1] / 10_000


def test_flips_are_few() -> None:
    found = [of for of in along(walk(PARTS, 5).bars) if of is not None]
    flips = sum(a.label is not b.label for a, b in pairwise(found))
    assert 0 < flips <= len(found) / Rules().dwell
