"""A market that notices us, latency that is drawn, and quotes made around prints."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from app.domain.fact import TimeInForce
from app.domain.instant import MILLISECOND, MINUTE, SECOND
from app.domain.quantity import Side
from app.domain.tape import Tape
from app.domain.venue.records import Execution, Liquidity, Order
from app.research.impact import Impact, ImpactedTape
from app.research.options import Latency, VenueOptions
from app.research.result import Run
from app.research.run import run
from app.research.spread import with_spread
from tests.research.markets import a_parent, days, made_up, opened

ADV = Decimal(1_000_000)


def a_day() -> Tape:
    return made_up().tape("ACME", days("ACME", 1)[0])


def fill(tape: Tape, side: Side, qty: int, at: int) -> Execution:
    order = Order(1, "c", "ACME", side, Decimal(qty), Decimal(100), TimeInForce.IOC, at, at, at)
    return Execution(1, order, Decimal(qty), Decimal(100), Decimal(0), Liquidity.TAKER, at, at)


@pytest.mark.parametrize("side", list(Side))
def test_impact_follows_its_formula(side: Side) -> None:
    tape = a_day()
    at = tape.since + 60 * MINUTE
    impact = Impact(ADV, permanent=0.5, temporary=0.04, half_life=10 * MINUTE)
    moved = ImpactedTape(tape, impact, Decimal("0.01"))
    moved.count(fill(tape, side, 10_000, at))
    later = tape.quote_at > at
    assert (moved.tape.bid[~later] == tape.bid[~later]).all()
    assert (moved.tape.bid_at == tape.bid_at).all()
    for minutes in (0, 10, 200):
        row = int(tape.quote_at.searchsorted(at + minutes * MINUTE + 1))
        since = int(tape.quote_at[row]) - at
        fraction = 0.5 * 0.01 + 0.04 * 0.1 * 2 ** (-since / (10 * MINUTE))
        cents = round(100 * fraction * 100)
        assert moved.tape.bid[row] - tape.bid[row] == side.sign * cents
        assert moved.tape.ask[row] - tape.ask[row] == side.sign * cents
    volume = moved.tape.traded(at, tape.until)
    assert volume.volume == tape.traded(at, tape.until).volume
    assert side.sign * (volume.notional - tape.traded(at, tape.until).notional) > 0


def test_a_fill_in_parts_moves_the_market_like_one() -> None:
    """Square roots added up would make a hundred parts ten times as dear."""
    tape = a_day()
    at = tape.since + 60 * MINUTE
    impact = Impact(ADV, permanent=0.5, temporary=0.04, half_life=10 * MINUTE)
    whole, parts = (ImpactedTape(tape, impact, Decimal("0.01")) for _ in range(2))
    whole.count(fill(tape, Side.BUY, 10_000, at))
    for _ in range(100):
        parts.count(fill(tape, Side.BUY, 100, at))
    assert np.abs(whole.tape.bid - parts.tape.bid).max() <= 1
    assert np.abs(whole.tape.trade_price - parts.tape.trade_price).max() <= 1


def worked(venue: VenueOptions, **changes: object) -> Run:
    parent = a_parent("ACME", 0, 2, slices=20)
    task = parent.task._replace(qty=Decimal(40_000), end=parent.task.start + 90 * MINUTE, **changes)
    return run(task, replace(opened(parent.market), venue=venue))


def test_impact_costs_and_nothing_is_lost() -> None:
    still, noticed = (
        worked(VenueOptions(Latency(0), impact=impact))
        for impact in (None, Impact(ADV, permanent=0.1, temporary=0.01))
    )
    for done in (still, noticed):
        assert done.execution.filled == 40_000
        assert sum(f.qty for f in done.fills) == 40_000
    assert still.outcome.arrival.bps is not None
    assert noticed.outcome.arrival.bps is not None
    # 4 % of the day's volume: 40 bps for good at its end, half of it on average.
    assert noticed.outcome.arrival.bps - still.outcome.arrival.bps > 15


def test_no_impact_is_the_market_as_it_was() -> None:
    without = worked(VenueOptions(Latency(0)))
    nothing = worked(VenueOptions(Latency(0), impact=Impact(ADV)))
    assert list(without.fills) == list(nothing.fills)
    assert list(without.children) == list(nothing.children)


def test_drawn_latency_is_bounded_seeded_and_never_overtakes() -> None:
    latency = Latency(2 * MILLISECOND, spread=30 * MILLISECOND)
    drawn = [latency.draw("seed", "sent", number) for number in range(2_000)]
    assert drawn == [latency.draw("seed", "sent", number) for number in range(2_000)]
    assert min(drawn) < 2_200
    assert 31_800 < max(drawn) <= 32 * MILLISECOND
    one, again = (worked(VenueOptions(latency)) for _ in range(2))
    assert (one.children, one.fills) == (again.children, again.fills)
    assert [f.at for f in one.fills] == sorted(f.at for f in one.fills)


def test_a_spread_around_prints() -> None:
    tape, instrument = a_day(), made_up().instrument("ACME")
    assert instrument is not None
    for ticks in (1, 2, 5):
        quoted = with_spread(tape, instrument, ticks=ticks, shown=Decimal(300))
        assert (quoted.ask - quoted.bid == ticks).all()
        assert (quoted.bid <= quoted.trade_price).all()
        assert (quoted.trade_price <= quoted.ask).all()
        quote = quoted.quote(tape.since + 100 * SECOND)
        assert quote is not None
        assert (quote.bid_size, quote.ask_size) == (300, 300)
    assert np.shares_memory(quoted.trade_price, tape.trade_price)
    with pytest.raises(ValueError, match="at least a tick"):
        with_spread(tape, instrument, ticks=0, shown=Decimal(1))
