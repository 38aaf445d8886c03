"""What the market did around and after fills (SEC Rule 605's measures), positive = cost.

With m the mid when a fill happened, m' the mid a while later, p the fill's price and s its side:

    effective spread = 2 × s × (p − m) / m
    price impact     = 2 × s × (m' − m) / m
    realised spread  = effective spread − price impact = 2 × s × (p − m') / m
    mark-out         = s × (p − m') / m        (half the realised spread: what one share cost)
    reversion        = s × (m − m') / m        after the last fill: the price comes back to where
                                               it was before we pushed it
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from app.domain.instant import MINUTE, Instant, Micros
from app.domain.quantity import ZERO, Side

_BPS = Decimal(10_000)

HORIZONS: tuple[Micros, ...] = (MINUTE, 5 * MINUTE)
"""How long after a fill the market is looked at again."""

NOT_CAPTURED = "not_captured"
NOT_YET = "not_yet_due"


@dataclass(frozen=True, slots=True)
class Mark:
    """Bid and ask as of one moment of market time, or why they are not known."""

    at: Instant
    bid: Decimal | None
    ask: Decimal | None
    reason: str | None = None

    @property
    def mid(self) -> Decimal | None:
        if self.bid is None or self.ask is None:
            return None
        return (self.bid + self.ask) / 2


@dataclass(frozen=True, slots=True)
class Execution:
    """One fill, as far as its price is judged. `purpose` is its child's: rest or cross."""

    at: Instant
    side: Side
    qty: Decimal
    price: Decimal
    purpose: str


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure in basis points, or why there is none; `weight` is the quantity behind it."""

    bps: Decimal | None
    reason: str | None = None
    weight: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Spread:
    """The three measures of one fill, basis points of the mid when it happened."""

    effective: Decimal
    impact: Decimal
    realised: Decimal


def spread(side: Side, price: Decimal, mid: Decimal, later: Decimal) -> Spread:
    """Effective spread, and its parts after the horizon at which the mid is `later`."""
    effective = 2 * side.sign * (price - mid) / mid * _BPS
    impact = 2 * side.sign * (later - mid) / mid * _BPS
    return Spread(effective, impact, effective - impact)


@dataclass(frozen=True, slots=True)
class Aftermath:
    """Fills of one purpose, weighted by quantity: effective spread, and after each horizon
    realised spread and mark-out."""

    fills: int
    qty: Decimal
    effective: Measure
    realised: tuple[Measure, ...]
    markout: tuple[Measure, ...]


def aftermath(fills: Iterable[Execution], marks: Mapping[Instant, Mark]) -> Aftermath:
    """What the market did around these fills. Those without a mark count in none of the figures
    that need it; `weight` says how much quantity stands behind each."""
    of = tuple(fills)
    later = [[_spread_of(fill, marks, horizon) for fill in of] for horizon in HORIZONS]
    realised = tuple(_weighted(of, [_realised(s) for s in found]) for found in later)
    return Aftermath(
        fills=len(of),
        qty=sum((fill.qty for fill in of), ZERO),
        effective=_weighted(of, [_effective(fill, marks) for fill in of]),
        realised=realised,
        markout=tuple(_halved(measure) for measure in realised),
    )


def reversion(
    side: Side, last_fill: Instant | None, marks: Mapping[Instant, Mark], after: Micros
) -> Measure:
    """How far the mid came back from what it was at the last fill, `after` it."""
    if last_fill is None:
        return Measure(None, "nothing was filled")
    mid, reason = _mid(marks, last_fill)
    later, later_reason = _mid(marks, last_fill + after)
    if mid is None or later is None:
        return Measure(None, reason or later_reason)
    return Measure(side.sign * (mid - later) / mid * _BPS)


def _mid(marks: Mapping[Instant, Mark], at: Instant) -> tuple[Decimal | None, str | None]:
    mark = marks.get(at)
    if mark is None:
        return None, NOT_CAPTURED
    mid = mark.mid
    if mid is None or mid <= 0:
        return None, mark.reason or NOT_CAPTURED
    return mid, None


Found = tuple[Decimal | None, str | None]


def _effective(fill: Execution, marks: Mapping[Instant, Mark]) -> Found:
    mid, reason = _mid(marks, fill.at)
    if mid is None:
        return None, reason
    return spread(fill.side, fill.price, mid, mid).effective, None


def _spread_of(
    fill: Execution, marks: Mapping[Instant, Mark], horizon: Micros
) -> tuple[Spread | None, str | None]:
    mid, reason = _mid(marks, fill.at)
    later, later_reason = _mid(marks, fill.at + horizon)
    if mid is None or later is None:
        return None, reason or later_reason
    return spread(fill.side, fill.price, mid, later), None


def _realised(found: tuple[Spread | None, str | None]) -> Found:
    of, reason = found
    return (of.realised if of is not None else None), reason


def _weighted(fills: tuple[Execution, ...], found: list[Found]) -> Measure:
    known = [
        (fill.qty, bps) for fill, (bps, _) in zip(fills, found, strict=True) if bps is not None
    ]
    weight = sum((qty for qty, _ in known), ZERO)
    if weight == 0:
        reason = next((why for _, why in found if why is not None), "nothing was filled")
        return Measure(None, reason)
    return Measure(sum((qty * bps for qty, bps in known), ZERO) / weight, None, weight)


def _halved(measure: Measure) -> Measure:
    bps = measure.bps / 2 if measure.bps is not None else None
    return Measure(bps, measure.reason, measure.weight)


@dataclass(frozen=True, slots=True)
class Resting:
    """How much of what was put into the book was filled there. `probability` is filled over put,
    None where nothing rested."""

    children: int
    touched: int
    qty: Decimal
    filled: Decimal

    @property
    def probability(self) -> Decimal | None:
        return self.filled / self.qty if self.qty > 0 else None


def resting(children: Iterable[tuple[Decimal, Decimal]]) -> Resting:
    """From (quantity, filled) of the children that rested and are over."""
    of = tuple(children)
    return Resting(
        children=len(of),
        touched=sum(1 for _, filled in of if filled > 0),
        qty=sum((qty for qty, _ in of), ZERO),
        filled=sum((filled for _, filled in of), ZERO),
    )
