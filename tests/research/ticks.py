"""Oracles for virtual time: every row is a moment, nothing is searched, nothing is skipped.

`Ticks` decides where the order asked to be woken: at its own moment, when one of its triggers
holds after a row, or when it hears something. With `every` it decides at every moment.
"""

from bisect import bisect_right
from collections import defaultdict
from heapq import heappop, heappush
from itertools import pairwise
from operator import itemgetter
from typing import Any

from app.domain.actions import Decision
from app.domain.algos import BY_NAME
from app.domain.consequence import facts_of
from app.domain.decide import decide
from app.domain.desk import Desk
from app.domain.execution import accepted
from app.domain.fact import (
    ChildCanceled,
    ChildCancelRequested,
    ChildExpired,
    ChildFact,
    ChildRejected,
    Fact,
    Filled,
    Intended,
    Rested,
    Sent,
)
from app.domain.fold import apply
from app.domain.instant import Instant, Micros
from app.domain.market import Anchored, Market, Quote
from app.domain.quantity import ZERO, Side
from app.domain.session import Session, session_from
from app.domain.tape import Tape
from app.domain.task import Task
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
from tests.brokers.oracle import CancelAt
from tests.research.exchange import Exchange

ROUNDS_MAX = 1_000
Row = tuple[Any, ...]


