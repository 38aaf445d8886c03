"""Take-profit and stop-loss of an order, and what its exits owe to what it filled.

A level is an absolute price, or lies at a distance from the *fill* price: what was planned on
another price than the one that was paid is worth nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum
from typing import Any

from app.domain.exits import REWARD_RISK, STOP
from app.domain.quantity import ZERO, Side, ceil_to, floor_to

LEAST_RATIO = Decimal(2)
"""Of reward to risk, where an order gives both levels and says nothing else."""

NOTHING_TO_EXIT = "nothing_to_exit"
"""With this reason an exit ends whose entry turned out not to have filled."""


class Policy(StrEnum):
    """What becomes of a fill whose reward to risk is under the minimum."""

    KEEP = "keep"
    RESIZE = "resize"
    CLOSE = "close"


class Basis(StrEnum):
    PRICE = "price"
    OFFSET = "offset"
    PERCENT = "percent"


@dataclass(frozen=True, slots=True)
class Level:
    """`value` above zero: a price, a distance in money, or one in per cent of the fill price."""

    basis: Basis
    value: Decimal

    def distance(self, price: Decimal) -> Decimal:
        return self.value if self.basis is Basis.OFFSET else price * self.value / 100


@dataclass(frozen=True, slots=True)
class Bracket:
    """What an order wants to become of what it fills. At least one of the levels is given."""

    take_profit: Level | None = None
    stop_loss: Level | None = None
    minimum: Decimal = LEAST_RATIO
    policy: Policy = Policy.CLOSE
    exit_at_close: bool = False


@dataclass(frozen=True, slots=True)
class Levels:
    """Prices on the tick grid."""

    target: Decimal | None = None
    stop: Decimal | None = None


def levels(bracket: Bracket, side: Side, price: Decimal, tick: Decimal) -> Levels:
    """The prices for an entry of `side` at `price`. Distances are rounded so that the reward is
    never less, and the risk never more, than was asked."""
    outward = ceil_to if side is Side.BUY else floor_to
    found = []
    for level, sign in ((bracket.take_profit, side.sign), (bracket.stop_loss, -side.sign)):
        if level is None or level.basis is Basis.PRICE:
            found.append(level.value if level is not None else None)
        else:
            found.append(max(outward(price + sign * level.distance(price), tick), tick))
    return Levels(*found)


def ratio(side: Side, price: Decimal, at: Levels) -> Decimal | None:
    """Reward for one unit of risk; 0 where the price is at the stop or beyond it. None where a
    level is missing."""
    if at.target is None or at.stop is None:
        return None
    risk = side.sign * (price - at.stop)
    return side.sign * (at.target - price) / risk if risk > 0 else ZERO


@dataclass(frozen=True, slots=True)
class Entry:
    """The order that opens. `average`: of its fills."""

    side: Side
    filled: Decimal
    average: Decimal | None
    over: bool
    ending: bool


@dataclass(frozen=True, slots=True)
class Leg:
    """One exit. `over` is finished, `ending` has been told to end; `given_up`: it ended without
    doing what was left, because somebody wanted that or nothing was left to reduce."""

    id: str
    qty: Decimal
    filled: Decimal
    reserved: Decimal = ZERO
    over: bool = False
    ending: bool = False
    given_up: bool = False
    levels: Levels = Levels()
    forced: str | None = None


@dataclass(frozen=True, slots=True)
class Exit:
    """An exit that has to be entered."""

    qty: Decimal
    levels: Levels
    forced: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What an open exit becomes: `qty` and `levels` None stay. `recall`: its children hold more
    than it may still do, and must go; `cancel`: it has nothing to do any more."""

    qty: Decimal | None = None
    levels: Levels | None = None
    force: str | None = None
    recall: bool = False
    cancel: bool = False

    @property
    def nothing(self) -> bool:
        return self == Change()


@dataclass(frozen=True, slots=True)
class Duty:
    """What has to be done for a group now. `under` is the ratio that is under the minimum, `bare`
    what stands without an exit because somebody ended it."""

    enter: Exit | None = None
    change: Change | None = None
    end_entry: str | None = None
    under: Decimal | None = None
    bare: Decimal = ZERO


