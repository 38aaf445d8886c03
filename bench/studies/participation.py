"""`python -m bench.studies.participation --data ../shared/data`: does POV keep its rate?

POV orders over half hours on IBM ticks (2013-10-07 and 08) in virtual time, large enough never to
end. Own volume can pass the rate only where it grows: it is checked after every fill, which is
every moment that matters. Above by more than one child is a mistake and stops the study; below is
reported.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from functools import partial
from itertools import groupby
from pathlib import Path

from app.domain.algorithm import complete
from app.domain.algos import BY_NAME
from app.domain.instant import MILLISECOND
from app.domain.quantity import Side
from app.domain.session import Session
from app.domain.tape import Tape
from app.domain.task import Task
from app.domain.volume import default_curve
from app.research.batch import Parent, Study, run_all
from app.research.entering import order_id
from app.research.options import Latency, VenueOptions
from app.research.result import Run
from bench.studies.markets import POLICY, instrument_of, market_of, opened, opened_records
from bench.studies.placed_orders import FIRST, WINDOW, WINDOWS, cluster_of
from bench.studies.resampling import Interval, interval
from bench.studies.volumes import LEAN_TICKS

RESULTS = Path(__file__).parent / "participation.json"
SYMBOL = "IBM"
RATES = ("0.02", "0.05", "0.1", "0.2")
PLACEMENTS = ("cross", "rest_then_cross", "peg")
CHILDREN = ((100, 0), (100, 50), (300, 50))
"""Shares of one child, and milliseconds of latency."""
ENDLESS = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Kept:
    """One order. `above` is the most by which own volume passed rate × (own + others) at any
    moment, in children; `share` is own / (own + others) at the end of the window."""

    cluster: str
    above: float
    share: float
    children: int


@dataclass(frozen=True, slots=True)
class Row:
    """`short` is how far the share at the end is below the rate, as a part of the rate."""

    child: int
    rate: str
    placement: str
    latency_ms: int
    orders: int
    clusters: int
    most_above: float
    share: Interval
    short: float
    children: float


def orders(session: Session, data: Path, rate: str, placement: str, child: int) -> Iterator[Parent]:
    """Windows × sides of one session."""
    market = market_of(LEAN_TICKS, SYMBOL, session)
    given = {"rate": rate, "child": child, "placement": placement}
    for number in range(WINDOWS):
        start = session.opens_at + FIRST + number * WINDOW
        for side in Side:
            name = order_id("participation", market, number)
            yield Parent(
                market,
                Task(
                    order_id=name,
                    account="research",
                    instrument=instrument_of(data, LEAN_TICKS, SYMBOL),
                    side=side,
                    qty=ENDLESS,
                    algo="pov",
                    start=start,
                    end=start + WINDOW,
                    session=session,
                    curve=default_curve(session),
                    seed=name,
                    policy=POLICY,
                    params=complete(BY_NAME["pov"], given),
                ),
            )


def kept(data: Path, venue: VenueOptions, parent: Parent, run: Run) -> Kept:
    return measured(opened(data, venue, parent.market).tape, run)


def measured(tape: Tape, run: Run) -> Kept:
    task, own, above = run.task, Decimal(0), Decimal(0)
    rate, child = task.params["rate"], task.params["child"]
    for at, fills in groupby(run.fills, key=lambda fill: fill.at):
        own += sum(fill.qty for fill in fills)
        others = tape.traded(task.start, at).volume
        above = max(above, own - rate * (own + others))
    others = tape.traded(task.start, task.end).volume
    return Kept(
        cluster=cluster_of(task.start, task.session.opens_at),
        above=float(above / child),
        share=float(own / (own + others)),
        children=len(run.children),
    )


def studied(data: Path, processes: int | None = None) -> list[Row]:
    sessions = opened_records(data, LEAN_TICKS).stretches(SYMBOL)
    found: list[Row] = []
    for child, latency in CHILDREN:
        venue = VenueOptions(Latency(latency * MILLISECOND))
        study = Study(partial(opened, data, venue), partial(kept, data, venue))
        for placement in PLACEMENTS:
            for rate in RATES:
                parents = [p for s in sessions for p in orders(s, data, rate, placement, child)]
                results = run_all(study, parents, processes=processes)
                found.append(row(child, rate, placement, latency, results))
                tell(found[-1])
    return found


def row(child: int, rate: str, placement: str, latency: int, results: Sequence[Kept]) -> Row:
    most = max(result.above for result in results)
    assert most <= 1, f"{placement} at {rate}: {most} children above the rate"
    share = interval([r.share for r in results], [r.cluster for r in results])
    return Row(
        child=child,
        rate=rate,
        placement=placement,
        latency_ms=latency,
        orders=len(results),
        clusters=share.clusters,
        most_above=most,
        share=share,
        short=1 - share.mean / float(rate),
        children=sum(r.children for r in results) / len(results),
    )


def tell(found: Row) -> None:
    print(
        f"{found.placement:<16}{found.child:>6}{found.latency_ms:>4}{found.rate:>6}{found.orders:>7}"
        f"{found.most_above:>7.2f}{found.share.told(4):>28}{found.short:>8.1%}"
        f"{found.children:>9.1f}",
        flush=True,
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.studies.participation")
    parser.add_argument("--data", type=Path, required=True, help="where the market data is")
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    print(
        f"{'placement':<16}{'child':>6}{'ms':>4}{'rate':>6}{'orders':>7}{'above':>7}"
        f"{'share at the end':>28}{'short':>8}{'children':>9}"
    )
    plain = [asdict(found) for found in studied(given.data)]
    given.out.write_text(json.dumps(plain, indent=1, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
