"""Trading sessions as records; where they come from is not the domain's business."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.domain.instant import DAY, Instant, Micros


@dataclass(frozen=True, slots=True)
class Session:
    """One unbroken stretch of continuous trading: open inclusive, close exclusive."""

    opens_at: Instant
    closes_at: Instant

    @property
    def length(self) -> Micros:
        return self.closes_at - self.opens_at

    @property
    def round_the_clock(self) -> bool:
        """Whether the market never closed for at least a day: days follow without a gap."""
        return self.length >= DAY

    def contains(self, instant: Instant) -> bool:
        return self.opens_at <= instant < self.closes_at


def join_adjacent(sessions: Iterable[Session]) -> tuple[Session, ...]:
    """Sessions in order, those that touch joined into one (round-the-clock markets)."""
    joined: list[Session] = []
    for session in sorted(sessions, key=lambda s: s.opens_at):
        if joined and joined[-1].closes_at >= session.opens_at:
            last = joined.pop()
            session = Session(last.opens_at, max(last.closes_at, session.closes_at))
        joined.append(session)
    return tuple(joined)


def session_at(sessions: Sequence[Session], instant: Instant) -> Session | None:
    """The session open at `instant`."""
    # Every order asks, several times: a plain loop takes a third of the time.
    for session in sessions:
        if session.opens_at <= instant < session.closes_at:
            return session
    return None


def session_from(sessions: Sequence[Session], instant: Instant) -> Session | None:
    """The session open at `instant`, else the next one to open."""
    return next((s for s in sessions if s.closes_at > instant), None)


def opens_next(markets: Iterable[Sequence[Session]], instant: Instant) -> Instant | None:
    """When the first of several markets opens; None while one is open, or where none ever does."""
    upcoming: list[Instant] = []
    for sessions in markets:
        session = session_from(sessions, instant)
        if session is not None and session.contains(instant):
            return None
        if session is not None:
            upcoming.append(session.opens_at)
    return min(upcoming, default=None)
