"""How an algorithm spreads an order over the market's volume: what its cost depends on."""

from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from math import inf
from typing import NamedTuple

from app.domain.algorithm import Algorithm, Placement
from app.domain.impact.almgren_2005 import BETA
from app.domain.impact.trajectory import traded_fractions, urgency_pace
from app.domain.instant import DAY, MINUTE, Instant, Micros
from app.domain.session import Session
from app.domain.task import Task
from app.domain.volume import VolumeCurve

PATIENT_SHARE = 0.5
"""The share of what rests first that is expected to cross in the end, before outcomes teach it."""

AT_ONCE: Micros = MINUTE
"""An order taken at once meets about as much volume as a minute brings."""

SLOTS = 12
"""Into how many stretches a window is cut to hold a schedule against the volume curve."""

FRONT_LOADED = "is"
"""The algorithm whose schedule is Almgren and Chriss's."""

FOLLOW_VOLUME = ("vwap", "pov")
"""Those whose schedule is the volume's; all others follow the clock."""

RATE = "rate"
"""The parameter of an algorithm that trades a share of the market's volume, own included."""

# Short: they stand with every order.
HALF_CROSSES = "half of what rests first crosses in the end"
REST_IS_FREE = "fills at rest cost nothing against the mid"
"""Adverse selection is taken to use up the half spread they earn: at the back of a queue a resting
order is worth about nothing (Moallemi and Yuan; quant.md 12)."""
A_MINUTE = "taken at once, it meets a usual minute's volume"
CAPPED = "the maximum participation binds: part may be left"
IF_REACHED = "the market comes to the limit price"

_LEAST_SHARE = 0.05
"""Of an even share: a stretch in which a curve has next to nothing is not priced without end."""


class Pace(NamedTuple):
    """A schedule held against the volume curve; days are shares of a usual day's volume.

    `aggressive` is the share that crosses the spread, `days` what the market trades meanwhile,
    `slowest_days` what it trades until the session ends. `haste` is the mean over the schedule of
    (own share / volume share)^(3/5), which turns K at X/V into K at this pace, and `risk_days`
    the integral of the squared fraction that is left, over volume: T/3 for an even pace.
    """

    aggressive: float
    days: float
    slowest_days: float
    haste: float
    risk_days: float
    assumptions: tuple[str, ...]


def pace_of(task: Task, algorithm: Algorithm, daily_volume: Decimal | None) -> Pace:
    """The pace of a task, by what its algorithm says of itself and by its parameters."""
    aggressive, assumptions = _aggressive(task, algorithm)
    start, end = task.start, task.end
    if aggressive == 1 and not algorithm.windowed:
        end = min(start + AT_ONCE, end)
        assumptions = (*assumptions, A_MINUTE)
    even = not algorithm.windowed or algorithm.name in FOLLOW_VOLUME
    laid = _laid(task.curve, task.session, start, end, even, _kappa_t(task, algorithm))
    days, haste, risk = laid.days, laid.haste, laid.risk_days
    cap = _cap(task, daily_volume)
    if RATE in task.params:
        # Along the market at a rate: the volume that this takes, a minute's at least.
        least = _volume(task.curve, task.session, start, min(start + AT_ONCE, end))
        days = min(max(1 / cap, least), days)
        haste, risk = (1 / days) ** BETA, days / 3
    if cap * days < 1 - 1e-9:
        assumptions = (*assumptions, CAPPED)
    if cap < laid.steepest:
        haste = sum(traded * min(traded / volume, cap) ** BETA for traded, volume in laid.slots)
    return Pace(aggressive, days, laid.slowest_days, haste, risk, assumptions)


def _aggressive(task: Task, algorithm: Algorithm) -> tuple[float, tuple[str, ...]]:
    """The share that crosses the spread, and what that assumes."""
    placement = task.params.get("placement", algorithm.placement)
    if placement == Placement.AT_LIMIT:
        return 0.0, (IF_REACHED, REST_IS_FREE)
    if placement == Placement.CROSS:
        return 1.0, ()
    return PATIENT_SHARE, (HALF_CROSSES, REST_IS_FREE)


def _kappa_t(task: Task, algorithm: Algorithm) -> float:
    if algorithm.name != FRONT_LOADED:
        return 0.0
    given = task.params.get("kappa_t")
    return urgency_pace(task.urgency) if given is None else float(given)


def _cap(task: Task, daily_volume: Decimal | None) -> float:
    """The largest own share over volume share that limits allow, their shares own included."""
    bounds = [task.max_participation, task.params.get(RATE)]
    shares = [float(share) for share in bounds if share is not None]
    if not shares or not daily_volume:
        return inf
    return min(shares) / (1 - min(shares)) * float(daily_volume) / float(task.qty)


class _Laid(NamedTuple):
    """A schedule laid over the curve: fractions of the order with the volume they meet, and the
    largest of one over the other."""

    slots: tuple[tuple[float, float], ...]
    days: float
    slowest_days: float
    haste: float
    risk_days: float
    steepest: float


@lru_cache(maxsize=1024)
def _laid(
    curve: VolumeCurve,
    session: Session,
    start: Instant,
    end: Instant,
    even: bool,
    kappa_t: float,
) -> _Laid:
    """Many orders meet the same market in the same moment: it is laid out once for them.

    `even` follows the volume; otherwise the clock, as Almgren and Chriss do at `kappa_t` (0:
    evenly).
    """
    days = _volume(curve, session, start, end)
    latest = max(min(session.closes_at, start + DAY), end)
    slowest = max(_volume(curve, session, start, latest), days)
    if even:
        return _Laid(((1.0, days),), days, slowest, days**-BETA, days / 3, 1.0 / days)
    edges = [start + (end - start) * k // SLOTS for k in range(SLOTS + 1)]
    volumes = [_volume(curve, session, a, b) for a, b in pairwise(edges)]
    slots = tuple(zip(traded_fractions(kappa_t / SLOTS, SLOTS), volumes, strict=True))
    risk, left = 0.0, 1.0
    for traded, volume in slots:
        after = max(left - traded, 0.0)
        risk += volume * (left * left + left * after + after * after) / 3
        left = after
    haste = sum(traded * (traded / volume) ** BETA for traded, volume in slots)
    steepest = max(traded / volume for traded, volume in slots)
    return _Laid(slots, days, slowest, haste, risk, steepest)


def _volume(curve: VolumeCurve, session: Session, start: Instant, end: Instant) -> float:
    """The share of a day's volume in a stretch, never quite nothing."""
    even = (end - start) / max(min(session.length, DAY), 1)
    return max(curve.between(session, start, end), _LEAST_SHARE * even, 1e-9)
