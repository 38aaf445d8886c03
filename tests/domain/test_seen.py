"""What an order may see of its market: since its start, and since its plan's anchor."""

from dataclasses import replace
from decimal import Decimal

from app.domain.execution import accepted
from app.domain.instant import MINUTE
from app.domain.market import Anchored
from app.domain.seen import View, seen
from app.domain.tape_build import Trades, build_tape
from app.domain.task import Anchor
from tests.domain.tasks import OPEN, SESSION, a_task

D = Decimal


def test_volume_counts_from_the_start_and_from_the_anchor() -> None:
    """Own fills are taken out where the tape holds them, and a part is made the whole."""
    trades = Trades([OPEN + k * MINUTE for k in (1, 2, 3, 4)], [100] * 4, [10, 20, 40, 80])
    since, until = OPEN - MINUTE, OPEN + 10 * MINUTE
    tape = build_tape("XYZ", price_scale=1, size_scale=1, since=since, until=until, trades=trades)
    order = accepted(a_task("pov"))
    now = OPEN + 4 * MINUTE
    market = seen(tape, View((SESSION,)), order, now)
    assert (market.volume, market.anchored) == (150, Anchored(D(150), D(0)))
    resumed = replace(order, anchor=Anchor(OPEN + 2 * MINUTE, D(5)), filled=D(12))
    market = seen(tape, View((SESSION,)), resumed, now)
    assert (market.volume, market.anchored) == (150, Anchored(D(120), D(0)))
    view = View((SESSION,), volume_coverage=D("0.5"), own_volume_included=True)
    market = seen(tape, view, resumed, now)
    assert (market.volume, market.own_volume) == (288, 12)
    assert market.anchored == Anchored(D(233), D(7))
