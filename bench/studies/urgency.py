"""`python -m bench.studies.urgency --data ../shared/data`: what does trading sooner buy?

Implementation shortfall by kappa_t against TWAP, over windows of two hours in SPY's 20 sessions of
January 2011, in virtual time: cost against the arrival mid, positive = cost. The simulated market
does not notice us, so that a mean shows no impact: what is looked at is the spread of costs, which
Almgren and Chriss (2000, eq. 5) say falls with √∫x², x being what is left.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from functools import partial
from math import sqrt
from pathlib import Path

import numpy as np

from app.domain.algorithm import complete
from app.domain.algos import BY_NAME
from app.domain.execution import accepted
from app.domain.instant import MINUTE
from app.domain.instrument import Instrument
from app.domain.quantity import Side
from app.domain.session import Session
from app.domain.task import Task
from app.domain.volume import default_curve
from app.research.batch import Parent, Study, run_all
from app.research.entering import order_id
from app.research.options import VenueOptions
from app.research.result import Run
from bench.studies.markets import POLICY, instrument_of, market_of, opened, opened_records
from bench.studies.resampling import DRAWS, SEED, Interval, interval

RESULTS = Path(__file__).parent / "urgency.json"
LAYOUT, SYMBOL = "spy-2011-minute", "SPY"
KAPPA_T = ("0", "1", "3", "6", "12")
WINDOW = 120 * MINUTE
SLICES = 24
QTY = Decimal(2_400)


@dataclass(frozen=True, slots=True)
class Cost:
    """`cost` against arrival in basis points; `left` = √(∫x² dt / T), by its plan."""

    date: str
    cost: float
    left: float


@dataclass(frozen=True, slots=True)
class Row:
    """`sd_ratio` is the spread of costs over that of TWAP, `expected` what the plans say of it."""

    kappa_t: str
    orders: int
    days: int
    mean: float
    less_than_twap: Interval
    sd: float
    sd_ratio: Interval
    expected: float


def tasks(instrument: Instrument, session: Session) -> Iterator[Parent]:
    """Windows × sides of one session, as TWAP."""
    market = market_of(LAYOUT, SYMBOL, session)
    for start in range(session.opens_at, session.closes_at - WINDOW + 1, WINDOW):
        for side in Side:
            name = order_id("urgency", market, start)
            yield Parent(
                market,
                Task(
                    order_id=name,
                    account="research",
                    instrument=instrument,
                    side=side,
                    qty=QTY,
                    algo="twap",
                    start=start,
                    end=start + WINDOW,
                    session=session,
                    curve=default_curve(session),
                    seed=name,
                    policy=POLICY,
                    params=complete(BY_NAME["twap"], {"slices": SLICES, "placement": "cross"}),
                ),
            )


def sooner(parent: Parent, kappa_t: str) -> Parent:
    given = {"slices": SLICES, "placement": "cross", "kappa_t": kappa_t}
    task = parent.task._replace(algo="is", params=complete(BY_NAME["is"], given))
    return replace(parent, task=task)


def measured(parent: Parent, run: Run) -> Cost:
    task = run.task
    assert run.execution.filled == task.qty, "every order is done"
    assert run.outcome.arrival.bps is not None, "the arrival was quoted"
    return Cost(parent.market, float(run.outcome.arrival.bps), left(task))


def left(task: Task) -> float:
    """√ of the mean of (what is left / whole)² over the window, by the plan."""
    steps = BY_NAME[task.algo].plan(task, accepted(task).anchor).steps
    at = np.array([task.start, *(step.at for step in steps), task.end], dtype=float)
    done = np.cumsum([0.0, *(float(step.qty) for step in steps)]) / float(task.qty)
    return sqrt(float(((1 - done) ** 2 * np.diff(at)).sum()) / (task.end - task.start))


def row(kappa_t: str, some: Sequence[Cost], twap: Sequence[Cost]) -> Row:
    days = [one.date for one in some]
    mine, theirs = np.array([c.cost for c in some]), np.array([c.cost for c in twap])
    return Row(
        kappa_t=kappa_t,
        orders=len(some),
        days=len(set(days)),
        mean=float(mine.mean()),
        less_than_twap=interval(list(mine - theirs), days),
        sd=float(mine.std(ddof=1)),
        sd_ratio=ratio(mine, theirs, days),
        expected=_rms([one.left for one in some]) / _rms([one.left for one in twap]),
    )


def ratio(mine: np.ndarray, theirs: np.ndarray, days: Sequence[str]) -> Interval:
    """The ratio of two standard deviations, and its bootstrap over days."""
    names = sorted(set(days))
    rows = [np.flatnonzero([day == name for day in days]) for name in names]
    random = np.random.default_rng(SEED)
    found = []
    for _ in range(DRAWS // 10):
        chosen = np.concatenate([rows[k] for k in random.integers(len(rows), size=len(rows))])
        found.append(mine[chosen].std(ddof=1) / theirs[chosen].std(ddof=1))
    low, high = np.percentile(found, [2.5, 97.5])
    whole = float(mine.std(ddof=1) / theirs.std(ddof=1))
    return Interval(whole, float(low), float(high), len(names))


def _rms(values: Sequence[float]) -> float:
    return sqrt(sum(value**2 for value in values) / len(values))


def studied(data: Path, processes: int | None = None) -> list[Row]:
    instrument = instrument_of(data, LAYOUT, SYMBOL)
    sessions = opened_records(data, LAYOUT).stretches(SYMBOL)
    parents = [parent for session in sessions for parent in tasks(instrument, session)]
    study = Study(partial(opened, data, VenueOptions()), measured)
    every = [*parents, *(sooner(parent, kappa) for kappa in KAPPA_T for parent in parents)]
    costs = run_all(study, every, processes=processes)
    count = len(parents)
    return [
        row(kappa, costs[k * count : (k + 1) * count], costs[:count])
        for k, kappa in enumerate(("TWAP", *KAPPA_T))
    ]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.studies.urgency")
    parser.add_argument("--data", type=Path, required=True, help="where the market data is")
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    found = studied(given.data)
    print(
        f"{'kappa T':>8}{'orders':>8}{'days':>6}{'mean':>8}{'less than TWAP, bps':>26}{'sd':>8}"
        f"{'sd, of TWAP':>24}{'expected':>10}"
    )
    for one in found:
        print(
            f"{one.kappa_t:>8}{one.orders:>8}{one.days:>6}{one.mean:>+8.2f}"
            f"{one.less_than_twap.told():>26}{one.sd:>8.2f}{one.sd_ratio.told():>24}"
            f"{one.expected:>10.2f}"
        )
    plain = [asdict(one) for one in found]
    given.out.write_text(json.dumps(plain, indent=1, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
