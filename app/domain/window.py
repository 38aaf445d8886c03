"""The window in which an order is worked: its session, start and end."""

from collections.abc import Sequence

from app.domain.algorithm import Algorithm
from app.domain.instant import DAY, MINUTE, SECOND, Instant, Micros, rfc3339
from app.domain.refusal import Refusal, Unavailable
from app.domain.request import Request
from app.domain.session import Session, session_at, session_from

WINDOW_MIN: Micros = SECOND


def window(
    request: Request,
    algorithm: Algorithm,
    symbol: str,
    sessions: Sequence[Session],
    now: Instant,
    *,
    to_close: bool = False,
) -> tuple[Session, Instant, Instant]:
    """The session, start and end of a request, which lasts `to_close` of the session unless it
    says otherwise. Raises Refusal, or Unavailable without a session."""
    start, session = _start(request, symbol, sessions, now)
    if request.end is not None and request.duration is not None:
        raise Refusal("end_or_duration", "give end_time or duration, not both", field="duration")
    if request.end is not None:
        end, field = request.end, "end_time"
    elif request.duration is not None:
        end, field = start + request.duration, "duration"
    elif to_close:
        end, field = session.closes_at, "end_time"
    else:
        end, field = default_end(start, session, algorithm), "end_time"
    if end < start + WINDOW_MIN:
        raise Refusal(
            "end_before_start", f"the window must end after {rfc3339(start)}", field=field
        )
    if end > session.closes_at:
        raise Refusal(
            "window_outside_session",
            f"the window must end by the session's close, {rfc3339(session.closes_at)}",
            field=field,
        )
    return session, start, end


def _start(
    request: Request, symbol: str, sessions: Sequence[Session], now: Instant
) -> tuple[Instant, Session]:
    """The start and its session. A start in the past is now; none given: now or the next open."""
    if request.start is None:
        session = session_from(sessions, now)
        if session is None:
            raise Unavailable("no_session", f"{symbol} has no further session", field="symbol")
        return max(session.opens_at, now), session
    start = max(request.start, now)
    session = session_at(sessions, start)
    if session is None:
        raise Refusal(
            "window_outside_session",
            f"{symbol} is not traded at {rfc3339(start)}",
            field="start_time",
        )
    return start, session


def default_end(start: Instant, session: Session, algorithm: Algorithm) -> Instant:
    """When the window of an order ends that says nothing of it."""
    if algorithm.default_window_minutes is not None:
        return min(start + algorithm.default_window_minutes * MINUTE, session.closes_at)
    return min(start + DAY, session.closes_at)
