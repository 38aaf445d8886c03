"""Alerts: something a human should know, with the numbers that say why.

A new rule is one file in `domain/alerts/` with a constant RULE.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from app.domain.execution import Execution
from app.domain.instant import SECOND, Instant, Micros
from app.domain.lifecycle import OrderStatus
from app.domain.parameters import Completion


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When the rules speak; from settings."""

    slippage_bps: Decimal = Decimal(20)
    failed_children: int = 3
    stalled_after: Micros = 300 * SECOND
    vwap_deviation_bps: Decimal = Decimal(100)
    failed_orders: int = 3
    slow_share: Decimal = Decimal("0.2")
    slow_after: Micros = 60 * SECOND


@dataclass(frozen=True, slots=True)
class Sight:
    """One order as the rules see it.

    `average_price` is None before the first fill, `arrival_mid` where no quote was known;
    `market_vwap` is what the market paid since the order's start (None: not known), `behind_since`
    when the order fell behind what it must have done (None: it is not), `must` how much that is,
    and `slow_since` since when it lacks more than the threshold's share. `failed_orders` of its
    account failed in a row, this one included. `bound` names what holds the order back (None:
    nothing that has a name).
    """

    execution: Execution
    average_price: Decimal | None
    arrival_mid: Decimal | None
    behind_since: Instant | None
    now: Instant
    market_vwap: Decimal | None = None
    must: Decimal | None = None
    slow_since: Instant | None = None
    failed_orders: int = 0
    bound: str | None = None


def failed(execution: Execution) -> bool:
    """Whether an order ended refused, or out of time without a fill that it was to get."""
    if execution.status is OrderStatus.REJECTED:
        return True
    expired = execution.status is OrderStatus.EXPIRED and execution.filled == 0
    return expired and not leaves(execution)


def leaves(execution: Execution) -> bool:
    """Whether the order was told to leave what the market does not take: no failure, then."""
    given = execution.task.params.get("completion")
    if given is None:
        return execution.task.algo == "bracket"
    return bool(given == Completion.LEAVE)


@dataclass(frozen=True, slots=True)
class Alert:
    """What a rule found. One stays open for each rule and subject; repeats are counted."""

    rule: str
    subject: str
    severity: Severity
    message: str
    data: dict[str, str]
    order_id: str | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    name: str
    doc: str
    check: Callable[[Sight, Thresholds], Alert | None]
