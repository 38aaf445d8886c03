"""`python -m bench.studies.placement --data ../shared/data`: does it pay to rest before crossing?

TWAP orders over half hours on the ticks of IBM and BAC (2013-10-07 and 08), worked in virtual time
by the code that orders use: the same slices at the same moments, buy and sell, under each
placement. Each order completes under each placement; that is asserted. Costs are paired order by
order with crossing; intervals resample half hours.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np

from app.research.batch import Study, run_all
from app.research.options import Queue
from bench.studies.markets import instrument_of, opened, opened_records
from bench.studies.placed_orders import HORIZONS, Fills, Paid, Way, cluster_of, orders, paid
from bench.studies.resampling import Interval, interval
from bench.studies.volumes import LEAN_TICKS

RESULTS = Path(__file__).parent / "placement.json"
SYMBOLS = ("BAC", "IBM")
PASSIVE = ("rest_then_cross", "peg", "step_up")
LATENCIES = (0, 50)
PATIENCES = (10, 36, 160)
"""Seconds beside the default, which is 60 for slices of three minutes; urgency high is 36."""

WAYS = (
    *(Way("cross", latency) for latency in LATENCIES),
    *(Way(placement, latency) for latency in LATENCIES for placement in PASSIVE),
    *(Way(p, latency, Queue.THROUGH) for latency in LATENCIES for p in PASSIVE),
    *(Way(p, 50, patience=patience) for p in PASSIVE for patience in PATIENCES),
)


@dataclass(frozen=True, slots=True)
class Order:
    """`key` is the same under every way."""

    symbol: str
    cluster: str
    key: str
    paid: Paid


@dataclass(frozen=True, slots=True)
class Row:
    """Basis points, positive = cost; `less` are differences from crossing at the same latency,
    negative = cheaper; `less_than_resting` are those from the product's default placement and
    patience at that latency and queue. `saved` is the part of the quoted half spread that was
    saved. `fills` is the part of resting children that filled, `passive` the part of the quantity
    done at rest."""

    symbol: str
    way: Way
    orders: int
    clusters: int
    completed: int
    half_spread: float
    by_slice: float
    by_slice_sd: float
    by_slice_less: Interval
    less_than_resting: Interval | None
    saved: Interval
    arrival: float
    arrival_less: Interval
    passive: float
    fills: float | None
    maker_marks: Sequence[float] | None
    taker_marks: Sequence[float] | None


def worked(data: Path, way: Way, processes: int | None = None) -> list[Order]:
    kept = opened_records(data, LEAN_TICKS)
    parents = [
        parent
        for symbol in SYMBOLS
        for session in kept.stretches(symbol)
        for parent in orders(LEAN_TICKS, instrument_of(data, LEAN_TICKS, symbol), session, way)
    ]
    study = Study(partial(opened, data, way.venue), partial(paid, data, way))
    return [
        Order(
            parent.task.instrument.symbol,
            cluster_of(parent.task.start, parent.task.session.opens_at),
            f"{parent.task.order_id} {parent.task.side}",
            found,
        )
        for parent, found in zip(parents, run_all(study, parents, processes=processes), strict=True)
    ]


def row(
    symbol: str,
    way: Way,
    some: Sequence[Order],
    crossed: Sequence[Order],
    rested: Sequence[Order] = (),
) -> Row:
    """What orders of a symbol paid, against the same orders crossing, and resting by default."""
    mine = {order.key: order for order in some if symbol == order.symbol}
    theirs = {order.key: order.paid for order in crossed}
    completed = sum(o.paid.done == 1 and theirs[key].done == 1 for key, o in mine.items())
    assert completed == len(mine), f"{way}: {len(mine) - completed} orders are not complete"
    clusters = [order.cluster for order in mine.values()]
    half = _mean([order.paid.half_spread for order in mine.values()])

    def less(of: Callable[[Paid], float]) -> Interval:
        return interval([of(o.paid) - of(theirs[key]) for key, o in mine.items()], clusters)

    every = [order.paid for order in mine.values()]
    children = sum(p.rested for p in every)
    usual = {order.key: order.paid for order in rested}
    maker, taker = sum(p.maker.qty for p in every), sum(p.taker.qty for p in every)
    return Row(
        symbol=symbol,
        way=way,
        orders=len(mine),
        clusters=len(set(clusters)),
        completed=completed,
        half_spread=half,
        by_slice=_mean([p.by_slice for p in every]),
        by_slice_sd=float(np.std([p.by_slice for p in every], ddof=1)),
        by_slice_less=less(lambda p: p.by_slice),
        less_than_resting=interval(
            [o.paid.by_slice - usual[key].by_slice for key, o in mine.items()], clusters
        )
        if usual
        else None,
        saved=less(lambda p: -p.by_slice / half),
        arrival=_mean([p.arrival for p in every]),
        arrival_less=less(lambda p: p.arrival),
        passive=maker / (maker + taker),
        fills=sum(p.reached for p in every) / children if children else None,
        maker_marks=_marks([p.maker for p in every]),
        taker_marks=_marks([p.taker for p in every]),
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _marks(fills: Sequence[Fills]) -> list[float] | None:
    """Mean mark-outs at HORIZONS, by quantity."""
    qty = sum(f.qty for f in fills)
    if not qty:
        return None
    return [sum(f.marked[k] for f in fills) / qty for k in range(len(HORIZONS))]


def studied(data: Path, ways: Sequence[Way] = WAYS, processes: int | None = None) -> list[Row]:
    """A row for each symbol and way; crossing comes first, for each latency."""
    crossed: dict[int, list[Order]] = {}
    found: list[Row] = []
    rested: dict[tuple[int, Queue], list[Order]] = {}
    for way in ways:
        some = worked(data, way, processes)
        if way.placement == "cross":
            crossed[way.latency_ms] = some
        if way.placement == "rest_then_cross" and way.patience is None:
            rested[way.latency_ms, way.queue] = some
        usual = rested.get((way.latency_ms, way.queue), ())
        for symbol in SYMBOLS:
            found.append(row(symbol, way, some, crossed[way.latency_ms], usual))
            tell(found[-1])
    return found


HEAD = (
    f"{'symbol':<7}{'placement':<16}{'ms':>3}{'queue':>8}{'wait':>5}{'orders':>7}"
    f"{'half':>6}{'cost':>7}{'sd':>6}{'less than crossing':>24}{'less than resting':>24}"
    f"{'saved of half':>24}{'arrival, less':>24}"
    f"{'passive':>8}{'fills':>6}   mark-outs of passive / crossing after 0, 1 s, 10 s, 1, 5 min"
)


def tell(found: Row) -> None:
    way = found.way
    waits = "–" if way.placement == "cross" else str(way.patience or 60)
    resting = "–" if found.less_than_resting is None else found.less_than_resting.told()
    fills = "–" if found.fills is None else f"{found.fills:.0%}"
    marks = " / ".join(
        "–" if marks is None else " ".join(f"{mark:+.2f}" for mark in marks)
        for marks in (found.maker_marks, found.taker_marks)
    )
    print(
        f"{found.symbol:<7}{way.placement:<16}{way.latency_ms:>3}{way.queue.value:>8}{waits:>5}"
        f"{found.orders:>7}{found.half_spread:>6.2f}{found.by_slice:>+7.2f}"
        f"{found.by_slice_sd:>6.2f}{found.by_slice_less.told():>24}{resting:>24}{found.saved.told():>24}{found.arrival_less.told():>24}"
        f"{found.passive:>8.0%}{fills:>6}   {marks}",
        flush=True,
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.studies.placement")
    parser.add_argument("--data", type=Path, required=True, help="where the market data is")
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    print(HEAD)
    plain = [asdict(found) for found in studied(given.data)]
    given.out.write_text(json.dumps(plain, indent=1, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
