"""Trading sessions of the world's exchanges, from the package `exchange_calendars`."""

import warnings
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from app.domain.instant import HOUR, MINUTE, Instant, Micros, from_datetime, to_datetime
from app.domain.session import Session, join_adjacent

ALWAYS = "24/7"

AROUND = dict.fromkeys(("XNYS", "XNAS"), (5 * HOUR + 30 * MINUTE, 4 * HOUR))
"""Before the open and after the close: New York's exchanges trade from 4:00 to 20:00, on half days
to 17:00 (their own pages on hours). Of others nothing is known here."""


@dataclass(frozen=True, slots=True)
class _Known:
    """The sessions of whole years, a lunch break making two of one day."""

    first_year: int
    last_year: int
    sessions: tuple[Session, ...]
    opens: tuple[Instant, ...]
    closes: tuple[Instant, ...]


class ExchangeCalendars:
    """Implements `ports.Calendar`.

    The package builds 20 years back and one ahead unless told otherwise; here a calendar is built
    for the years that are asked, and again when a long-lived server asks beyond them.
    """

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}

    def sessions(self, name: str, start: Instant, end: Instant) -> tuple[Session, ...]:
        """Sessions that overlap [start, end), adjacent ones joined; none beyond what is recorded.

        A round-the-clock market's days touch and become one session, of the UTC days asked for.
        Raises ValueError for a name no calendar has.
        """
        known = self._covering(name, to_datetime(start).year, to_datetime(end).year)
        low = bisect_right(known.closes, start)
        return join_adjacent(known.sessions[low : bisect_left(known.opens, end)])

    def around(self, name: str) -> tuple[Micros, Micros] | None:
        return (0, 0) if name == ALWAYS else AROUND.get(name)

    def _covering(self, name: str, first_year: int, last_year: int) -> _Known:
        known = self._known.get(name)
        if known is not None:
            if known.first_year <= first_year and last_year <= known.last_year:
                return known
            first_year = min(first_year, known.first_year)
            last_year = max(last_year, known.last_year)
        # A year on each side, for sessions that open the evening before and for the next asker.
        self._known[name] = _build(name, first_year - 1, last_year + 1)
        return self._known[name]


@lru_cache(maxsize=32)
def _build(name: str, first_year: int, last_year: int) -> _Known:
    with warnings.catch_warnings():
        # The package still uses what its pandas has deprecated; nothing a user could act on.
        warnings.simplefilter("ignore", DeprecationWarning)
        sessions = _scheduled(name, f"{first_year}-01-01", f"{last_year}-12-31")
    return _Known(
        first_year,
        last_year,
        sessions,
        tuple(session.opens_at for session in sessions),
        tuple(session.closes_at for session in sessions),
    )


def _scheduled(name: str, start: str, end: str) -> tuple[Session, ...]:
    # Half a second of pandas, which a command that needs no calendar should not wait for.
    import exchange_calendars

    try:
        calendar = exchange_calendars.get_calendar(name, start=start, end=end)
    except exchange_calendars.errors.InvalidCalendarName as unknown:
        raise ValueError(f"no trading calendar is named {name!r}") from unknown
    except (ValueError, exchange_calendars.errors.CalendarError):
        # Not all of it is recorded. How much is, only a calendar says, be it of other years.
        usual = exchange_calendars.get_calendar(name)
        earliest, latest = usual.bound_min(), usual.bound_max()
        if earliest is not None:
            start = max(start, earliest.date().isoformat())
        if latest is not None:
            end = min(end, latest.date().isoformat())
        if start >= end:
            return ()
        calendar = exchange_calendars.get_calendar(name, start=start, end=end)
    return tuple(part for row in calendar.schedule.itertuples() for part in _parts(row))


def _parts(row: Any) -> tuple[Session, ...]:
    """One day of a schedule: a session, or two around a lunch break."""
    opens, closes = _instant(row.open), _instant(row.close)
    if row.break_start == row.break_start:  # NaT, no break, does not equal itself.
        return (
            Session(opens, _instant(row.break_start)),
            Session(_instant(row.break_end), closes),
        )
    return (Session(opens, closes),)


def _instant(timestamp: Any) -> Instant:
    return from_datetime(timestamp.to_pydatetime())
