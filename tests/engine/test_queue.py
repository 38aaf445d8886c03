"""Who may work: never more than the limit, by rank, and nobody is forgotten while there is room."""

from dataclasses import dataclass, replace
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule

from app.domain.actions import Decision, Move
from app.domain.execution import accepted
from app.domain.fact import Moved, OrderFact, Paused, Resumed
from app.domain.fold import apply
from app.domain.lifecycle import OrderStatus
from app.domain.quantity import ZERO
from app.engine.queue import Queue
from app.engine.working import Working
from tests.domain.tasks import OPEN, a_task

S = OrderStatus
WAITS = Decision(bound="concurrency")
BEGINS = Decision((Move(S.WORKING),))


def order(name: str, *moves: OrderStatus, priority: int = 0) -> Working:
    execution = accepted(a_task()._replace(order_id=name))
    for status in moves:
        execution = apply(execution, Moved(OPEN, status))
    return Working(execution, 1, None, None, ZERO, priority)


def begun(name: str) -> Working:
    return order(name, S.WORKING)


def queue(most: int | None, *orders: Working) -> Queue:
    made = Queue(most)
    for one in orders:
        made.put(one)
    return made


def decided(queue: Queue, one: Working) -> bool:
    """Have one order decide as `decide` does; whether it begins."""
    one.decided = WAITS if queue.full_for(one) else BEGINS
    queue.note(one)
    return one.decided is BEGINS


def test_any_number_may_work_where_no_limit_is_set() -> None:
    made = queue(None, *(begun(f"o{k}") for k in range(50)))
    assert decided(made, order("o99"))
    assert made.turn() is None


def test_whoever_begins_is_seen_by_the_next_at_the_same_moment() -> None:
    made = queue(1)
    assert decided(made, order("o1", S.SCHEDULED))
    assert not decided(made, order("o2", S.SCHEDULED))


def test_an_order_that_is_resumed_takes_its_place_at_once() -> None:
    made = queue(1, paused := order("o1", S.SCHEDULED, S.PAUSED))
    paused.decided = Decision((Move(S.WORKING, "resumed"),))
    made.note(paused)
    assert made.full_for(order("o2", S.SCHEDULED))


def test_a_free_place_goes_by_priority_then_by_age() -> None:
    working = begun("o1")
    made = queue(1, working)
    waiting = [
        order("o2", S.SCHEDULED),
        order("o4", S.SCHEDULED, priority=5),
        order("o3", S.SCHEDULED, priority=5),
    ]
    assert not any(decided(made, one) for one in waiting)
    assert made.turn() is None
    made.drop(working)
    served = []
    while (turn := made.turn()) is not None:
        (one,) = (o for o in waiting if o.order_id == turn)
        assert decided(made, one)
        made.drop(one)
        served.append(turn)
    assert served == ["o3", "o4", "o2"]


@pytest.mark.parametrize("status", [S.WORKING, S.CLOSING, S.NEEDS_OPERATOR])
def test_an_order_that_has_begun_keeps_its_place(status: OrderStatus) -> None:
    made = queue(1, one := order("o1", *{S.WORKING: 0, status: 0}))
    assert not made.full_for(one)
    assert made.full_for(order("o2", S.SCHEDULED, priority=9))


def test_paused_before_its_first_child_an_order_asks_for_a_place_again() -> None:
    """Its place was never used; back from its pause it must not be one too many."""
    made = queue(1, begun("o1"), paused := order("o2", S.SCHEDULED, S.PAUSED))
    assert made.full_for(paused)
    made.drop(begun("o1"))
    assert not made.full_for(paused)


def test_paused_after_its_first_child_an_order_keeps_its_place() -> None:
    one = order("o1", S.WORKING, S.PAUSED)
    one.execution = replace(one.execution, next_child=2)
    assert queue(1, one).full_for(order("o2", S.SCHEDULED))


def test_one_that_waited_and_is_paused_leaves_its_turn_to_the_next() -> None:
    working, first, second = begun("o1"), order("o2", S.SCHEDULED), order("o3", S.SCHEDULED)
    made = queue(1, working, first, second)
    assert not decided(made, first)
    assert not decided(made, second)
    made.drop(working)
    assert made.turn() == "o2"
    first.decided = Decision((Move(S.PAUSED, "requested"),))
    made.note(first)
    assert made.turn() == "o3"


