"""Volumes that no market traded, judged by the symbol's own history."""

from collections.abc import Sequence

import numpy as np

from app.domain.session import Session
from app.domain.tape_search import Flags, Integers, after
from app.tapes.clean import Fault
from app.tapes.raw import Floats

ABSURD = 10
"""A single row of more than so many usual days."""
SPIKE = 50
"""A row of more than so many times the largest nearby, and of that time on other days,"""
SPIKE_OF_DAY = 0.5
"""and of more than this part of a usual day's volume."""
NEARBY = 5


def absurd(at: Integers, volume: Floats, sessions: Sequence[Session]) -> Flags:
    """Rows that alone trade more than `ABSURD` usual days (of one day: than its other rows)."""
    usual = usual_day(at, volume, sessions)
    return volume > ABSURD * usual if usual > 0 else np.zeros(len(at), dtype=np.bool_)


def spikes(at: Integers, volume: Floats, sessions: Sequence[Session]) -> Flags:
    """Rows far above their neighbours, and above the rows of that time on other days."""
    flagged = np.zeros(len(at), dtype=np.bool_)
    usual = usual_day(at, volume, sessions)
    offsets = _offsets(at, sessions)
    for row in np.flatnonzero(volume > SPIKE_OF_DAY * usual).tolist():
        low, high = max(row - NEARBY, 0), row + NEARBY + 1
        near = np.delete(volume[low:high], row - low)
        alike = volume[(offsets == offsets[row]) & (np.arange(len(at)) != row)]
        reference = max(float(near.max(initial=0)), float(alike.max(initial=0)))
        flagged[row] = reference > 0 and volume[row] > SPIKE * reference
    return flagged


def fault(name: str, at: Integers, volume: Floats, wrong: Flags, usual: float) -> list[Fault]:
    if not wrong.any():
        return []
    first = int(wrong.argmax())
    text = f"volume {volume[first]:g} where a usual day trades {usual:g}"
    return [Fault(name, at[wrong], text)]


def usual_day(at: Integers, volume: Floats, sessions: Sequence[Session]) -> float:
    """The median over days of what a day trades without its largest row.

    Without it, because one absurd row must not make its own measure.
    """
    totals = []
    for session in sessions:
        low, high = after(at, session.opens_at - 1), after(at, session.closes_at)
        day: Floats = volume[low:high]
        if len(day) > 1:
            totals.append(float(day.sum()) - float(day.max()))
    return float(np.median(totals)) if totals else 0.0


def _offsets(at: Integers, sessions: Sequence[Session]) -> Integers:
    """How far from the close of the latest session's day each row is: crosses share that."""
    closes = np.array([s.closes_at for s in sessions], dtype=np.int64)
    if not len(closes):
        return at
    which = np.minimum(closes.searchsorted(at, side="left"), len(closes) - 1)
    nearest = np.where(
        (which > 0) & (np.abs(at - closes[which - 1]) < np.abs(at - closes[which])),
        which - 1,
        which,
    )
    return np.asarray(at - closes[nearest])
