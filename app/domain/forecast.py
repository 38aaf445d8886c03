"""The volume of the rest of a day, expected anew as volume arrives.

A Kalman filter over the completed bins tells the day's level and the local surprise (see
`dynamics`); from there the curve is bent: a bin's share is multiplied by e to the departure that is
expected of it. Weights follow Chen, Feng and Palomar 2016, eq. 41: each is its part of what is
expected from then on, times what is left. Guards after Humphery-Jenner 2011: the sum of weights
never strays more than 10 % of the order from the static curve's, and where the static curve has
80 % of the order behind it, the rest follows the static curve.

Nothing here looks ahead: what is said at a moment depends on bins that are over by then.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise
from math import exp, sqrt
from operator import mul

from app.domain.dynamics import CLOSING_STRETCH, Dynamics, surprise
from app.domain.instant import Instant
from app.domain.session import Session
from app.domain.volume import VolumeCurve

MAX_DEVIATION = 0.1
"""How far the sum of weights may stray from the static curve's, as a fraction of the order."""

ADAPT_UNTIL = 0.8
"""From this part of the expected volume on, the rest follows the static curve."""

OUTLIER = 2.5
"""A bin that surprises by more standard deviations counts as having surprised by this many: a
block print says little about the rest of the day."""

Observed = Sequence[float | None]
"""Volumes of a session's bins from its open on, those that are over; None where unknown."""

_UNKNOWN_LEVEL = 1e4
"""The variance of a level of which nothing is known."""


@dataclass(frozen=True, slots=True)
class _State:
    """What is expected of the next bin, in logarithms: its day's level and its own surprise."""

    level: float
    surprise: float


def session_bins(curve: VolumeCurve, session: Session) -> tuple[Instant, ...]:
    """The edges of a session's bins, in which its volume is observed: the curve's from the open
    on, the last one cut at the close, or repeated up to a close that is later.

    Nothing for a curve that does not adapt.
    """
    if curve.dynamics is None or curve.periodic:
        return ()
    length = curve.edges[-1] - curve.edges[-2]
    beyond = range(curve.edges[-1] + length, session.length + length, length)
    offsets = [edge for edge in (*curve.edges, *beyond) if edge < session.length]
    return (*(session.opens_at + offset for offset in offsets), session.closes_at)


def forecast(curve: VolumeCurve, observed: Observed) -> tuple[float, ...]:
    """The shares of the curve's remaining bins of what they are expected to trade together.

    They sum to 1 (nothing, once no bin is left). With nothing known, for a curve without dynamics
    and from ADAPT_UNTIL on they are the curve's own.
    """
    session = Session(0, curve.edges[-1])
    done = min(len(observed), len(curve.shares))
    left = curve.shares[done:]
    if curve.dynamics is not None and sum(curve.shares[:done]) < ADAPT_UNTIL:
        grid = _grid(curve, session)
        state = next(_states(curve.dynamics, grid, observed, (done,)))
        factors = _factors(curve.dynamics, grid, state, range(done, len(curve.shares)))
        left = tuple(share * factor for share, factor in zip(left, factors, strict=True))
    total = sum(left)
    return tuple(share / total if total > 0 else 1 / len(left) for share in left)


def adaptive_weights(
    curve: VolumeCurve,
    session: Session,
    slots: Sequence[tuple[Instant, Instant]],
    observed: Observed,
) -> tuple[float, ...]:
    """What part of an order belongs to each slot of its window: never negative, 1 in all.

    `slots` are [start, end) in order without gaps; `observed` are the volumes of the session's
    bins (`session_bins`) known by now. A slot's weight depends only on the bins that are over when
    it starts, so it is final from then on, and later bins change later slots alone. The last
    weight is what the others leave.
    """
    return Window(curve, session, slots).weights(observed)


class Window:
    """An order's slots laid over its session's curve once, to be weighed many times."""

    def __init__(
        self, curve: VolumeCurve, session: Session, slots: Sequence[tuple[Instant, Instant]]
    ) -> None:
        masses = [curve.between(session, start, end) for start, end in slots]
        whole = sum(masses)
        if whole <= 0:
            # Nothing is expected to trade: time is the only measure left.
            masses = [float(end - start) for start, end in slots]
        self._static = [mass / sum(masses) for mass in masses]
        self._ahead = [*accumulate(reversed(self._static), initial=0.0)][::-1]
        self._bent: _Bent | None = None
        if curve.dynamics is not None and whole > 0:
            # A session of another length is no usual day: how its level compares to theirs says
            # nothing about its close.
            usual = session.length == curve.edges[-1]
            self._bent = _Bent(curve if usual else curve.unscaled(), session, slots)

    def weights(self, observed: Observed) -> tuple[float, ...]:
        """See `adaptive_weights`."""
        expected = self._bent.parts(observed) if self._bent is not None else iter(())
        weights: list[float] = []
        behind = done = 0.0
        for i, share in enumerate(self._static[:-1]):
            bent = next(expected, None) if behind < ADAPT_UNTIL else None
            if bent is None:
                bent = share, self._ahead[i]
            own, left = bent
            behind += share
            reached = done + (own / left if left > 0 else 0.0) * (1.0 - done)
            reached = min(max(reached, behind - MAX_DEVIATION), behind + MAX_DEVIATION)
            reached = min(max(reached, done), 1.0)
            weights.append(reached - done)
            done = reached
        return (*weights, 1.0 - done)


