"""Sessions as the pieces in which market data are read and kept."""

from collections.abc import Iterable
from itertools import pairwise

from app.domain.instant import DAY
from app.domain.session import Session


def days(sessions: Iterable[Session]) -> tuple[Session, ...]:
    """Sessions as stretches: those of a market that never closes are cut at UTC midnights."""
    stretches: list[Session] = []
    for session in sessions:
        midnight = (session.opens_at // DAY + 1) * DAY
        inner = range(midnight, session.closes_at, DAY) if session.round_the_clock else ()
        cuts = [session.opens_at, *inner, session.closes_at]
        stretches.extend(Session(a, b) for a, b in pairwise(cuts))
    return tuple(stretches)
