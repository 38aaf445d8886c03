"""The shape of trading days: where volume stands against the hours in which it is traded."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.domain.instant import HOUR, MINUTE, Instant, Micros
from app.domain.session import Session
from app.domain.tape_search import Integers

Floats = NDArray[np.float64]

REACH = 12 * HOUR
"""How far around a session its day's rows are looked at, and how far an offset is searched."""

BIN = 15 * MINUTE
LOOKS_SHIFTED = 0.12
"""By how much another offset must fit better before rows look shifted."""


@dataclass(frozen=True, slots=True)
class Offset:
    """By how much rows would have to be moved to fit best, and how well they fit then and now."""

    move: Micros
    fit: float
    fit_here: float

    @property
    def clear(self) -> bool:
        return self.move != 0 and self.fit - self.fit_here > LOOKS_SHIFTED


def day_profile(at: Integers, volume: Floats, sessions: Sequence[Session]) -> Floats:
    """Mean share of a day's volume in each bin from `REACH` before the open to that after it.

    `at` in order. Days that traded nothing are left out.
    """
    bins = 2 * REACH // BIN
    total = np.zeros(bins)
    for session in sessions:
        low, high = at.searchsorted([session.opens_at - REACH, session.opens_at + REACH])
        offsets = (at[low:high] - (session.opens_at - REACH)) // BIN
        day = np.bincount(offsets, weights=volume[low:high], minlength=bins)
        if day.sum() > 0:
            total += day / day.sum()
    traded = total.sum()
    return total / traded if traded else total


def best_offset(profile: Floats, length: Micros) -> Offset:
    """How a profile would have to be moved to look like a session of `length` from its open.

    By the correlation with a U that spikes at the open and the close; steps of a bin.
    """
    steps = np.arange(-REACH // BIN + 4, REACH // BIN - 4)
    fits = [_fit(profile, length, int(step)) for step in steps]
    here = _fit(profile, length, 0)
    best = int(np.argmax(fits))
    # A tie is broken for what stands where it is told to stand.
    if fits[best] <= here + 1e-9:
        return Offset(0, here, here)
    return Offset(-int(steps[best]) * BIN, fits[best], here)


def _fit(profile: Floats, length: Micros, step: int) -> float:
    """Correlation with a session that begins `step` bins after the open."""
    bins = len(profile)
    template = np.zeros(bins)
    begin, count = bins // 2 + step, int(length // BIN)
    shape = np.full(count, 1.0)
    edge = min(2, count // 2)
    shape[:edge] += (3.0, 1.5)[:edge]
    shape[count - edge :] += (1.0, 3.0)[-edge:] if edge else ()
    low, high = max(begin, 0), min(begin + count, bins)
    template[low:high] = shape[low - begin : high - begin]
    if not profile.any() or not template.any():
        return 0.0
    return float(np.corrcoef(profile, template)[0, 1])


def volume_share_inside(at: Integers, volume: Floats, sessions: Sequence[Session]) -> float:
    """The share of all volume that stands inside of sessions; bars by any moment inside them."""
    total = float(volume.sum())
    if not total:
        return 0.0
    opens = np.array([s.opens_at for s in sessions], dtype=np.int64)
    closes = np.array([s.closes_at for s in sessions], dtype=np.int64)
    if not len(opens):
        return 0.0
    which = np.maximum(opens.searchsorted(at, side="right") - 1, 0)
    inside = (at >= opens[which]) & (at < closes[which])
    return float(volume[inside].sum()) / total


@dataclass(frozen=True, slots=True)
class StampVotes:
    """In how many sessions the rows look stamped at the start or the end of their bars."""

    start: int
    end: int
    sessions: int
    example: str

    @property
    def verdict(self) -> str | None:
        """`start` or `end` where four of five sessions that say something agree."""
        said = self.start + self.end
        if said and 2 * said >= self.sessions:
            if self.start >= 0.8 * said:
                return "start"
            if self.end >= 0.8 * said:
                return "end"
        return None


def stamp_votes(
    at: Integers, volume: Floats, sessions: Sequence[Session], length: Micros
) -> StampVotes:
    """Looks at the rows stamped around each open and close. `at` are the file's own stamps."""
    start = end = looked = 0
    examples = {"start": "", "end": ""}
    for session in sessions:
        low, high = at.searchsorted([session.opens_at - HOUR, session.closes_at + HOUR])
        if low == high:
            continue
        looked += 1
        rows = dict(zip(at[low:high].tolist(), volume[low:high].tolist(), strict=True))
        vote, why = _vote(rows, session, length)
        start, end = start + (vote == "start"), end + (vote == "end")
        if vote:
            examples[vote] = examples[vote] or why
    return StampVotes(start, end, looked, examples["start" if start >= end else "end"])


def _vote(rows: dict[Instant, float], session: Session, length: Micros) -> tuple[str | None, str]:
    opens, closes = session.opens_at, session.closes_at
    at_open, at_close = opens in rows, closes in rows
    before = any(at < opens for at in rows)
    after = any(at > closes for at in rows)
    if not before and not after and at_open != at_close:
        if at_open:
            return "start", "a row at the open and none at the close"
        return "end", "no row at the open and one at the close"
    jump = rows.get(opens, 0.0) / max(rows.get(opens - length, 0.0), 1.0)
    later = rows.get(opens + length, 0.0) / max(rows.get(opens, 0.0), 1.0)
    if at_open and before and jump > 3 and jump > later:
        return "start", f"volume jumps {jump:.0f}-fold at the row of the open"
    if later > 3 and later > jump:
        return "end", f"volume jumps {later:.0f}-fold one bar after the row of the open"
    return None, ""
