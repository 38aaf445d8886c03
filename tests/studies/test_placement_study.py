"""The study of placement: what it says of a made market, and its reach on real ticks."""

from pathlib import Path

import numpy as np
import pytest

from app.domain.instant import MINUTE, SECOND
from app.domain.quantity import Side
from app.domain.tape import Tape
from app.domain.tape_build import Quotes, Trades, build_tape
from app.research.options import Queue
from bench.studies.placed_orders import HORIZONS, Fills, Paid, Way, measured
from bench.studies.placement import Order, Row, row, worked
from tests.studies.made import OPEN, SESSION, a_tape, a_task, done

BPS = 10_000


@pytest.mark.parametrize("side", list(Side))
def test_crossing_pays_half_the_spread_of_each_slice(side: Side) -> None:
    tape = a_tape(300, 100)
    paid = measured(tape, done(a_task("twap", 200, slices=2, placement="cross", side=side), tape))
    half = (0.01 / 100.01 + 0.01 / 101.01) / 2 * BPS
    assert paid.done == 1
    assert paid.by_slice == pytest.approx(half)
    assert paid.half_spread == pytest.approx(half)
    # Half of the order came a dollar later.
    assert paid.arrival == pytest.approx((side.sign * 0.5 + 0.01) / 100.01 * BPS)
    assert paid.maker.qty == 0
    assert paid.taker.qty == 200
    assert [marked / 200 for marked in paid.taker.marked] == pytest.approx([half] * len(HORIZONS))


def falling(until: int = 60) -> Tape:
    """100.00 × 100.02, sold into at 100.00 after half a minute; a tick lower from then on."""
    at = [OPEN, OPEN + 30 * SECOND]
    return build_tape(
        "XYZ",
        price_scale=100,
        size_scale=1,
        until=SESSION.closes_at,
        quotes=Quotes(at, [10_000, 9_999], [10_002, 10_001], [100, 100], [100, 100]),
        trades=Trades([OPEN + 30 * SECOND], [10_000], [200]),
    )


def test_a_passive_fill_earns_the_half_spread_and_then_loses_a_tick() -> None:
    given = {"slices": 1, "jitter": 0, "patience": 60, "placement": "rest_then_cross"}
    task = a_task("twap", 100, end=OPEN + 2 * MINUTE, **given)
    tape = falling()
    paid = measured(tape, done(task, tape))
    assert paid.by_slice == pytest.approx(-0.01 / 100.01 * BPS)
    assert (paid.rested, paid.reached, paid.maker.qty, paid.taker.qty) == (1, 1, 100, 0)
    # Quotes of a moment come after its prints: the mid of the fill's moment is the lower one.
    assert paid.maker.marked[0] / 100 == pytest.approx(0.0)


def paid(by_slice: float, filled: float = 1.0) -> Paid:
    nothing = Fills(0.0, (0.0,) * len(HORIZONS))
    return Paid(filled, by_slice, by_slice, 2.0, nothing, Fills(1.0, (2.0,) * 5), 0, 0)


def test_differences_are_paired_and_told_in_parts_of_the_half_spread() -> None:
    way, numbers = Way("peg"), range(8)
    crossed = [Order("XYZ", str(n // 2), str(n), paid(2.0 + n)) for n in numbers]
    passive = [Order("XYZ", str(n // 2), str(n), paid(1.0 + n)) for n in numbers]
    found = row("XYZ", way, passive, crossed)
    assert found.by_slice_less.mean == pytest.approx(-1.0)
    assert found.saved.mean == pytest.approx(0.5)
    assert found.saved.low == pytest.approx(0.5)
    assert (found.orders, found.clusters, found.completed) == (8, 4, 8)


def test_an_order_that_is_not_complete_stops_the_study() -> None:
    crossed = [Order("XYZ", "a", "1", paid(2.0))]
    with pytest.raises(AssertionError, match="1 orders are not complete"):
        row("XYZ", Way("peg"), [Order("XYZ", "a", "1", paid(1.0, filled=0.9))], crossed)


def found(data_sets: Path, way: Way) -> dict[str, Row]:
    crossed = worked(data_sets, Way("cross", way.latency_ms), processes=1)
    some = worked(data_sets, way, processes=1)
    return {symbol: row(symbol, way, some, crossed) for symbol in ("BAC", "IBM")}


@pytest.mark.data
@pytest.mark.campaign
@pytest.mark.timeout(600)
def test_resting_first_saves_a_third_of_the_half_spread(data_sets: Path) -> None:
    for symbol, one in found(data_sets, Way("rest_then_cross", 50)).items():
        assert one.completed == one.orders == {"BAC": 192, "IBM": 96}[symbol]
        assert one.clusters == 24
        assert one.saved.low is not None
        assert one.saved.mean > 0.4
        assert one.saved.low > 1 / 3
        assert one.arrival_less.below


@pytest.mark.data
@pytest.mark.campaign
@pytest.mark.timeout(600)
def test_it_does_not_lose_in_an_endless_queue(data_sets: Path) -> None:
    for one in found(data_sets, Way("rest_then_cross", 0, Queue.THROUGH)).values():
        assert one.completed == one.orders
        assert one.by_slice_less.mean < 0
        assert np.isfinite(one.arrival)
