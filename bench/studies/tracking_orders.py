"""The parents of the tracking study: the same orders under each schedule, and what they missed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.domain.algorithm import complete
from app.domain.algos import BY_NAME
from app.domain.instant import MINUTE, Instant, Micros
from app.domain.instrument import Instrument
from app.domain.quantity import Side, floor_to
from app.domain.tape import Tape
from app.domain.task import Task
from app.domain.volume import VolumeCurve
from app.research.batch import Parent
from app.research.entering import order_id
from app.research.options import VenueOptions
from app.research.result import Run
from bench.studies.markets import POLICY, market_of, opened
from bench.studies.volumes import Day

WHOLE, TWO_HOURS = "day", "2 h"
SCHEDULES = ("twap", "static", "adaptive")
DRAWS = {"cross": 2, "rest_then_cross": 1}
"""How often each order is worked, with other random slice times; the same for each schedule."""

SLICE = 5 * MINUTE
SLOT = 15 * MINUTE
"""In slots of this length, done and market are compared."""

SIZE = 0.001
"""An order is this share of the trailing mean volume of its window."""

Shares = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Asked:
    """One order under one schedule; `key` is the same for all three."""

    kind: str
    schedule: str
    key: str
    parent: Parent


@dataclass(frozen=True, slots=True)
class Missed:
    """`error` = |average price − market VWAP of the window| in basis points of the latter.
    `misplaced` = ½ Σ |share done − share of the market's volume| over slots of SLOT: the part of
    the order that was done in another slot than the market's volume. `schedule` is the part of the
    error that this explains: |Σ (share done − share of the market) × market VWAP| over slots of
    SLICE, in basis points; the rest of the error comes from within slots and from the spread. `own`
    is the order's part of the market's volume."""

    error: float
    schedule: float
    misplaced: float
    filled: float
    own: float


def windows(day: Day) -> Iterator[tuple[str, Instant, Instant]]:
    session = day.session
    yield WHOLE, session.opens_at, session.closes_at
    length = 120 * MINUTE
    for start in range(session.opens_at, session.closes_at - length + 1, length):
        yield TWO_HOURS, start, start + length


def orders(
    layout: str, instrument: Instrument, day: Day, curve: VolumeCurve, usual: float, placement: str
) -> Iterator[Asked]:
    """Every order of one day: windows × sides × draws × schedules. `usual` is the trailing mean
    daily volume, `curve` what the days before tell."""
    session = day.session
    market = market_of(layout, instrument.symbol, session)
    for kind, start, end in windows(day):
        expected = usual * curve.between(session, start, end)
        slices = (end - start) // SLICE
        qty = max(floor_to(Decimal(SIZE * expected), instrument.lot), slices * instrument.lot)
        for side in Side:
            for draw in range(DRAWS[placement]):
                name = order_id("vwap tracking", market, start, end, draw)
                task = Task(
                    order_id=name,
                    account="research",
                    instrument=instrument,
                    side=side,
                    qty=qty,
                    algo="twap",
                    start=start,
                    end=end,
                    session=session,
                    curve=curve,
                    seed=name,
                    policy=POLICY,
                )
                for schedule in SCHEDULES:
                    scheduled = under(task, schedule, slices, placement)
                    yield Asked(kind, schedule, f"{name} {side}", Parent(market, scheduled))


def under(task: Task, schedule: str, slices: int, placement: str) -> Task:
    """The same order by another schedule: same slots, same random times, other sizes."""
    given = {"slices": slices, "placement": placement}
    if schedule == "twap":
        return task._replace(algo="twap", params=complete(BY_NAME["twap"], given))
    given["adaptive"] = "on" if schedule == "adaptive" else "off"
    return task._replace(algo="vwap", params=complete(BY_NAME["vwap"], given))


def missed(data: Path, parent: Parent, run: Run) -> Missed:
    return measured(opened(data, VenueOptions(), parent.market).tape, run)


def measured(tape: Tape, run: Run) -> Missed:
    """How far the order was from its window's market, own fills not among it."""
    task = run.task
    traded = tape.traded(task.start - 1, task.end - 1)
    edges = slots(task.start, task.end, SLICE)
    parts = [tape.traded(start - 1, end - 1) for start, end in pairwise(edges)]
    market = np.array([float(part.volume) for part in parts])
    prices = np.array([float(part.vwap or traded.vwap) for part in parts])
    own, _ = np.histogram(
        [fill.at for fill in run.fills], edges, weights=[float(fill.qty) for fill in run.fills]
    )
    away = own / own.sum() - market / market.sum()
    filled = run.execution.filled
    assert traded.vwap is not None, "somebody traded in hours"
    average = run.filled_notional / filled
    return Missed(
        error=float(abs(average - traded.vwap) / traded.vwap * 10_000),
        schedule=float(abs(away @ prices)) / float(traded.vwap) * 10_000,
        misplaced=misplaced(away),
        filled=float(filled / task.qty),
        own=float(filled / traded.volume),
    )


def slots(start: Instant, end: Instant, length: Micros) -> Sequence[Instant]:
    return [*range(start, end, length), end]


def misplaced(away: Shares) -> float:
    """Half the sum over slots of SLOT of what each is away, given in slots of SLICE: 0 for the same
    shape, at most 1."""
    summed = np.add.reduceat(away, np.arange(0, len(away), SLOT // SLICE))
    return float(np.abs(summed).sum() / 2)
