"""Figures as words: basis points, money, moments. What is not known is None, a dash in a page."""

from decimal import Decimal

from app.domain.instant import DAY, Instant, to_datetime
from app.reports.page import Html, cell


def bps(value: Decimal | None, places: int = 2) -> str | None:
    """Signed: a plus is a cost."""
    return f"{value:+,.{places}f}" if value is not None else None


def number(value: Decimal | None, places: int | None = None) -> str | None:
    """Grouped by thousands; without `places` as exact as it is."""
    if value is None:
        return None
    if places is not None:
        return f"{value:,.{places}f}"
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(value: Decimal | None) -> str | None:
    return f"{value * 100:,.2f} %" if value is not None else None


def moment(value: Instant | None) -> str | None:
    """To the second, UTC."""
    return f"{to_datetime(value):%Y-%m-%d %H:%M:%S}" if value is not None else None


def day_time(value: Instant) -> float:
    """As matplotlib puts it on an axis: days since 1970, UTC."""
    return value / DAY


def known(value: str | None, reason: str | None) -> str | Html:
    """A figure, or why there is none."""
    if value is not None:
        return value
    return Html(f'<span class="none">{cell((reason or "not known").replace("_", " "))}</span>')