class _Bent:
    """Slots on a session's bins, under a curve that is bent by what was observed."""

    def __init__(
        self,
        curve: VolumeCurve,
        session: Session,
        slots: Sequence[tuple[Instant, Instant]],
    ) -> None:
        assert curve.dynamics is not None, "nothing bends a curve without dynamics"
        self._dynamics = curve.dynamics
        self._grid = _grid(curve, session)
        edges = self._grid.edges
        self._window = [0.0] * len(self._grid.shares)
        self._slots: list[_Slot] = []
        for start, end in slots:
            over = max(bisect_right(edges, start) - 1, 0)
            pieces = [
                (k, curve.between(session, max(start, edges[k]), min(end, edges[k + 1])))
                for k in range(over, max(bisect_left(edges, end), over))
                if k < len(self._window)
            ]
            first = pieces[0][0] if pieces else len(self._window)
            before = self._window[first] if pieces else 0.0
            for k, mass in pieces:
                self._window[k] += mass
            self._slots.append(_Slot(over, first, before, tuple(pieces)))
        self._until = max(
            (slot.pieces[-1][0] + 1 for slot in self._slots if slot.pieces), default=0
        )

    def parts(self, observed: Observed) -> Iterator[tuple[float, float]]:
        """What each slot, and all from it on, are expected to trade when it starts."""
        known = [min(slot.over, len(observed)) for slot in self._slots]
        last = -1
        states = _states(self._dynamics, self._grid, observed, known)
        for slot, done, state in zip(self._slots, known, states, strict=True):
            if done != last:
                last = done
                factors = _factors(self._dynamics, self._grid, state, range(done, self._until))
                products = map(mul, reversed(self._window[done : self._until]), reversed(factors))
                ahead = [*accumulate(products, initial=0.0)][::-1]
            own = sum(mass * factors[k - done] for k, mass in slot.pieces)
            left = ahead[slot.first - done] if slot.pieces else 0.0
            if slot.before:
                left -= slot.before * factors[slot.first - done]
            yield own, max(left, own)


@dataclass(frozen=True, slots=True)
class _Slot:
    """`over` bins have ended when it starts; of its `first` one, earlier slots had `before`."""

    over: int
    first: int
    before: float
    pieces: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class _Grid:
    """A session's bins: their edges, what the curve expects of each, where the close begins."""

    edges: tuple[Instant, ...]
    shares: tuple[float, ...]
    closing: int


@lru_cache(maxsize=1024)
def _grid(curve: VolumeCurve, session: Session) -> _Grid:
    """One for all orders of a symbol and session."""
    edges = session_bins(curve, session)
    shares = tuple(curve.between(session, a, b) for a, b in pairwise(edges))
    late = bisect_right(edges, session.closes_at - CLOSING_STRETCH - 1)
    return _Grid(edges, shares, min(late, len(shares) - 1))


def _states(
    dynamics: Dynamics, grid: _Grid, observed: Observed, counts: Iterable[int]
) -> Iterator[_State]:
    """What is expected after each of `counts` bins, which never fall."""
    scale = dynamics.level
    spread = dynamics.level_variance if scale is not None else _UNKNOWN_LEVEL
    local, noise, kept = dynamics.surprise_variance, dynamics.noise_variance, dynamics.persistence
    level = here = shared = 0.0
    nearby = local
    k = 0
    for count in counts:
        while k < count:
            volume, share = observed[k], grid.shares[k]
            k += 1
            if scale is None and volume and share > 0:
                # The first bin that traded is no surprise: it makes the scale.
                scale = volume / share
            if volume is not None and share > 0 and scale is not None:
                variance = spread + 2.0 * shared + nearby + noise
                error = surprise(volume, share * scale) - level - here
                bound = OUTLIER * sqrt(variance)
                error = min(max(error, -bound), bound)
                on_level, on_here = (spread + shared) / variance, (nearby + shared) / variance
                level += on_level * error
                here += on_here * error
                nearby -= on_here * (nearby + shared)
                shared -= on_here * (spread + shared)
                spread -= on_level * on_level * variance
            here *= kept
            shared *= kept
            nearby = kept * kept * nearby + (1.0 - kept * kept) * local
        yield _State(level, here)


def _factors(dynamics: Dynamics, grid: _Grid, state: _State, bins: range) -> list[float]:
    """By how much each of the coming `bins` is expected to trade more than the curve says."""
    closing = 1.0 if dynamics.level is None else dynamics.closing
    level, here, kept = state.level, state.surprise, dynamics.persistence
    factors = []
    for k in bins:
        departure = level + here
        factors.append(exp(departure if k < grid.closing else departure * closing))
        here *= kept
    return factors
