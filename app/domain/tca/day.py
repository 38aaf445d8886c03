"""One day of executions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.domain.tca.summary import Line, Summary


@dataclass(frozen=True, slots=True)
class Day:
    """What happened to the orders accepted on one day (market time, UTC). Money is None with
    several currencies; `alerts` counts by severity and rule."""

    date: str
    orders: int
    by_status: Mapping[str, int]
    fill_ratio: Decimal | None
    notional: Decimal | None
    fees: Decimal | None
    currency: str | None
    costs: Summary
    groups: Sequence[Summary]
    worst: Sequence[Line]
    alerts: Sequence[tuple[str, str, int]]


def dearest(lines: Iterable[Line], at_most: int) -> list[Line]:
    """Those with the highest implementation shortfall in basis points, dearest first."""
    known = [line for line in lines if "total" in line.bps]
    return sorted(known, key=lambda line: (-line.bps["total"], line.order_id))[:at_most]
