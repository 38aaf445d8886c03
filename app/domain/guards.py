"""The guards: what may hold a child back or make it smaller, the same for every algorithm.

They run in one order, after halt, session phase and catching up (`decide`), which concern the
order rather than a child. Each says exactly when it would let go: at a moment, or when the
market fires a trigger. A guard that made the child smaller without stopping it is `bound` too.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from app.domain.execution import Execution
from app.domain.fact import Purpose, TimeInForce
from app.domain.instant import SECOND, Instant
from app.domain.market import Market, Quote
from app.domain.plan import Envelope
from app.domain.quantity import ZERO, Side, ceil_to, floor_to, passive_tick
from app.domain.trigger import (
    BookUncrossed,
    PriceReaches,
    QuoteUpdated,
    SideUpdated,
    TouchMoved,
    Trigger,
    VolumeReaches,
)

REJECTION_BACKOFF_MAX = 60 * SECOND

OPEN_CHILDREN_MAX = 100
"""Children of one order that may be open at once; a small `max_child` waits behind it."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What belongs to the account, not to the order.

    `halt` names the control that forbids new children; `own_bid` and `own_ask` are the best
    prices at which other orders of this account rest in the same symbol. `queued`: as many
    orders work already as the account may have at once, and this one is not among them; who
    comes first is not decided here.
    """

    halt: str | None = None
    own_bid: Decimal | None = None
    own_ask: Decimal | None = None
    queued: bool = False


@dataclass(frozen=True, slots=True)
class Wish:
    """A child on its way through the guards."""

    purpose: Purpose
    qty: Decimal
    price: Decimal = ZERO
    time_in_force: TimeInForce = TimeInForce.DAY
    bound: str | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """No child now. `until` and `triggers` are the exact release conditions.

    Neither given: only a new fact about the order, its children or the desk lets go.
    """

    guard: str
    until: Instant | None = None
    triggers: tuple[Trigger, ...] = ()


@dataclass(frozen=True, slots=True)
class Scene:
    """All that a guard may look at."""

    execution: Execution
    envelope: Envelope
    desk: Desk
    market: Market
    quote: Quote
    now: Instant


def rejections(scene: Scene, wish: Wish) -> Wish | Hold:
    """After a refusal by the broker, or a cancel nobody asked for, wait: 1, 2, 4 … 60 s."""
    count, at = scene.execution.rejections, scene.execution.rejected_at
    if count == 0 or at is None:
        return wish
    until = at + min(SECOND << min(count - 1, 6), REJECTION_BACKOFF_MAX)
    return Hold("rejections", until=until) if scene.now < until else wish


def stale_quote(scene: Scene, wish: Wish) -> Wish | Hold:
    """The feed has been silent for too long to trust its last quote."""
    age = scene.now - scene.quote.at
    if age <= scene.execution.task.policy.max_quote_age:
        return wish
    return Hold("stale_quote", triggers=(QuoteUpdated(scene.quote.at),))


def crossed_book(scene: Scene, wish: Wish) -> Wish | Hold:
    """A locked or crossed book is no price: resting in it would resend for ever."""
    if scene.quote.uncrossed:
        return wish
    return Hold("crossed_book", triggers=(BookUncrossed(),))


def same_quote(scene: Scene, wish: Wish) -> Wish | Hold:
    """What was shown has been taken: wait until that side of the book speaks again."""
    crossing = scene.execution.crossing
    if wish.purpose is Purpose.REST or crossing is None:
        return wish
    after = max(crossing.quote_at, crossing.filled_at or crossing.quote_at)
    side = scene.execution.task.side
    if scene.quote.far_at(side) > after:
        return wish
    return Hold("same_quote", triggers=(SideUpdated(side, after),))


def participation(scene: Scene, wish: Wish) -> Wish | Hold:
    """Own volume at most `max_participation` of the market's, own included.

    Moves in steps of a slice's fifth, so that a cap does not make one-share children.
    """
    task, ex = scene.execution.task, scene.execution
    cap = task.max_participation
    if cap is None or cap >= 1:
        return wish
    used = ex.filled + ex.reserved
    lot = task.instrument.lot
    # Multiplied before divided: a ratio like 1/9 is not exact.
    room = floor_to(cap * scene.market.volume / (1 - cap), lot) - used
    if room >= wish.qty:
        return wish
    step = min(wish.qty, ceil_to(max(scene.envelope.step / 5, _minimum(scene)), lot))
    if room >= step:
        return replace(wish, qty=floor_to(room, step), bound="participation")
    needed = ceil_to(used + step, lot) * (1 - cap) / cap
    return Hold("participation", triggers=(VolumeReaches(task.start, needed),))


def max_child(scene: Scene, wish: Wish) -> Wish | Hold:
    """No child larger than the order allows, and not too many of them at once."""
    if len(scene.execution.children) >= OPEN_CHILDREN_MAX:
        return Hold("open_children")
    largest = scene.execution.task.params.get("max_child")
    if not largest or wish.qty <= largest:
        return wish
    return replace(wish, qty=largest, bound="max_child")


def lots(scene: Scene, wish: Wish) -> Wish | Hold:
    """Whole lots only."""
    qty = floor_to(wish.qty, scene.execution.task.instrument.lot)
    return replace(wish, qty=qty) if qty > 0 else Hold("lots", until=scene.envelope.next_at)


def min_child(scene: Scene, wish: Wish) -> Wish | Hold:
    """Too small a child waits for the next slice; the order's last one is always sent."""
    if wish.qty >= min(_minimum(scene), scene.execution.unsent):
        return wish
    return Hold("min_child", until=scene.envelope.next_at)


