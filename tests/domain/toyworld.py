"""A world small enough to check everything: a market of a few rows, a venue, and one order.

The world steps through every moment at which anything happens. Where nothing woke the order, it
decides all the same and must do nothing: so every release condition is proven exact, and no
quantity is stalled behind one that never comes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from random import Random

from app.domain.actions import Action, Cancel, Decision, Force, Move, Replan, Send, Trip
from app.domain.algos import BY_NAME
from app.domain.auction import cutoff_of
from app.domain.decide import decide
from app.domain.desk import Desk
from app.domain.execution import Child, Execution, accepted
from app.domain.fact import (
    BecameUnknown,
    ChildCanceled,
    ChildCancelRequested,
    ChildExpired,
    ChildFact,
    ChildRejected,
    ExitForced,
    Filled,
    Intended,
    Moved,
    OrderFact,
    Purpose,
    Replanned,
    Rested,
    Sent,
    StopHit,
    TimeInForce,
)
from app.domain.fold import apply, apply_to_child
from app.domain.forecast import session_bins
from app.domain.instant import MINUTE, Instant, Micros
from app.domain.lifecycle import ORDER_DONE, ChildStatus, OrderStatus
from app.domain.market import Anchored, Market, Quote
from app.domain.plan import CATCH_UP_SLICES, Trajectory
from app.domain.quantity import ZERO, Side
from app.domain.session import Session, session_from
from app.domain.tape_condition import QuoteTrigger
from app.domain.task import Anchor, Task
from app.domain.trigger import (
    BookUncrossed,
    MixReaches,
    PriceReaches,
    PriceWithin,
    QuoteUpdated,
    SideUpdated,
    SizeReaches,
    TouchMoved,
    Trigger,
    VolumeReaches,
)

AUCTION_TAKES = MINUTE

MOST_DECISIONS = 400
"""At one moment: more would be a loop."""


@dataclass(frozen=True)
class Row:
    """The market from `at` on; `volume` counts from the order's start."""

    at: Instant
    quote: Quote | None
    last: Decimal | None = None
    volume: Decimal = ZERO


def fires(trigger: Trigger, market: Market, anchor: Anchor | None = None) -> bool:
    """Whether a trigger's condition holds, said again in the plainest way."""
    if isinstance(trigger, VolumeReaches):
        anchored = anchor is not None and trigger.since == anchor.at
        seen = market.anchored if anchored else market
        return seen is not None and seen.volume >= trigger.volume
    return market.quote is not None and shows(trigger, market.quote)


def shows(trigger: QuoteTrigger, quote: Quote) -> bool:
    match trigger:
        case PriceReaches(side, price):
            return quote.far(side) <= price if side is Side.BUY else quote.far(side) >= price
        case PriceWithin(side, low, high):
            return low <= quote.far(side) <= high
        case TouchMoved(side, price):
            return quote.far(side) != price
        case MixReaches(side, part, whole, price):
            near, far = quote.near(side), quote.far(side)
            away = (near * (whole - part) + far * part) - price * whole
            return away >= 0 if side is Side.BUY else away <= 0
        case SizeReaches(side, size):
            return quote.far_size(side) >= size
        case SideUpdated(side, after):
            return quote.far_at(side) > after
        case QuoteUpdated(after):
            return quote.at > after
        case BookUncrossed():
            return quote.bid < quote.ask


@dataclass
class Resting:
    child_id: str
    side: Side
    price: Decimal
    leaves: Decimal


