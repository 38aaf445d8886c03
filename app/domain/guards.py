"""The guards: what may hold a child back or make it smaller, the same for every algorithm.

They run in one order, after halt, session phase and catching up (`decide`), which concern the
order rather than a child. Each says exactly when it would let go: at a moment, or when the
market fires a trigger. A guard that made the child smaller without stopping it is `bound` too.
"""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from app.domain.auction import auction_price
from app.domain.fact import Purpose, TimeInForce
from app.domain.instant import SECOND
from app.domain.native_stop import stop_to_rest
from app.domain.placement import resting_price, shown_of
from app.domain.quantity import ZERO, Side, ceil_to, floor_to
from app.domain.reference import reference_price
from app.domain.scheduling import smaller
from app.domain.trigger import (
    BookUncrossed,
    PriceReaches,
    QuoteUpdated,
    SideUpdated,
    TouchMoved,
    Trigger,
    VolumeReaches,
)
from app.domain.wish import Hold, Scene, Wish

REJECTION_BACKOFF_MAX = 60 * SECOND

OPEN_CHILDREN_MAX = 100
"""Children of one order that may be open at once; a small `max_child` waits behind it."""


def closing_auction(scene: Scene, wish: Wish) -> Wish | Hold:
    """Only brokers that say so take children for the closing auction."""
    if wish.purpose is not Purpose.CLOSE or scene.desk.auction:
        return wish
    return Hold("closing_auction")


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
    """A locked or crossed book is no price: resting in it would resend for ever. The auction has
    a price of its own."""
    if scene.quote.uncrossed or wish.purpose is Purpose.CLOSE:
        return wish
    return Hold("crossed_book", triggers=(BookUncrossed(),))


def same_quote(scene: Scene, wish: Wish) -> Wish | Hold:
    """What was shown has been taken: wait until that side of the book speaks again."""
    crossing = scene.execution.crossing
    if wish.purpose is not Purpose.CROSS or crossing is None:
        return wish
    after = max(crossing.quote_at, crossing.filled_at or crossing.quote_at)
    side = scene.execution.task.side
    if scene.quote.far_at(side) > after:
        return wish
    return Hold("same_quote", triggers=(SideUpdated(side, after),))


def participation(scene: Scene, wish: Wish) -> Wish | Hold:
    """Own volume at most `max_participation` of the market's, own included.

    Moves in steps of a slice's fifth, so that a cap does not make one-share children. A tape with
    a part of the volume only is waited for as much longer. What the auction will trade is not
    known before: it gets what the cap leaves when the order first enters it, and no more later.
    """
    task, ex = scene.execution.task, scene.execution
    cap = task.max_participation
    if cap is None or cap >= 1:
        return wish
    auction = wish.purpose is Purpose.CLOSE
    entered = [c.intended_at for c in ex.children if auction and c.purpose is Purpose.CLOSE]
    if any(at < scene.now for at in entered):
        return Hold("participation")
    used = ex.filled + ex.reserved
    lot = task.instrument.lot
    # Multiplied before divided: a ratio like 1/9 is not exact.
    room = floor_to(cap * scene.market.volume / (1 - cap), lot) - used
    if room >= wish.qty:
        return wish
    least = ZERO if auction else scene.envelope.step / 5
    step = min(wish.qty, ceil_to(max(least, _minimum(scene)), lot))
    if room >= step:
        return replace(wish, qty=floor_to(room, lot if auction else step), bound="participation")
    if entered:
        return Hold("participation")
    needed = ceil_to(used + step, lot) * (1 - cap) / cap
    told = (needed + scene.market.own_volume) * scene.market.volume_coverage
    return Hold("participation", triggers=(VolumeReaches(task.start, told),))


def max_child(scene: Scene, wish: Wish) -> Wish | Hold:
    """No child larger than the order allows, and not too many of them at once."""
    if len(scene.execution.children) >= OPEN_CHILDREN_MAX:
        return Hold("open_children")
    largest = scene.execution.task.params.get("max_child")
    if not largest or wish.qty <= largest:
        return wish
    return replace(wish, qty=largest, bound="max_child")


def display(scene: Scene, wish: Wish) -> Wish | Hold:
    """Shows a part at a time, never more: the next one when nothing of the last is left."""
    task, ex = scene.execution.task, scene.execution
    shown = shown_of(task)
    if shown is None or wish.purpose is not Purpose.REST:
        return wish
    if any(child.purpose is Purpose.REST for child in ex.children):
        return Hold("display")
    part = shown * smaller(task, ex.next_child)
    part = max(floor_to(part, task.instrument.lot), _minimum(scene), task.instrument.lot)
    return wish if wish.qty <= part else replace(wish, qty=part, bound="display")


def lots(scene: Scene, wish: Wish) -> Wish | Hold:
    """Whole lots only."""
    qty = floor_to(wish.qty, scene.execution.task.instrument.lot)
    return replace(wish, qty=qty) if qty > 0 else Hold("lots", until=scene.envelope.next_at)


