"""A made market whose answers are known: 100.00 × 100.02 in the first half of the day, a dollar
more in the second."""

from decimal import Decimal
from typing import Any

import numpy as np

from app.domain.algorithm import complete
from app.domain.algos import BY_NAME
from app.domain.instant import DAY, HOUR, MINUTE, SECOND
from app.domain.instrument import Instrument
from app.domain.quantity import Side
from app.domain.session import Session
from app.domain.tape import Tape
from app.domain.tape_build import Quotes, Trades, build_tape
from app.domain.task import Policy, Task
from app.domain.volume import VolumeCurve, default_curve
from app.research.entering import order_id
from app.research.options import Latency, VenueOptions
from app.research.result import Run
from app.research.run import Scene, run

OPEN = 19_700 * DAY + 14 * HOUR + 30 * MINUTE
SESSION = Session(OPEN, OPEN + 390 * MINUTE)
HALF = OPEN + 195 * MINUTE
STOCK = Instrument("XYZ", Decimal("0.01"), Decimal(1), Decimal(1), "XNYS")


def a_tape(first: int, second: int) -> Tape:
    """A print at the mid every ten seconds, of `first` shares in the first half, then `second`."""
    at = np.arange(OPEN, SESSION.closes_at, 10 * SECOND)
    later = at >= HALF
    mid = np.where(later, 10_101, 10_001)
    shown = np.full(len(at), 10_000)
    return build_tape(
        "XYZ",
        price_scale=100,
        size_scale=1,
        until=SESSION.closes_at,
        quotes=Quotes(at, mid - 1, mid + 1, shown, shown, at, at),
        trades=Trades(at, mid, np.where(later, second, first)),
    )


def a_task(algo: str, qty: int, curve: VolumeCurve | None = None, **params: Any) -> Task:
    """Over the whole session; `side` and `end` may be among the parameters."""
    side, end = params.pop("side", Side.BUY), params.pop("end", SESSION.closes_at)
    name = order_id("made", algo, side.value, qty)
    return Task(
        order_id=name,
        account="research",
        instrument=STOCK,
        side=side,
        qty=Decimal(qty),
        algo=algo,
        start=OPEN,
        end=end,
        session=SESSION,
        curve=curve or default_curve(SESSION),
        seed=name,
        policy=Policy(10 * MINUTE, Decimal("0.05")),
        params=complete(BY_NAME[algo], params),
    )


def done(task: Task, tape: Tape) -> Run:
    return run(task, Scene(tape, (SESSION,), venue=VenueOptions(Latency(0))))
