"""Moments as whole microseconds since 1970 UTC: exact in Postgres, fast in numpy, no zones."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

Instant = int
"""Microseconds since 1970-01-01T00:00:00Z."""

Micros = int
"""A length of time in microseconds."""

MILLISECOND: Micros = 1_000
SECOND: Micros = 1_000_000
MINUTE: Micros = 60 * SECOND
HOUR: Micros = 60 * MINUTE
DAY: Micros = 24 * HOUR

LATEST: Instant = 4_102_444_800 * SECOND
"""The year 2100: what is told to be later than this is no time."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def from_datetime(moment: datetime) -> Instant:
    """The instant of an aware datetime; a naive one is refused."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} carries no zone")
    return (moment - _EPOCH) // _MICROSECOND


def to_datetime(instant: Instant) -> datetime:
    """The instant as an aware UTC datetime, exact to the microsecond."""
    return _EPOCH + timedelta(microseconds=instant)


@lru_cache(maxsize=4096)
def rfc3339(instant: Instant) -> str:
    """The instant as RFC 3339 in UTC, always with six decimals, ending in Z."""
    whole, micros = divmod(instant, SECOND)
    return f"{_second(whole)}.{micros:06d}Z"


@lru_cache(maxsize=4096)
def _second(whole: int) -> str:
    """Moments come in crowds: most share their second with others."""
    return to_datetime(whole * SECOND).replace(tzinfo=None).isoformat(timespec="seconds")


def seconds(length: Micros) -> float:
    """A length in seconds."""
    return length / SECOND