class Ticks:
    """One order, worked row by row. `children` and `fills` are what it comes to."""

    def __init__(
        self, task: Task, tape: Tape, session: Session, latency: Micros, *, every: bool
    ) -> None:
        self.task, self.tape, self.session, self.latency = task, tape, session, latency
        self.every = every
        self.exchange = Exchange(tape, session.closes_at)
        self.execution = accepted(task)
        self.plan = BY_NAME[task.algo].plan(task, self.execution.anchor)
        self.decision = Decision(look_at=task.start)
        self.decided_at = task.start - 1
        self.woken = True
        self.quote: Quote | None = None
        self.last: Row | None = None
        self.prints: list[tuple[Instant, int]] = []
        self.sums = [0]
        self.arrivals: defaultdict[Instant, list[Intended | CancelAt]] = defaultdict(list)
        self.untold: list[tuple[Instant, int, ChildFact]] = []
        self.moments: list[Instant] = []
        self.heard = 0
        self.numbers = 0
        self.children: list[Intended] = []
        self.fills: list[Filled] = []
        self.decisions = 0

    def run(self) -> None:
        rows = {*self.exchange.rows, *self.exchange.printed, self.session.closes_at}
        before = sorted(at for at in rows if at <= self.task.start)
        for at in before:
            self.learn(at)
            self.exchange.market(at)
        for at in (self.task.start, *(at for at in rows if at > self.task.start)):
            heappush(self.moments, at)
        seen = self.task.start
        while self.moments and not self.execution.done:
            now = heappop(self.moments)
            if now > seen:
                self.learn(now)
                self.exchange.market(now)
            seen = now
            self.settle(now)

    def learn(self, now: Instant) -> None:
        """Take in the rows of a moment, in whole Decimals."""
        tape = self.tape
        for row, bid_at, ask_at in self.exchange.rows.get(now, ()):
            _, bid, bid_size, ask, ask_size = row
            self.quote = Quote(
                tape.price(bid),
                tape.price(ask),
                tape.size(bid_size),
                tape.size(ask_size),
                bid_at,
                ask_at,
            )
        for _, price, size in self.exchange.printed.get(now, ()):
            self.last = (tape.price(price), now)
            self.prints.append((now, size))
            self.sums.append(self.sums[-1] + size)

    def volume(self, since: Instant) -> Any:
        return self.tape.size(self.sums[-1] - self.sums[self.count(since)])

    def count(self, until: Instant) -> int:
        """How many prints there were up to a moment."""
        return bisect_right(self.prints, until, key=itemgetter(0))

    def profile(self, now: Instant) -> tuple[float | None, ...]:
        """The volume of every bin of the curve that is over."""
        edges = [self.task.session.opens_at + edge for edge in self.task.curve.edges]
        if self.task.curve.edges[-1] != self.task.session.length:
            return ()
        return tuple(
            float(self.sums[self.count(ends - 1)] - self.sums[self.count(begins - 1)])
            if begins >= self.tape.since
            else None
            for begins, ends in pairwise(edges)
            if ends <= now
        )

    def settle(self, now: Instant) -> None:
        for told in self.arrivals.pop(now, ()):
            self.exchange.arrive(told, now)
        for _ in range(ROUNDS_MAX):
            busy = self.hear(now)
            if self.woken or self.every or self.due(now):
                busy |= self.decide(now)
            if not busy:
                return
        raise AssertionError("never quiet")

    def due(self, now: Instant) -> bool:
        look_at = self.decision.look_at
        if look_at is not None and self.decided_at < look_at <= now:
            return True
        fresh = now > self.decided_at
        return fresh and any(self.fires(trigger, now) for trigger in self.decision.triggers)

    def fires(self, trigger: Trigger, now: Instant) -> bool:
        quote = self.quote
        if isinstance(trigger, VolumeReaches):
            return now in self.exchange.printed and self.volume(trigger.since) >= trigger.volume
        if quote is None or now not in self.exchange.rows:
            return False
        return holds(trigger, quote)

    def decide(self, now: Instant) -> bool:
        self.decisions += 1
        self.woken = False
        market = Market(
            quote=self.quote,
            last=self.last[0] if self.last else None,
            last_at=self.last[1] if self.last else None,
            volume=self.volume(self.task.start),
            session=session_from([self.session], now),
            anchored=Anchored(self.volume(self.execution.anchor.at)),
            profile=self.profile(now) if BY_NAME[self.task.algo].profiled(self.task) else (),
        )
        decision = decide(self.execution, self.plan, Desk(), market, now)
        self.decision, self.decided_at = decision, now
        if decision.look_at is not None and decision.look_at > now:
            heappush(self.moments, decision.look_at)
        facts = facts_of(self.execution, decision, now)
        for fact in facts:
            self.book(fact)
        for fact in facts:
            if isinstance(fact, ChildCancelRequested):
                self.send(CancelAt(fact.child_id, now), now)
        for fact in facts:
            if isinstance(fact, Intended):
                self.children.append(fact)
                self.send(fact, now)
                self.book(Sent(now, fact.child_id, f"P-{self.numbers:06d}"))
        return bool(facts)

    def send(self, told: Intended | CancelAt, now: Instant) -> None:
        self.numbers += 1
        arrives = now + self.latency
        if arrives == now:
            self.exchange.arrive(told, now)
        else:
            self.arrivals[arrives].append(told)
            heappush(self.moments, arrives)

    def hear(self, now: Instant) -> bool:
        told = self.exchange.told
        for number in range(self.heard, len(told)):
            at, child_id, kind, qty, price = told[number]
            heappush(self.moments, at + self.latency)
            fact = self.fact(at, child_id, kind, qty, price, number)
            heappush(self.untold, (at + self.latency, number, fact))
        self.heard = len(told)
        due: list[ChildFact] = []
        while self.untold and self.untold[0][0] <= now:
            due.append(heappop(self.untold)[2])
        ends = (ChildCanceled, ChildExpired, ChildRejected)
        for fact in sorted(due, key=lambda fact: isinstance(fact, ends)):
            self.book(fact)
        return bool(due)

    def fact(
        self, at: Instant, child_id: str, kind: str, qty: int, price: Any, number: int
    ) -> ChildFact:
        match kind:
            case "maker" | "taker":
                size = self.tape.size(qty)
                return Filled(at, child_id, f"E-{number}", size, price, ZERO, kind)
            case "rested":
                return Rested(at, child_id)
            case "expired":
                return ChildExpired(at, child_id, "day_ended")
            case _:
                return ChildCanceled(at, child_id, "canceled")

    def book(self, fact: Fact) -> None:
        before = self.execution
        self.execution = apply(before, fact)
        if isinstance(fact, Filled):
            self.fills.append(fact)
        if self.execution.anchor != before.anchor:
            self.plan = BY_NAME[self.task.algo].plan(self.task, self.execution.anchor)
        self.woken = True


def holds(trigger: Trigger, quote: Quote) -> bool:
    """Whether a condition on quotes is met, said in the plainest way."""
    match trigger:
        case PriceReaches(side, price):
            return side.sign * (quote.far(side) - price) <= 0
        case PriceWithin(side, low, high):
            return low <= quote.far(side) <= high
        case TouchMoved(side, price):
            return quote.far(side) != price
        case SizeReaches(side, size):
            return quote.far_size(side) >= size
        case SideUpdated(side, after):
            return (quote.ask_at if side is Side.BUY else quote.bid_at) > after
        case QuoteUpdated(after):
            return max(quote.bid_at, quote.ask_at) > after
        case BookUncrossed():
            return quote.bid < quote.ask
        case MixReaches(side, part, whole, price):
            near, far = quote.near(side), quote.far(side)
            return side.sign * (near + (far - near) * part / whole - price) >= 0
        case VolumeReaches():
            raise AssertionError("no question to a quote")
