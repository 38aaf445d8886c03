"""What a session is called."""

from app.domain.instant import to_datetime
from app.domain.session import Session


def day_name(session: Session) -> str:
    """The date of a session: that of its middle in UTC, which is the exchange's own date."""
    return to_datetime((session.opens_at + session.closes_at) // 2).date().isoformat()
