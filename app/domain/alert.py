"""Alerts: something a human should know, with the numbers that say why.

A new rule is one file in `domain/alerts/` with a constant RULE.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from app.domain.execution import Execution
from app.domain.instant import SECOND, Instant, Micros


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


@dataclass(frozen=True, slots=True)
class Sight:
    """One order as the rules see it.

    `average_price` is None before the first fill, `arrival_mid` where no quote was known;
    `behind_since` is when the order fell behind what it must have done (None: it is not).
    """

    execution: Execution
    average_price: Decimal | None
    arrival_mid: Decimal | None
    behind_since: Instant | None
    now: Instant


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
