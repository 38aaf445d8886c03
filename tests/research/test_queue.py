"""What a resting order assumes of the queue: the paper broker's, or nothing but prints beyond."""

from decimal import Decimal

import pytest

from app.domain.algorithm import complete
from app.domain.algos import BY_NAME
from app.domain.instant import MINUTE, SECOND
from app.domain.instrument import Instrument
from app.domain.quantity import Side
from app.domain.session import Session
from app.domain.tape import Tape
from app.domain.tape_build import Quotes, Trades, build_tape
from app.domain.task import Policy, Task
from app.domain.volume import default_curve
from app.research.entering import order_id
from app.research.options import Latency, Queue, VenueOptions
from app.research.result import Run
from app.research.run import Scene, run

OPEN = 19_700 * 24 * 60 * MINUTE
SESSION = Session(OPEN, OPEN + 390 * MINUTE)
STOCK = Instrument("XYZ", Decimal("0.01"), Decimal(1), Decimal(1), "XNYS")


def a_tape(scale: int, side: Side) -> Tape:
    """100.00 × 100.02 with 500 shown; prints at the near touch, later a tick beyond it."""
    near, beyond = (10_000, 9_999) if side is Side.BUY else (10_002, 10_003)
    unit = scale // 100
    at = [OPEN + second * SECOND for second in (10, 20, 30)]
    moved = (9_999, 10_001) if side is Side.BUY else (10_001, 10_003)
    return build_tape(
        "XYZ",
        price_scale=scale,
        size_scale=1,
        until=SESSION.closes_at,
        quotes=Quotes(
            [OPEN, OPEN + 25 * SECOND],
            [10_000 * unit, moved[0] * unit],
            [10_002 * unit, moved[1] * unit],
            [500, 500],
            [500, 500],
        ),
        trades=Trades(at, [near * unit, near * unit, beyond * unit], [400, 400, 50]),
    )


def rested(tape: Tape, side: Side, queue: Queue) -> Run:
    task = Task(
        order_id=order_id("queue", side.value),
        account="research",
        instrument=STOCK,
        side=side,
        qty=Decimal(100),
        algo="twap",
        start=OPEN,
        end=OPEN + 2 * MINUTE,
        session=SESSION,
        curve=default_curve(SESSION),
        seed="one",
        policy=Policy(10 * MINUTE, Decimal("0.05")),
        params=complete(BY_NAME["twap"], {"slices": 1, "jitter": 0, "patience": 60}),
    )
    return run(task, Scene(tape, (SESSION,), venue=VenueOptions(Latency(0), queue=queue)))


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("scale", [100, 10_000])
def test_prints_at_the_limit_fill_behind_the_queue_or_never(scale: int, side: Side) -> None:
    tape = a_tape(scale, side)
    limit = Decimal("100.00") if side is Side.BUY else Decimal("100.02")
    told = {}
    for queue in Queue:
        done = rested(tape, side, queue)
        assert done.execution.filled == 100
        assert {f.liquidity for f in done.fills} == {"maker", "taker"} or queue is Queue.BACK
        told[queue] = [(f.at - OPEN, f.qty, f.price) for f in done.fills if f.liquidity == "maker"]
    # 500 were ahead: the second print of 400 comes to us with 300 of it, of which 100 are enough.
    assert told[Queue.BACK] == [(20 * SECOND, 100, limit)]
    # What printed beyond, and no more of it than there was.
    assert told[Queue.THROUGH] == [(30 * SECOND, 50, limit)]