@dataclass
class Venue:
    """Fills crossing children up to the displayed size, resting ones when the market comes.

    `refuses`, `silent` and `throws_out` are probabilities; reports arrive `lag` later. At
    `auction_at` the closing auction prints: some of what is in it fills, the rest expires;
    `frees`: until then it can be canceled.
    """

    rng: Random = field(default_factory=lambda: Random(0))
    lag: Micros = 0
    refuses: float = 0
    refusal: str = "no"
    silent: float = 0
    throws_out: float = 0
    hits: float = 0.5
    frees: bool = True
    auction_at: Instant = 0
    auction: dict[str, Resting] = field(default_factory=dict)
    resting: dict[str, Resting] = field(default_factory=dict)
    reports: list[tuple[Instant, ChildFact]] = field(default_factory=list)
    executions: int = 0

    def submit(self, order: Intended, market: Market, now: Instant) -> None:
        roll = self.rng.random()
        if roll < self.refuses:
            self.reports.append((now, ChildRejected(now, order.child_id, self.refusal)))
        elif roll < self.refuses + self.silent:
            self.reports.append((now, BecameUnknown(now, order.child_id, "timeout")))
            if self.rng.random() < 0.5:
                self._take(order, market, now, now + 3 * self.lag + 2_000_000)
            else:
                later = now + 5_000_000
                self.reports.append((later, ChildRejected(later, order.child_id, "absent")))
        else:
            self.reports.append((now, Sent(now, order.child_id, "b" + order.child_id)))
            self._take(order, market, now, now + self.lag)

    def _take(self, order: Intended, market: Market, now: Instant, heard: Instant) -> None:
        quote = market.quote
        leaves = order.qty
        closing = order.time_in_force is TimeInForce.CLS
        if (
            not closing
            and quote is not None
            and order.side.sign * (quote.far(order.side) - order.price) <= 0
        ):
            taken = min(leaves, quote.far_size(order.side))
            leaves -= taken
            self._fill(order.child_id, taken, order.price, now, heard)
        if leaves == 0:
            return
        if order.time_in_force is TimeInForce.IOC:
            self.reports.append((heard, ChildCanceled(now, order.child_id, "ioc")))
        elif self.rng.random() < self.throws_out:
            self.reports.append((heard, ChildCanceled(now, order.child_id, "thrown out")))
        else:
            book = self.auction if closing else self.resting
            book[order.child_id] = Resting(order.child_id, order.side, order.price, leaves)
            self.reports.append((heard, Rested(now, order.child_id)))

    def _fill(
        self, child_id: str, qty: Decimal, price: Decimal, now: Instant, heard: Instant
    ) -> None:
        if qty > 0:
            self.executions += 1
            name = f"x{self.executions}"
            fact = Filled(now, child_id, name, qty, price, ZERO, "taker")
            self.reports.append((heard, fact))

    def cancel(self, child_id: str, now: Instant) -> None:
        waits = self.auction.pop(child_id, None) if self.frees else None
        if self.resting.pop(child_id, waits) is not None:
            heard = now + self.lag
            self.reports.append((heard, ChildCanceled(heard, child_id, "asked")))

    def advance(self, row: Row) -> None:
        """What the market does to what rests, before anybody else hears of it."""
        if row.quote is None:
            return
        for order in list(self.resting.values()):
            through = order.side.sign * (row.quote.far(order.side) - order.price) <= 0
            if not through and self.rng.random() >= self.hits:
                continue
            most = row.quote.far_size(order.side) if through else Decimal(self.rng.randint(1, 60))
            qty = min(order.leaves, most)
            order.leaves -= qty
            self._fill(order.child_id, qty, order.price, row.at, row.at + self.lag)
            if order.leaves == 0:
                del self.resting[order.child_id]

    def uncross(self, market: Market, now: Instant) -> None:
        """The auction at the last price, for as much as chance leaves."""
        for order in self.auction.values():
            inside = market.last is not None and order.side.sign * (market.last - order.price) <= 0
            filled = self.rng.choice([ZERO, order.leaves // 2, order.leaves]) if inside else ZERO
            self._fill(order.child_id, filled, market.last or order.price, now, now + self.lag)
            if filled < order.leaves:
                self.reports.append((now + self.lag, ChildExpired(now, order.child_id, "closed")))
        self.auction = {}

    def hear(self, now: Instant) -> list[ChildFact]:
        ready = [fact for at, fact in self.reports if at <= now]
        self.reports = [(at, fact) for at, fact in self.reports if at > now]
        return ready

    def next_at(self) -> Instant | None:
        auction = [self.auction_at] if self.auction else []
        return min((*auction, *(at for at, _ in self.reports)), default=None)


Command = Callable[[Execution], OrderFact | None]


@dataclass
class World:
    """One order from acceptance to its end. `asleep` is when nobody decides."""

    task: Task
    rows: Sequence[Row]
    venue: Venue = field(default_factory=Venue)
    desk: Desk = field(default_factory=Desk)
    sessions: tuple[Session, ...] = ()
    commands: Sequence[tuple[Instant, Command]] = ()
    asleep: tuple[Instant, Instant] | None = None
    extra: Sequence[Instant] = ()
    execution: Execution = field(init=False)
    children: dict[str, Child] = field(default_factory=dict)
    sends: list[tuple[Instant, Send]] = field(default_factory=list)
    cancels: list[tuple[Instant, Cancel]] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    replans: list[tuple[Instant, Decimal]] = field(default_factory=list)
    forced: list[tuple[Instant, str]] = field(default_factory=list)
    bounds: list[str] = field(default_factory=list)
    decision: Decision = field(default_factory=Decision)
    plans: dict[tuple[int, Anchor], Trajectory] = field(default_factory=dict)
    now: Instant = 0

    def __post_init__(self) -> None:
        self.execution = accepted(self.task)
        self.sessions = self.sessions or (self.task.session,)
        self.venue.auction_at = self.task.session.closes_at + AUCTION_TAKES

    # Moments

    def run(self, until: Instant | None = None) -> "World":
        """To the order's end, or to just before `until`."""
        todo = sorted({row.at for row in self.rows} | set(self.extra), reverse=True)
        self.step(self.now or min([*todo, self.task.start]), woken=True)
        while not self.execution.done:
            while todo and todo[-1] <= self.now:
                todo.pop()
            upcoming = [
                *todo[-1:],
                *[at for at, _ in self.commands if at > self.now],
                *([at] if (at := self.venue.next_at()) is not None else []),
                *([at] if (at := self.waking()) is not None else []),
            ]
            assert upcoming, f"stalled at {self.now} behind {self.decision.bound}"
            if until is not None and min(upcoming) >= until:
                return self
            self.step(min(upcoming))
        return self

    def waking(self) -> Instant | None:
        at = self.decision.look_at
        if self.asleep is None:
            return at
        low, high = self.asleep
        if self.now < high and (at is None or at >= low or self.now >= low):
            return high
        return at

    def sleeping(self, now: Instant) -> bool:
        return self.asleep is not None and self.asleep[0] <= now < self.asleep[1]

    def step(self, now: Instant, woken: bool = False) -> None:
        """One moment: the market, then the venue, then commands, then the order."""
        assert now >= self.now
        if self.asleep is not None and self.now < self.asleep[1] <= now:
            woken = True
        self.now = now
        for row in self.rows:
            if row.at == now:
                self.venue.advance(row)
        market = self.market(now)
        if self.venue.auction and now >= self.venue.auction_at:
            self.venue.uncross(market, now)
        look_at = self.decision.look_at
        woken = woken or (look_at is not None and look_at <= now)
        woken = woken or any(
            fires(t, market, self.execution.anchor) for t in self.decision.triggers
        )
        for fact in self.venue.hear(now):
            self.hear(fact)
            woken = True
        for at, command in self.commands:
            if at == now and (order_fact := command(self.execution)) is not None:
                self.execution = apply(self.execution, order_fact)
                woken = True
        if self.sleeping(now):
            return
        if not woken:
            idle = self.decide(market)
            assert not idle.actions, f"{idle.actions} at {now}, but was held by {self.decision}"
            return
        self.settle(market)

    def settle(self, market: Market) -> None:
        """Decide until there is nothing left to do at this moment."""
        before = self.committed()
        allowed = self.burst()
        for _ in range(MOST_DECISIONS):
            market = self.market(self.now)
            self.decision = self.decide(market)
            if self.decision.bound is not None:
                self.bounds.append(self.decision.bound)
            if not self.decision.actions:
                break
            for action in self.decision.actions:
                self.act(action, market)
                if isinstance(action, Replan):
                    allowed = self.burst()
            burst = self.committed() - before
            assert burst <= allowed, f"a burst of {burst} at {self.now}, {allowed} allowed"
            for fact in self.venue.hear(self.now):
                self.hear(fact)
        else:
            raise AssertionError(f"a loop at {self.now}: {self.decision}")
        if not self.execution.done:
            self.check_quiet(market)

    def committed(self) -> Decimal:
        return self.execution.filled + self.execution.reserved

    def burst(self) -> Decimal:
        """How much more may be out after one moment than before it."""
        plan, task = self.plan(), self.execution.task
        if self.out_of_market:
            return task.qty
        willing = task.params.get("would_price") is not None
        return CATCH_UP_SLICES * plan.largest if plan.spreads and not willing else task.qty

    @property
    def out_of_market(self) -> bool:
        cutoff = cutoff_of(self.execution.task)
        return cutoff is not None and self.now >= cutoff

    def check_quiet(self, market: Market) -> None:
        again = self.decide(market)
        assert again == self.decision, "deciding again at the same moment said something else"
        look_at = self.decision.look_at
        assert look_at is None or look_at > self.now, f"look again at {look_at}, it is {self.now}"
        for trigger in self.decision.triggers:
            assert not fires(trigger, market, self.execution.anchor), (
                f"waits for {trigger}, which holds already"
            )

    # Parts

    def market(self, now: Instant) -> Market:
        row = next((r for r in reversed(self.rows) if r.at <= now), None)
        session = session_from(self.sessions, now)
        if row is None:
            return Market(None, session=session)
        anchor = self.execution.anchor.at
        before = next((r.volume for r in reversed(self.rows) if r.at <= anchor), ZERO)
        anchored = Anchored(row.volume - before)
        last_at = row.at if row.last else None
        return Market(
            row.quote,
            row.last,
            last_at,
            row.volume,
            session,
            anchored=anchored,
            profile=self.profile(now),
        )

    def profile(self, now: Instant) -> tuple[float, ...]:
        """The volume of each bin that is over, for an order that starts with its session."""
        task = self.task
        if not BY_NAME[task.algo].profiled(task):
            return ()
        edges = [edge for edge in session_bins(task.curve, task.session) if edge <= now]
        seen = [
            next((r.volume for r in reversed(self.rows) if r.at < edge), ZERO) for edge in edges
        ]
        return tuple(float(b - a) for a, b in pairwise(seen))

    def plan(self) -> Trajectory:
        key = (id(self.execution.task), self.execution.anchor)
        if key not in self.plans:
            task = self.execution.task
            self.plans[key] = BY_NAME[task.algo].plan(task, self.execution.anchor)
            self.kept.append(task)
        return self.plans[key]

    kept: list[Task] = field(default_factory=list)

    def decide(self, market: Market) -> Decision:
        return decide(self.execution, self.plan(), self.desk, market, self.now)

    def hear(self, fact: ChildFact) -> None:
        old = self.children[fact.child_id]
        self.execution, self.children[fact.child_id] = apply_to_child(self.execution, fact, old)
        self.check_parts()

    def act(self, action: Action, market: Market) -> None:
        now = self.now
        match action:
            case Move(status, reason):
                self.moves.append(action)
                self.execution = apply(self.execution, Moved(now, status, reason))
            case Replan(done, reason):
                self.replans.append((now, done))
                self.execution = apply(self.execution, Replanned(now, done, reason))
            case Trip(price):
                self.forced.append((now, "stop"))
                self.execution = apply(self.execution, StopHit(now, price))
            case Force(reason):
                self.forced.append((now, reason))
                self.execution = apply(self.execution, ExitForced(now, reason))
            case Cancel(child_id, reason):
                child = self.children[child_id]
                assert child.live
                assert child.cancel_requested_at is None
                self.check_cancel(child)
                self.cancels.append((now, action))
                self.hear(ChildCancelRequested(now, child_id, reason))
                self.venue.cancel(child_id, now)
            case Send():
                self.send(action, market)

    def send(self, send: Send, market: Market) -> None:
        self.check_send(send, market)
        number = self.execution.next_child
        fact = Intended(
            self.now,
            f"c{number}",
            number,
            send.side,
            send.qty,
            send.price,
            send.purpose,
            send.time_in_force,
            send.quote_at,
            send.stop_price,
            send.stop_limit_price,
        )
        self.execution = apply(self.execution, fact)
        child = self.execution.child(fact.child_id)
        assert child is not None
        self.children[fact.child_id] = child
        self.sends.append((self.now, send))
        self.check_parts()
        self.venue.submit(fact, market, self.now)

    # What must hold whatever happens

    def check_parts(self) -> None:
        e = self.execution
        whole = e.filled + e.working + e.unknown + e.unsent + e.canceled
        assert whole == e.task.qty + e.excess
        assert e.filled + e.reserved <= e.task.qty
        assert e.filled == sum((c.filled for c in self.children.values()), start=ZERO)

    def check_cancel(self, child: Child) -> None:
        """What is in the auction stays there unless somebody wants it out."""
        e = self.execution
        wanted = e.cancel_reason is not None or e.pause_requested or e.filled >= e.task.qty
        limit = e.task.limit_price
        beyond = limit is not None and e.task.side.sign * (child.price - limit) > 0
        assert child.purpose is not Purpose.CLOSE or wanted or beyond

    def check_purpose(self, send: Send) -> None:
        """In the market before the cutoff; from then on in the auction, and nothing beside it."""
        assert self.out_of_market is (send.purpose is Purpose.CLOSE)
        extended = TimeInForce.DAY_EXTENDED if self.execution.task.extended_hours else None
        if send.purpose is Purpose.CLOSE:
            assert send.time_in_force is TimeInForce.CLS
            assert self.desk.auction
            for child in self.execution.children:
                assert child.purpose is Purpose.CLOSE or child.status is ChildStatus.UNKNOWN
        elif send.purpose is Purpose.CROSS:
            assert send.time_in_force is (extended or TimeInForce.IOC)
        else:
            assert send.time_in_force is (extended or TimeInForce.DAY)

    def check_send(self, send: Send, market: Market) -> None:
        e, quote = self.execution, market.quote
        task, instrument = e.task, e.task.instrument
        assert e.status is OrderStatus.WORKING
        assert not e.pause_requested
        assert e.cancel_reason is None
        assert e.excess == 0
        assert self.desk.halt is None
        assert task.start <= self.now < task.end
        assert market.session is not None
        assert market.session.contains(self.now)
        assert quote is not None
        assert self.now - quote.at <= task.policy.max_quote_age
        assert quote.bid < quote.ask or send.purpose is Purpose.CLOSE
        self.check_purpose(send)
        assert 0 < send.qty <= e.unsent
        assert send.qty % instrument.lot == 0
        assert send.qty <= (task.params.get("max_child") or send.qty)
        least = max(instrument.min_qty, task.params.get("min_child") or ZERO)
        held = e.unsent if self.desk.held is None else abs(self.desk.held)
        assert send.qty >= min(least, e.unsent, held)
        self.check_price(send, market, quote)
        if task.max_participation is not None:
            own = e.filled + e.reserved + send.qty
            assert own <= task.max_participation * (own + market.volume)
        if send.purpose is Purpose.CROSS:
            taken = [s.quote_at for _, s in self.sends if s.purpose is Purpose.CROSS]
            assert all(at < send.quote_at for at in taken), "the same displayed size, twice"
        if e.rejected_at is not None:
            assert self.now >= e.rejected_at + 1_000_000

    def check_price(self, send: Send, market: Market, quote: Quote) -> None:
        task = self.execution.task
        assert send.side is task.side
        assert send.price % task.instrument.tick == 0
        sign = task.side.sign
        if task.limit_price is not None:
            assert sign * (send.price - task.limit_price) <= 0
        if send.purpose is Purpose.CROSS:
            assert send.price == quote.far(task.side)
        if market.last is not None:
            furthest = market.last * (1 + sign * task.policy.collar)
            assert sign * (send.price - furthest) <= 0
        own = self.desk.own_ask if task.side is Side.BUY else self.desk.own_bid
        assert own is None or sign * (send.price - own) < 0


def ended(world: World) -> OrderStatus:
    """The terminal status, with everything accounted for."""
    e = world.execution
    assert e.status in ORDER_DONE
    assert e.children == ()
    assert e.reserved == e.unsent == 0
    assert e.filled + e.canceled == e.task.qty + e.excess
    return e.status
