"""The parents of the placement study, and what each paid: by slice, by arrival, and afterwards."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.domain.algorithm import complete
from app.domain.algos import BY_NAME
from app.domain.execution import accepted
from app.domain.fact import Filled, Purpose
from app.domain.instant import MILLISECOND, MINUTE, SECOND, Instant, Micros
from app.domain.instrument import Instrument
from app.domain.quantity import Side
from app.domain.session import Session
from app.domain.tape import Tape
from app.domain.task import Task
from app.domain.volume import default_curve
from app.research.batch import Parent
from app.research.entering import order_id
from app.research.options import Latency, Queue, VenueOptions
from app.research.result import Run
from bench.studies.markets import POLICY, market_of, opened

WINDOW = 30 * MINUTE
FIRST = 5 * MINUTE
"""The first window begins so long after the open."""
WINDOWS = 12
SLICES = 10
DRAWS = 2
CHILDREN: Mapping[str, tuple[int, ...]] = {"BAC": (100, 1_000), "IBM": (100,)}
"""Shares of one child: never more than is displayed (IBM seldom shows less than 100)."""

HORIZONS: tuple[Micros, ...] = (0, SECOND, 10 * SECOND, MINUTE, 5 * MINUTE)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Way:
    """How children are placed, and at what kind of venue. Without `patience` (in seconds) it is
    the product's default."""

    placement: str
    latency_ms: int = 0
    queue: Queue = Queue.BACK
    patience: int | None = None

    @property
    def venue(self) -> VenueOptions:
        return VenueOptions(Latency(self.latency_ms * MILLISECOND), queue=self.queue)

    @property
    def params(self) -> dict[str, object]:
        waits = {} if self.patience is None else {"patience": self.patience}
        return {"slices": SLICES, "placement": self.placement, **waits}


@dataclass(frozen=True, slots=True)
class Fills:
    """Fills of one kind: their quantity, and quantity × mark-out in basis points at HORIZONS:
    s × (p − m') / m with m the mid at the fill and m' the one so long after it, positive = cost."""

    qty: float
    marked: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Paid:
    """One order, in basis points, positive = cost. `by_slice`: against the mid when the slice of
    each share began; `arrival`: against the mid when the order did. `half_spread` is what was
    quoted when the slices began. `rested` and `reached` count children that were put to rest, and
    those of them that filled in part or whole."""

    done: float
    by_slice: float
    arrival: float
    half_spread: float
    maker: Fills
    taker: Fills
    rested: int
    reached: int


def orders(layout: str, instrument: Instrument, session: Session, way: Way) -> Iterator[Parent]:
    """Windows × sides × child sizes × draws of one session; the same slices for every way."""
    market = market_of(layout, instrument.symbol, session)
    for number in range(WINDOWS):
        start = session.opens_at + FIRST + number * WINDOW
        for side in Side:
            for child in CHILDREN[instrument.symbol]:
                for draw in range(DRAWS):
                    name = order_id("placement", market, number, child, draw)
                    yield Parent(
                        market,
                        Task(
                            order_id=name,
                            account="research",
                            instrument=instrument,
                            side=side,
                            qty=Decimal(child * SLICES),
                            algo="twap",
                            start=start,
                            end=start + WINDOW,
                            session=session,
                            curve=default_curve(session),
                            seed=name,
                            policy=POLICY,
                            params=complete(BY_NAME["twap"], way.params),
                        ),
                    )


def paid(data: Path, way: Way, parent: Parent, run: Run) -> Paid:
    return measured(opened(data, way.venue, parent.market).tape, run)


def measured(tape: Tape, run: Run) -> Paid:
    task = run.task
    steps = BY_NAME[task.algo].plan(task, accepted(task).anchor).steps
    begun = np.array([step.at for step in steps])
    ends = np.cumsum([float(step.qty) for step in steps])
    mid, half = quoted(tape, begun)
    fills = run.fills
    sizes = [float(fill.qty) for fill in fills]
    costs = []
    for fill, before in zip(fills, np.cumsum([0.0, *sizes])[:-1], strict=True):
        costs.append(_against(task.side, fill, before, ends, mid))
    arrival = float(quoted(tape, np.array([task.start]))[0][0])
    average = float(run.filled_notional / run.execution.filled)
    resting = {child.child_id for child in run.children if child.purpose is Purpose.REST}
    weights = np.diff(ends, prepend=0.0)
    return Paid(
        done=float(run.execution.filled / task.qty),
        by_slice=float(np.average(costs, weights=sizes)),
        arrival=task.side.sign * (average - arrival) / arrival * 10_000,
        half_spread=float(np.average(half / mid, weights=weights)) * 10_000,
        maker=_marked(tape, task.side, [f for f in fills if f.liquidity == "maker"]),
        taker=_marked(tape, task.side, [f for f in fills if f.liquidity != "maker"]),
        rested=len(resting),
        reached=len(resting & {fill.child_id for fill in fills}),
    )


def quoted(tape: Tape, at: npt.NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Mid and half spread at each of these moments, as prices."""
    rows = tape.quote_at.searchsorted(at, side="right") - 1
    assert (rows >= 0).all(), "quotes were known before"
    bid, ask = tape.bid[rows] / tape.price_scale, tape.ask[rows] / tape.price_scale
    return (bid + ask) / 2, (ask - bid) / 2


def _against(side: Side, fill: Filled, before: float, ends: Floats, mid: Floats) -> float:
    """The fill's cost against the mids of the slices that its shares belong to, first come first
    served."""
    price, left, cost = float(fill.price), float(fill.qty), 0.0
    reached = before
    for end, benchmark in zip(ends, mid, strict=True):
        part = min(max(end - reached, 0.0), left)
        cost += part * side.sign * (price - benchmark) / benchmark * 10_000
        reached, left = reached + part, left - part
    return cost / float(fill.qty)


def _marked(tape: Tape, side: Side, fills: Sequence[Filled]) -> Fills:
    if not fills:
        return Fills(0.0, (0.0,) * len(HORIZONS))
    at = np.array([fill.at for fill in fills])
    price = np.array([float(fill.price) for fill in fills])
    qty = np.array([float(fill.qty) for fill in fills])
    then = quoted(tape, at)[0]
    marked = []
    for horizon in HORIZONS:
        later = quoted(tape, at + horizon)[0]
        marked.append(float((qty * side.sign * (price - later) / then * 10_000).sum()))
    return Fills(float(qty.sum()), tuple(marked))


def cluster_of(start: Instant, opens_at: Instant) -> str:
    """Date and half hour: orders of one window share their market, whatever their symbol."""
    return f"{opens_at // (24 * 60 * MINUTE)}/{(start - opens_at) // WINDOW}"