@dataclass
class Client:
    """An order as the machine below knows it."""

    working: Working
    over: bool = False

    def book(self, fact: OrderFact) -> None:
        self.working.execution = apply(self.working.execution, fact)

    @property
    def status(self) -> OrderStatus:
        return self.working.execution.status


class Desk(RuleBasedStateMachine):
    """A desk that decides whoever is woken, in the order of ranks, and drops who is over.

    After every step each order that the queue names has been decided: as on the roster.
    """

    orders: Bundle[Client] = Bundle("orders")

    def __init__(self) -> None:
        super().__init__()
        self.most = 0
        self.queue = Queue(1)
        self.clients: dict[str, Client] = {}

    @rule(most=st.integers(1, 3))
    def limit(self, most: int) -> None:
        """Only before the first order: a desk opens with its limit."""
        if not self.clients:
            self.most, self.queue = most, Queue(most)

    @rule(target=orders, priority=st.integers(0, 2))
    def enter(self, priority: int) -> Any:
        if not self.most:
            return multiple()
        client = Client(order(f"o{len(self.clients):03}", S.SCHEDULED, priority=priority))
        self.clients[client.working.order_id] = client
        self._settle(client)
        return client

    @rule(client=orders)
    def send(self, client: Client) -> None:
        """From its first child on an order has used its place."""
        if client.status is S.WORKING and not client.over:
            execution = client.working.execution
            client.working.execution = replace(execution, next_child=execution.next_child + 1)
            self.queue.put(client.working)

    @rule(client=orders)
    def pause(self, client: Client) -> None:
        if client.status in (S.SCHEDULED, S.WORKING):
            client.book(Paused(OPEN))
            self._settle(client)

    @rule(client=orders)
    def resume(self, client: Client) -> None:
        if client.status is S.PAUSED:
            client.book(Resumed(OPEN))
            self._settle(client)

    @rule(client=orders)
    def end(self, client: Client) -> None:
        if not client.over:
            client.over = True
            self.queue.drop(client.working)
            self._settle()

    @rule(client=orders)
    def stale(self, client: Client) -> None:
        """Decided to begin, and the commit found that the order had moved on."""
        if client.status is S.SCHEDULED and not client.over and decided(self.queue, client.working):
            self.queue.put(client.working)
            self._settle(client)

    def _settle(self, client: Client | None = None) -> None:
        if client is not None and not client.over:
            self._decide(client)
        for _ in range(2 * len(self.clients) + 2):
            turn = self.queue.turn()
            if turn is None:
                return
            self._decide(self.clients[turn])
        raise AssertionError("the same order is called again and again")

    def _decide(self, client: Client) -> None:
        """What `decide` says of places."""
        one, full = client.working, self.queue.full_for(client.working)
        asked = one.execution.pause_requested
        waits = full and one.execution.next_child == 1
        if asked:
            to = None if client.status is S.PAUSED else S.PAUSED
        elif client.status is S.PAUSED:
            to = S.SCHEDULED if waits else S.WORKING
        else:
            to = S.WORKING if client.status is S.SCHEDULED and not full else None
        stays = WAITS if client.status is S.SCHEDULED else Decision()
        one.decided = stays if to is None else Decision((Move(to, "why"),))
        if to is S.WORKING:
            self._may_begin(client)
        self.queue.note(one)
        if to is not None:
            client.book(Moved(OPEN, to))
            self.queue.put(one)
            if to is S.SCHEDULED:
                self._decide(client)

    def _may_begin(self, client: Client) -> None:
        """By priority, then by age: as many places are left as better ones wait, and one more."""
        if self._has_place(client):
            return
        better = [c for c in self._waiting() if c.working.rank < client.working.rank]
        assert self._at_work() + len(better) < self.most

    @staticmethod
    def _has_place(client: Client) -> bool:
        used = client.working.execution.next_child > 1
        return client.status is S.WORKING or (client.status is S.PAUSED and used)

    def _at_work(self) -> int:
        return sum(self._has_place(c) for c in self.clients.values() if not c.over)

    def _waiting(self) -> list[Client]:
        return [c for c in self.clients.values() if c.status is S.SCHEDULED and not c.over]

    @invariant()
    def never_more_than_the_limit(self) -> None:
        assert self._at_work() <= self.most

    @invariant()
    def nobody_waits_beside_a_free_place(self) -> None:
        assert not self._waiting() or self._at_work() == self.most

    @invariant()
    def those_who_wait_are_told_to(self) -> None:
        assert all(self.queue.full_for(client.working) for client in self._waiting())


TestDesk = Desk.TestCase
TestDesk.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
