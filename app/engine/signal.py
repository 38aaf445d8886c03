"""A signal as its source means it, before anything is decided."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from app.domain.bracket import Bracket
from app.domain.instant import Instant, Micros
from app.domain.quantity import Side
from app.domain.request import AUTO
from app.domain.task import Urgency


class Sizing(StrEnum):
    """What a signal's size counts."""

    QTY = "qty"
    NOTIONAL = "notional"
    TARGET = "target"
    """The position it wants, signed: what is open counts, and the signal may come twice."""


@dataclass(frozen=True, slots=True)
class Signal:
    """What a strategy says. `side` None goes with a target alone; a target with a side is traded
    on that side only, and `only_back` says of a size that it takes a position back, never opens.

    `price` is its reference price, not a limit; `confidence` lies in [0, 1], `expected_edge` is
    in basis points of the price, positive = good. `at` is when it was made. `algo`, `params`,
    `duration` and `max_participation` are as for orders; `min_reward_risk` is what
    it says itself of its bracket.
    """

    account: str
    source: str
    signal_id: str | None
    symbol: str
    side: Side | None
    size: Decimal
    sizing: Sizing = Sizing.QTY
    only_back: bool = False
    price: Decimal | None = None
    confidence: float | None = None
    limit_price: Decimal | None = None
    urgency: Urgency = Urgency.NORMAL
    strategy: str | None = None
    expected_edge: Decimal | None = None
    stop: Decimal | None = None
    target: Decimal | None = None
    bracket: Bracket | None = None
    min_reward_risk: Decimal | None = None
    at: Instant | None = None
    algo: str = AUTO
    params: Mapping[str, Any] = field(default_factory=dict)
    duration: Micros | None = None
    max_participation: Decimal | None = None