def min_child(scene: Scene, wish: Wish) -> Wish | Hold:
    """Too small a child waits for the next slice; the order's last one is always sent."""
    held = scene.desk.held
    last = scene.execution.unsent if held is None else min(scene.execution.unsent, abs(held))
    if wish.qty >= min(_minimum(scene), last):
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
        # In extended hours nothing is immediate-or-cancel: `lingering` cancels what is left.
        now_or_never = TimeInForce.DAY_EXTENDED if task.extended_hours else TimeInForce.IOC
        return replace(wish, price=price, time_in_force=now_or_never)
    if wish.purpose is Purpose.CLOSE:
        reference = reference_price(scene.market, quote, task.policy.collar)
        price = auction_price(task, reference) if reference is not None else ZERO
        if price <= 0:
            return Hold("collar", triggers=_repriced(scene))
        return replace(wish, price=price, time_in_force=TimeInForce.CLS)
    stop = stop_to_rest(scene.execution, scene.desk)
    if stop is not None:
        if limit is None:
            return replace(wish, price=stop.limit, stop_price=stop.price)
        wish = replace(wish, stop_price=stop.price, stop_limit_price=stop.limit)
    price = resting_price(task, scene.execution.rung, scene.envelope, quote, scene.now)
    until = TimeInForce.DAY_EXTENDED if task.extended_hours else TimeInForce.DAY
    return replace(wish, price=price, time_in_force=until)


def collar(scene: Scene, wish: Wish) -> Wish | Hold:
    """Not further from the reference than the house allows (a limit may rest further away).
    Without a reference only what rests at the near touch, or behind it, goes."""
    task = scene.execution.task
    if wish.stops_alone:
        return wish  # A stop alone: as far from where it is set off as the house allows.
    reference = reference_price(scene.market, scene.quote, task.policy.collar)
    if reference is None:
        harmless = task.side.sign * (wish.price - scene.quote.near(task.side)) <= 0
        return wish if harmless else Hold("collar", triggers=_repriced(scene))
    furthest = reference * (1 + task.side.sign * task.policy.collar)
    if task.side.sign * (wish.price - furthest) <= 0:
        return wish
    # The touch comes back inside, or the next trade moves the collar.
    crosses = wish.purpose is Purpose.CROSS
    back = (PriceReaches(task.side, furthest),) if crosses else ()
    return Hold("collar", triggers=(*back, *_repriced(scene)))


def child_limit(scene: Scene, wish: Wish) -> Wish | Hold:
    """No larger than the limits on one child, at the price it would be sent at."""
    desk, task = scene.desk, scene.execution.task
    most = wish.qty if desk.child_qty is None else min(wish.qty, desk.child_qty)
    if desk.child_notional is not None:
        most = min(most, desk.child_notional / wish.price)
    if most >= wish.qty:
        return wish
    qty = floor_to(most, task.instrument.lot)
    if qty > 0 and qty >= task.instrument.min_qty:
        return replace(wish, qty=qty, bound="child_limit")
    # Another price may let one lot through.
    touch = task.side if wish.purpose is Purpose.CROSS else task.side.other
    return Hold("child_limit", triggers=(TouchMoved(touch, scene.quote.far(touch)),))


def self_match(scene: Scene, wish: Wish) -> Wish | Hold:
    """Never trade with another order of the same account: in the closing auction, neither with
    what rests nor with what is there already."""
    side = scene.execution.task.side
    if wish.purpose is Purpose.CLOSE and side.other in scene.desk.auctioned:
        return Hold("self_match")
    own = scene.desk.own_ask if side is Side.BUY else scene.desk.own_bid
    if own is None or side.sign * (wish.price - own) < 0:
        return wish
    if wish.purpose is Purpose.CLOSE:
        return Hold("self_match", triggers=_repriced(scene))
    # A crossing child is priced at the far touch, a resting one at the near: the other's far.
    touch = side if wish.purpose is Purpose.CROSS else side.other
    return Hold("self_match", triggers=(TouchMoved(touch, scene.quote.far(touch)),))


def own_stop(scene: Scene, wish: Wish) -> Wish | Hold:
    """Brokers refuse a child against a stop of the same account that rests with them, whatever the
    prices. That stop goes because of the order that waits here."""
    return Hold("own_stop") if scene.desk.own_stop else wish


OF_THE_ACCOUNT = frozenset({"self_match", "own_stop"})
"""Guards that let go when another order of the account does something."""

Guard = Callable[[Scene, Wish], Wish | Hold]

GUARDS: tuple[Guard, ...] = (
    closing_auction,
    rejections,
    stale_quote,
    crossed_book,
    same_quote,
    participation,
    max_child,
    display,
    lots,
    min_child,
    limit_price,
    collar,
    child_limit,
    self_match,
    own_stop,
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


def _repriced(scene: Scene) -> tuple[Trigger, ...]:
    """The next trade, which moves the collar; before the first one, the next quote."""
    task, last = scene.execution.task, scene.market.last
    traded = VolumeReaches(scene.market.last_at or scene.now, task.instrument.lot)
    if last is not None and last > 0:
        return (traded,)
    return (traded, *(TouchMoved(side, scene.quote.far(side)) for side in Side))