def limit_price(scene: Scene, wish: Wish) -> Wish | Hold:
    """Never worse than the order's own limit, after rounding to ticks."""
    task, quote = scene.execution.task, scene.quote
    limit = task.limit_price
    if wish.purpose is Purpose.CROSS:
        price = quote.far(task.side)
        if limit is not None and task.side.sign * (price - limit) > 0:
            return Hold("limit_price", triggers=(PriceReaches(task.side, limit),))
        return replace(wish, price=price, time_in_force=TimeInForce.IOC)
    price = quote.near(task.side)
    if limit is not None:
        price = limit if task.algo == "limit" else _better(task.side, price, limit)
    price = passive_tick(price, task.instrument.tick, task.side)
    return replace(wish, price=price, time_in_force=TimeInForce.DAY)


def collar(scene: Scene, wish: Wish) -> Wish | Hold:
    """Not further from the last trade than the house allows (a limit may rest further away)."""
    task, last = scene.execution.task, scene.market.last
    if last is None or last <= 0:
        return wish
    reach = last * task.policy.collar
    furthest = last + task.side.sign * reach
    if task.side.sign * (wish.price - furthest) <= 0:
        return wish
    # The touch comes back inside, or the next trade moves the collar.
    traded = VolumeReaches(scene.market.last_at or scene.now, task.instrument.lot)
    crosses = wish.purpose is Purpose.CROSS
    triggers = (PriceReaches(task.side, furthest), traded) if crosses else (traded,)
    return Hold("collar", triggers=triggers)


def self_match(scene: Scene, wish: Wish) -> Wish | Hold:
    """Never trade with another order of the same account."""
    side = scene.execution.task.side
    own = scene.desk.own_ask if side is Side.BUY else scene.desk.own_bid
    if own is None or side.sign * (wish.price - own) < 0:
        return wish
    # A crossing child is priced at the far touch, a resting one at the near: the other's far.
    touch = side if wish.purpose is Purpose.CROSS else side.other
    return Hold("self_match", triggers=(TouchMoved(touch, scene.quote.far(touch)),))


Guard = Callable[[Scene, Wish], Wish | Hold]

GUARDS: tuple[Guard, ...] = (
    rejections,
    stale_quote,
    crossed_book,
    same_quote,
    participation,
    max_child,
    lots,
    min_child,
    limit_price,
    collar,
    self_match,
)


def guarded(scene: Scene, wish: Wish) -> Wish | Hold:
    """The child as the guards let it through, or the first that holds it."""
    for guard in GUARDS:
        verdict = guard(scene, wish)
        if isinstance(verdict, Hold):
            return verdict
        wish = verdict
    return wish


def _minimum(scene: Scene) -> Decimal:
    task = scene.execution.task
    return max(task.params.get("min_child") or ZERO, task.instrument.min_qty)


def _better(side: Side, price: Decimal, limit: Decimal) -> Decimal:
    return min(price, limit) if side is Side.BUY else max(price, limit)
