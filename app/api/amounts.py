"""Numbers, moments and names as JSON carries them; nothing passes through a binary float."""

import re
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, StringConstraints, WithJsonSchema

from app.domain.instant import DAY, HOUR, MINUTE, SECOND, Instant, Micros, from_datetime

_LENGTH_MAX = 40
_DIGITS_MAX = 28  # What Decimal's own context keeps: beyond it sums would be rounded.
_EXPONENTS = range(-12, 16)
_NUMBER = frozenset("0123456789+-.eE")


_USUAL = re.compile(r"\d{1,13}(?:\.\d{1,12})?", re.ASCII).fullmatch
"""Most amounts: whatever it finds lies within the bounds below."""


def _amount(value: object) -> Decimal:
    if type(value) is str and _USUAL(value):
        return Decimal(value)
    number = _literal(value) if isinstance(value, str) else value
    if not isinstance(number, Decimal):
        raise ValueError("must be a number, or a string that holds one")
    if not number.is_finite():
        raise ValueError("must be a finite number")
    if number.adjusted() not in _EXPONENTS or _digits(number, value) > _DIGITS_MAX:
        raise ValueError("is out of range")
    return number


def _digits(number: Decimal, value: object) -> int:
    """How many digits a number has; of a short text it is enough that it is short."""
    short = isinstance(value, str) and len(value) <= _DIGITS_MAX
    return 0 if short else len(number.as_tuple().digits)


def _literal(text: str) -> Decimal:
    if not 1 <= len(text) <= _LENGTH_MAX or not _NUMBER.issuperset(text):
        raise ValueError("must be a decimal number of at most 40 characters")
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError("is not a number") from None


def _positive(number: Decimal) -> Decimal:
    if number <= 0:
        raise ValueError("must be above zero")
    return number


Amount = Annotated[
    Decimal,
    BeforeValidator(_amount),
    WithJsonSchema({"type": ["string", "number"], "examples": ["1500", "187.25"]}),
]
Positive = Annotated[Amount, AfterValidator(_positive)]

_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_YEARS = range(1971, 2200)


def _moment(value: object) -> Instant:
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise ValueError("must be an RFC 3339 time with a zone, such as 2026-01-05T14:30:00Z")
    try:
        moment = datetime.fromisoformat(value.upper())
    except ValueError:
        raise ValueError("is not a time that exists") from None
    if moment.year not in _YEARS:
        raise ValueError("lies outside the years 1971 to 2199")
    return from_datetime(moment)


Moment = Annotated[
    Instant,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]

_DURATION = re.compile(
    r"(?:pt)?(?:(\d{1,4})h)?(?:(\d{1,6})m)?(?:(\d{1,8}(?:\.\d{1,6})?)s)?", re.ASCII
)
_DURATION_MAX = 366 * DAY


def _duration(value: object) -> Micros:
    spelled = isinstance(value, str) and not _NUMBER.issuperset(value)
    length = _spelled(str(value)) if spelled else int(_amount(value) * SECOND)
    if not 0 < length <= _DURATION_MAX:
        raise ValueError("must be above zero and at most 366 days")
    return length


def _spelled(text: str) -> Micros:
    """The length of "1h30m"."""
    match = _DURATION.fullmatch(text.lower()) if len(text) <= _LENGTH_MAX else None
    if match is None or not any(match.groups()):
        raise ValueError('must be seconds, or spelled such as "90s", "30m" or "1h30m"')
    hours, minutes, seconds = match.groups(default="0")
    return int(hours) * HOUR + int(minutes) * MINUTE + int(Decimal(seconds) * SECOND)


Duration = Annotated[
    Micros,
    BeforeValidator(_duration),
    WithJsonSchema({"type": ["string", "number"], "examples": ["30m", "1h30m", 5400]}),
]

Symbol = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9^][A-Za-z0-9 ./:_=^-]{0,31}$")]
"""As the feed writes it: SPY, BRK.B, BTC/USDT."""

_ID = r"^[\x21-\x7e]{1,128}$"
_ID_WHOLE = re.compile(_ID.strip("^$")).fullmatch


def _id(text: str) -> str:
    if not _ID_WHOLE(text):
        raise ValueError("must be 1 to 128 characters of printable ASCII, without spaces")
    return text


Id = Annotated[
    str, AfterValidator(_id), WithJsonSchema({"type": "string", "pattern": _ID}, mode="validation")
]
"""A client's own id: printable ASCII without spaces."""

Label = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,64}$")]
"""A word of the client's own: anything that can be printed on one line."""


def scalar(value: Any) -> Any:
    """A parameter's value as the domain takes it: a whole number as int, no hidden characters."""
    if isinstance(value, str):
        if not (len(value) <= 200 and value.isprintable()):
            raise ValueError("must be printable and at most 200 characters long")
        return value
    if isinstance(value, Decimal) and value.is_finite():
        # Written out, 1E+1000000 has a million digits.
        if abs(value.adjusted()) > _LENGTH_MAX:
            raise ValueError("is out of range")
        if -1 < value.adjusted() < 18:
            return int(value) if value == value.to_integral_value() else value
    if isinstance(value, dict | list):
        raise ValueError("must be a number, a text or true or false")
    return value


Scalar = Annotated[Any, BeforeValidator(scalar)]
