"""Any legal sequence of facts: the parts are always the whole."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from app.domain.execution import Execution
from app.domain.fact import (
    Amended,
    BecameUnknown,
    ChildCanceled,
    ChildCancelRequested,
    ChildExpired,
    ChildRejected,
    Fact,
    Moved,
    Paused,
    Purpose,
    Rested,
    Resumed,
    Sent,
)
from app.domain.lifecycle import ORDER_DONE, ORDER_MOVES, ChildStatus, OrderStatus
from app.domain.task import Anchor
from tests.domain.cases import Case
from tests.domain.tasks import OPEN


class Fold(RuleBasedStateMachine):
    """Facts in any order a broker might tell them, against sums kept by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.case = Case.working(qty=50)
        self.fills = 0
        self.excess = 0
        self.booked: dict[str, list[int]] = {}
        self.now = OPEN

    @property
    def e(self) -> Execution:
        return self.case.execution

    def names(self, *, live: bool | None = None) -> list[str]:
        children = self.case.children.values()
        return sorted(c.id for c in children if live is None or c.live is live)

    def pick(self, data: st.DataObject, *, live: bool | None = None) -> str:
        return data.draw(st.sampled_from(self.names(live=live)))

    def order(self, fact: Fact) -> None:
        self.case.order(fact)

    @rule(data=st.data(), purpose=st.sampled_from(Purpose))
    @precondition(lambda self: self.e.unsent > 0 and self.e.excess == 0 and not self.e.done)
    def intend(self, data: st.DataObject, purpose: Purpose) -> None:
        self.now += 1
        self.case.intend(data.draw(st.integers(1, int(self.e.unsent))), purpose, self.now)

    @rule(data=st.data(), kind=st.sampled_from([Sent, Rested, BecameUnknown, ChildCancelRequested]))
    @precondition(lambda self: self.names())
    def told(self, data: st.DataObject, kind: Callable[..., Any]) -> None:
        name = self.pick(data)
        self.case.hear(kind(self.now, name) if kind is Rested else kind(self.now, name, "x"))

    @rule(data=st.data(), kind=st.sampled_from([ChildCanceled, ChildExpired, ChildRejected]))
    @precondition(lambda self: self.names())
    def ended(self, data: st.DataObject, kind: Callable[..., Any]) -> None:
        name = self.pick(data)
        if kind is ChildRejected and self.case.status(name) is ChildStatus.PARTIALLY_FILLED:
            kind = ChildCanceled
        self.case.hear(kind(self.now, name, "x"))
        self.case.hear(kind(self.now, name, "again"))

    @rule(data=st.data(), beyond=st.sampled_from([0, 0, 0, 3]))
    @precondition(lambda self: self.names())
    def fill(self, data: st.DataObject, beyond: int) -> None:
        name = self.pick(data)
        child = self.case.children[name]
        room = max(int(child.qty - child.filled), 0) + beyond
        if room == 0:
            return
        self.now += 1
        qty = data.draw(st.integers(1, room))
        self.case.fill(name, qty, self.now)
        self.fills += qty
        self.booked[name] = [*self.booked.get(name, []), qty]
        self.reserve()

    def reserve(self) -> None:
        """What is out beyond the order's quantity is excess, and stays so while it lives."""
        committed = self.fills + self.leaves()
        self.excess = max(self.excess, committed - int(self.e.task.qty))

    @rule(data=st.data())
    @precondition(lambda self: any(self.booked.values()))
    def bust(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(n for n, fills in self.booked.items() if fills)))
        qty = self.booked[name].pop(data.draw(st.integers(0, len(self.booked[name]) - 1)))
        before, unsent = self.case.children[name], self.e.unsent
        child = self.case.bust(name, qty)
        over = before.status in (ChildStatus.FILLED, ChildStatus.CANCELED, ChildStatus.EXPIRED)
        doubted = over and not self.e.done and 0 < child.qty - child.filled <= unsent + qty
        assert child.live is (before.live or doubted)
        self.fills -= qty
        # What is reserved again was never too much.
        self.excess -= min(self.excess, max(qty - (child.leaves - before.leaves), 0))

    @rule(data=st.data(), qty=st.integers(1, 30), ahead=st.integers(0, 3))
    def adopt(self, data: st.DataObject, qty: int, ahead: int) -> None:
        number = self.e.next_child + ahead
        live = not self.e.done and data.draw(st.booleans())
        self.case.adopt(qty, live=live, number=number, at=self.now)
        assert self.e.next_child == number + 1
        self.reserve()

    @rule(data=st.data())
    @precondition(lambda self: not self.e.done)
    def amend(self, data: st.DataObject) -> None:
        out = int(self.e.filled + self.e.reserved)
        if out <= 80:
            qty = data.draw(st.integers(max(out, 1), 80))
            self.order(Amended(self.now, qty=Decimal(qty)))
            assert self.e.anchor == Anchor(self.now, self.e.filled)

    @rule(fact=st.sampled_from([Paused, Resumed]))
    def pause_or_resume(self, fact: Callable[..., Any]) -> None:
        self.order(fact(self.now))
        assert self.e.anchor.done <= self.e.task.qty

    @rule(data=st.data())
    @precondition(lambda self: not self.e.done)
    def move(self, data: st.DataObject) -> None:
        status = data.draw(st.sampled_from(sorted(ORDER_MOVES[self.e.status])))
        if status in ORDER_DONE and self.e.reserved > 0:
            return
        if status is OrderStatus.FILLED and self.e.filled < self.e.task.qty:
            return
        self.order(Moved(self.now, status))
        if status in ORDER_DONE:
            self.excess = max(self.fills - int(self.e.task.qty), 0)

    def leaves(self, *, unknown: bool | None = None) -> int:
        out = 0
        for child in self.case.children.values():
            is_unknown = child.status is ChildStatus.UNKNOWN
            if child.live and (unknown is None or unknown is is_unknown):
                out += int(child.qty - child.filled)
        return out

    @invariant()
    def the_parts_are_the_whole(self) -> None:
        filled, working, unknown, unsent, canceled, excess = self.case.sums()
        assert filled + working + unknown + unsent + canceled == self.e.task.qty + excess
        assert min(filled, working, unknown, unsent, canceled, excess) >= 0

    @invariant()
    def each_part_is_what_the_children_say(self) -> None:
        filled, working, unknown, unsent, canceled, excess = self.case.sums()
        assert filled == self.fills
        assert filled == sum(c.filled for c in self.case.children.values())
        assert working == self.leaves(unknown=False)
        assert unknown == self.leaves(unknown=True)
        assert excess == self.excess
        assert unsent == 0 or not self.e.done
        assert canceled == 0 or self.e.done

    @invariant()
    def the_live_children_are_listed_in_order(self) -> None:
        assert [c.id for c in self.e.children] == [
            c.id for c in sorted(self.case.children.values(), key=lambda c: c.number) if c.live
        ]
        for child in self.e.children:
            assert child == self.case.children[child.id]


TestFold = Fold.TestCase
TestFold.settings = settings(max_examples=200)