def duty(
    bracket: Bracket, entry: Entry, legs: Sequence[Leg], *, lot: Decimal, tick: Decimal
) -> Duty:
    """What its exits owe an entry: one open exit for what it filled and no exit did. Asked again
    after it is done, the answer is nothing."""
    taken = sum((leg.filled for leg in legs), ZERO)
    given = sum((leg.qty - leg.filled for leg in legs if leg.over and leg.given_up), ZERO)
    uncovered = entry.filled - taken - given
    now_open = next((leg for leg in legs if not leg.over), None)
    if entry.average is None or entry.filled <= 0:
        wanted, under = Levels(), None
    else:
        wanted = levels(bracket, entry.side, entry.average, tick)
        under = _under(bracket, entry, wanted)
    force = next((leg.forced for leg in legs if leg.forced is not None), None)
    if force is None and under is not None and bracket.policy is Policy.CLOSE:
        force = REWARD_RISK
    enter = change = None
    if now_open is None and (qty := floor_to(uncovered, lot)) > 0:
        enter = Exit(qty, wanted, force)
    elif now_open is not None and not now_open.ending:
        change = _change(now_open, uncovered, wanted, force)
    exposed = entry.filled > taken and (now_open is None or not now_open.ending)
    return Duty(
        enter=enter,
        change=change,
        end_entry=_end_entry(bracket, entry, force, under),
        under=under if uncovered > 0 or now_open is not None else None,
        bare=min(given, entry.filled - taken) if given > 0 and exposed else ZERO,
    )


def _under(bracket: Bracket, entry: Entry, wanted: Levels) -> Decimal | None:
    assert entry.average is not None, "asked for a fill"
    found = ratio(entry.side, entry.average, wanted)
    return found if found is not None and found < bracket.minimum else None


def _end_entry(
    bracket: Bracket, entry: Entry, force: str | None, under: Decimal | None
) -> str | None:
    """Why the entry must fill no more: it would be sold at once, or is not worth its risk."""
    if entry.over or entry.ending:
        return None
    if force is not None and force in (STOP, REWARD_RISK):
        return "stop_hit" if force == STOP else REWARD_RISK
    return REWARD_RISK if under is not None and bracket.policy is Policy.RESIZE else None


def _change(leg: Leg, uncovered: Decimal, wanted: Levels, force: str | None) -> Change | None:
    most = leg.filled + uncovered
    if most <= leg.filled and leg.filled == 0:
        return Change(cancel=True)
    # What the broker filled beyond the leg's quantity stays its excess: no more was asked for.
    qty = max(most, min(leg.filled + leg.reserved, leg.qty))
    forced = leg.forced is not None
    moved = not forced and force is None and wanted != leg.levels and wanted != Levels()
    change = Change(
        qty=qty if qty != leg.qty else None,
        levels=wanted if moved else None,
        force=force if force is not None and not forced else None,
        recall=qty > most,
    )
    return None if change.nothing else change


def level_to_json(level: Level | None) -> dict[str, str] | None:
    return {level.basis.value: format(level.value, "f")} if level is not None else None


def level_from_json(told: Any) -> Level | None:
    if told is None:
        return None
    [(basis, value)] = told.items()
    return Level(Basis(basis), Decimal(value))


def to_json(bracket: Bracket) -> dict[str, Any]:
    return {
        "take_profit": level_to_json(bracket.take_profit),
        "stop_loss": level_to_json(bracket.stop_loss),
        "min_reward_risk": format(bracket.minimum, "f"),
        "exit_policy": bracket.policy.value,
        "exit_at_close": bracket.exit_at_close,
    }


def from_json(told: Any) -> Bracket:
    return Bracket(
        level_from_json(told["take_profit"]),
        level_from_json(told["stop_loss"]),
        Decimal(told["min_reward_risk"]),
        Policy(told["exit_policy"]),
        told["exit_at_close"],
    )


def shown_ratio(found: Decimal) -> str:
    """Two decimals, never rounded up to what it is not."""
    return format(found.quantize(Decimal("0.01"), ROUND_DOWN), "f")
