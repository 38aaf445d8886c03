"""Single values as alerts carry them: numbers as text, NaN, nothing, placeholders left over."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from app.domain.instant import SECOND, Instant, from_datetime
from app.domain.refusal import Refusal

_NOTHING = frozenset({"", "nan", "na", "n/a", "null", "none", "undefined"})
_LENGTH_MAX = 40
_DIGITS_MAX = 28
_EXPONENTS = range(-12, 16)
_NUMBER = frozenset("0123456789+-.eE")

_WORD_MAX = 128
_YEARS = range(1971, 2200)
_MILLISECONDS_FROM = Decimal(10_000_000_000)
"""Epochs above it count milliseconds: in seconds it is the year 2286."""

_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(\.\d{1,6})?\d{0,3}([Zz]|[+-]\d\d:\d\d)?", re.ASCII
)

Json = None | bool | str | Decimal | list["Json"] | Mapping[str, "Json"]


def is_placeholder(value: Json) -> bool:
    """Whether TradingView left a {{placeholder}} as it was."""
    return isinstance(value, str) and "{{" in value


def is_nothing(value: Json) -> bool:
    """Whether a value says that there is none."""
    if isinstance(value, str):
        return value.strip().lower() in _NOTHING
    return value is None or (isinstance(value, Decimal) and value.is_nan())


def word(value: Json, name: str) -> str:
    """A short text on one line; a number is its digits."""
    text = value.strip() if isinstance(value, str) else None
    if isinstance(value, Decimal) and value.is_finite() and value.adjusted() in range(-12, 30):
        text = format(value, "f")
    if text is None or not text.isprintable() or not 1 <= len(text) <= _WORD_MAX:
        raise Refusal("hook.bad_text", f"{name} must be a text of one line", field=name)
    return text


def number(value: Json, name: str) -> Decimal:
    """A finite decimal of a size that can be reckoned with."""
    found = _literal(value) if isinstance(value, str) else value
    if isinstance(found, bool) or not isinstance(found, Decimal) or not found.is_finite():
        raise Refusal("hook.bad_number", f"{name} must be a number", field=name)
    if found.adjusted() not in _EXPONENTS or len(found.as_tuple().digits) > _DIGITS_MAX:
        raise Refusal("hook.bad_number", f"{name} is out of range", field=name)
    return found


def _literal(text: str) -> Decimal | None:
    text = text.strip()
    if not 1 <= len(text) <= _LENGTH_MAX or not _NUMBER.issuperset(text):
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def moment(value: Json, name: str) -> Instant:
    """{{timenow}}, or seconds or milliseconds since 1970; without a zone it is UTC."""
    spelled = _MOMENT.fullmatch(value.strip()) if isinstance(value, str) else None
    if spelled is not None:
        return _spelled(spelled, name)
    since = number(value, name)
    if since < 0:
        raise _bad_time(name)
    instant = int(since * (SECOND // 1000 if since >= _MILLISECONDS_FROM else SECOND))
    if not 31_536_000 * SECOND <= instant < 7_258_118_400 * SECOND:
        raise _bad_time(name)
    return instant


def _spelled(found: re.Match[str], name: str) -> Instant:
    day, time, fraction, zone = found.groups()
    try:
        parsed = datetime.fromisoformat(f"{day}T{time}{fraction or ''}{(zone or 'Z').upper()}")
        parsed = parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _bad_time(name) from None
    if parsed.year not in _YEARS:
        raise _bad_time(name)
    return from_datetime(parsed)


def _bad_time(name: str) -> Refusal:
    return Refusal("hook.bad_time", f"{name} must be a time, such as {{{{timenow}}}}", field=name)
