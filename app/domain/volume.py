"""Volume curves: how a day's volume is spread over a session."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate

from app.domain.dynamics import Dynamics, learned
from app.domain.instant import DAY, MINUTE, Instant, Micros
from app.domain.session import Session

BIN: Micros = 5 * MINUTE
PERIODIC_BIN: Micros = 60 * MINUTE
"""Of curves made from history: in a session that closes, and round the clock."""


@dataclass(frozen=True, slots=True)
class VolumeCurve:
    """Shares of a day's volume over bins of its session.

    `edges` are microseconds from the open (from midnight UTC where `periodic`), one more than
    `shares`; `shares` sum to 1. `source` says where the curve comes from, for the order's answer.
    `dynamics` is how days depart from it (see `forecast`); a curve without stays as it is, and only
    one with bins of one length has any.
    """

    edges: tuple[Micros, ...]
    shares: tuple[float, ...]
    periodic: bool
    source: str
    dynamics: Dynamics | None = None
    _sums: tuple[float, ...] = field(init=False, repr=False, compare=False)
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_sums", tuple(accumulate(self.shares, initial=0.0)))
        # Of numbers alone, whose hash every process agrees on: curves travel between them.
        object.__setattr__(self, "_hash", hash((self.edges, self.shares, self.periodic)))

    def __hash__(self) -> int:
        # Asked for every order, of what is remembered by curve; there are hundreds of numbers.
        return self._hash

    def unscaled(self) -> "VolumeCurve":
        """For a day of which an unknown part is observed: it is followed without regard to how
        much a usual day trades."""
        if self.dynamics is None:
            return self
        return replace(self, dynamics=replace(self.dynamics, level=None))

    def between(self, session: Session, start: Instant, end: Instant) -> float:
        """The share of a session's volume expected in [start, end), before renormalising.

        A session shorter than the curve (a half day) keeps the curve's two ends and loses its
        middle; a longer one repeats its middle. Callers divide by what remains of the session,
        so late starts renormalise by themselves.
        """
        if self.periodic:
            share = self._periodic(start, end)
        else:
            share = self._mass(session, end) - self._mass(session, start)
        # Over an empty bin the difference of two sums may miss zero by a rounding.
        return max(share, 0.0)

    def _mass(self, session: Session, at: Instant) -> float:
        offset = min(max(at - session.opens_at, 0), session.length)
        length, half = self.edges[-1], min(session.length, self.edges[-1]) // 2
        if offset <= half:
            return self._cumulative(offset)
        to_close = session.length - offset
        if to_close <= half:
            gap = session.length - 2 * half
            middle = self._middle(gap, half) if session.length > length else 0.0
            return (
                self._cumulative(half)
                + middle
                + self._cumulative(length - to_close)
                - self._cumulative(length - half)
            )
        return self._cumulative(half) + self._middle(offset - half, half)

    def _middle(self, stretch: Micros, half: Micros) -> float:
        # Beyond the curve's own length, the density around its middle goes on.
        around = min(half, 30 * MINUTE)
        density = (self._cumulative(half + around) - self._cumulative(half - around)) / (2 * around)
        return density * stretch

    def _periodic(self, start: Instant, end: Instant) -> float:
        # Whole days apart, so that the days since 1970 do not eat a short stretch's digits.
        days = end // DAY - start // DAY
        return days + (self._cumulative(end % DAY) - self._cumulative(start % DAY))

    def _cumulative(self, offset: Micros) -> float:
        i = min(bisect_right(self.edges, offset) - 1, len(self.shares) - 1)
        width = self.edges[i + 1] - self.edges[i]
        return self._sums[i] + self.shares[i] * (offset - self.edges[i]) / width


def default_curve(session: Session) -> VolumeCurve:
    """The U used without history; flat for a market that never closes.

    US equities: 15 % 9:30–10:00, 12 % 10:00–10:30, 50 % evenly to 15:00, 12 % 15:00–15:30,
    11 % 15:30–16:00.
    """
    return _FLAT if session.round_the_clock else _U


_FLAT = VolumeCurve((0, DAY), (1.0,), periodic=True, source="flat")
_U = VolumeCurve(
    tuple(minute * MINUTE for minute in (0, 30, 60, 330, 360, 390)),
    (0.15, 0.12, 0.50, 0.12, 0.11),
    periodic=False,
    source="default-u",
)


def curve_from_history(
    days: Sequence[Sequence[float]], *, bin_length: Micros, periodic: bool
) -> VolumeCurve | None:
    """The mean share of each bin over past days, shares first, then the mean, renormalised.

    `days` holds one row of bin volumes a day, all of the same number of bins; days that traded
    nothing are left out. None when no day is left. A market that never closes has no open from
    which a day could be followed: its curve stays as it is.
    """
    traded = [day for day in days if sum(day) > 0]
    rows = [[volume / sum(day) for volume in day] for day in traded]
    if not rows:
        return None
    if len({len(row) for row in rows}) != 1:
        raise ValueError("every day of a volume history needs the same number of bins")
    means = [sum(column) / len(rows) for column in zip(*rows, strict=True)]
    total = sum(means)
    edges = tuple(i * bin_length for i in range(len(means) + 1))
    shares = tuple(mean / total for mean in means)
    dynamics = None if periodic else learned(traded, shares, bin_length)
    return VolumeCurve(edges, shares, periodic, f"history:{len(rows)}d", dynamics)
