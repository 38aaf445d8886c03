"""Random legal histories of one order, folded in memory as the journal must fold them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from hypothesis import Phase
from hypothesis import strategies as st

from app.domain.execution import Child, Execution, accepted
from app.domain.fact import (
    Amended,
    BecameUnknown,
    CancelRequested,
    ChildCanceled,
    ChildCancelRequested,
    ChildExpired,
    ChildRejected,
    Fact,
    Filled,
    Intended,
    Moved,
    OrderFact,
    Paused,
    Purpose,
    Replanned,
    Rested,
    Resumed,
    Sent,
)
from app.domain.fold import apply, apply_to_child
from app.domain.lifecycle import CHILD_MOVES, ORDER_DONE, ORDER_MOVES, ChildStatus, OrderStatus
from app.domain.position import Position, with_fill
from app.domain.quantity import ZERO
from app.domain.task import Task
from tests.domain.tasks import OPEN
from tests.store.seeds import fill, intent

UNSHRUNK = (Phase.explicit, Phase.reuse, Phase.generate)
"""On a database a failure is told as it is found: making it smaller takes minutes."""


@dataclass
class Memory:
    """What the journal should hold: folded by the domain alone."""

    execution: Execution
    children: dict[str, Child] = field(default_factory=dict)
    booked: list[Filled] = field(default_factory=list)
    events: list[tuple[str, Execution]] = field(default_factory=list)

    def hear(self, fact: Fact) -> None:
        if isinstance(fact, Filled):
            if fact.execution_id in {f.execution_id for f in self.booked}:
                return
            self.booked.append(fact)
        if isinstance(fact, OrderFact):
            self.execution = apply(self.execution, fact)
        elif isinstance(fact, Intended):
            self.execution = apply(self.execution, fact)
            made = self.execution.child(fact.child_id)
            assert made is not None
            self.children[made.id] = made
        else:
            old = self.children[fact.child_id]
            self.execution, new = apply_to_child(self.execution, fact, old)
            if new == old:
                return
            self.children[new.id] = new
        self.events.append((fact.type, self.execution))

    @property
    def position(self) -> Position:
        held = Position()
        for f in self.booked:
            side = self.execution.task.side
            held = with_fill(held, side=side, qty=f.qty, price=f.price, fee=f.fee)
        return held


class History:
    """Draws one fact after the other, each legal after those before it."""

    def __init__(self, draw: st.DrawFn, task: Task) -> None:
        self.draw, self.task = draw, task
        self.memory = Memory(accepted(task))
        self.facts: list[Fact] = []
        self.now = OPEN
        self.told: list[Filled] = []

    def grow(self, length: int) -> None:
        self._tell(Moved(self.now, OrderStatus.WORKING))
        for _ in range(length):
            self.now += self.draw(st.integers(0, 10**6))
            kinds = [kind for kind in self._kinds() if kind is not None]
            if not kinds:
                return  # It ended before it sent anything.
            fact = self.draw(st.sampled_from(kinds))()
            if fact is not None:
                self._tell(fact)

    def _tell(self, fact: Fact) -> None:
        self.memory.hear(fact)
        self.facts.append(fact)

    def _kinds(self) -> list[Callable[[], Fact | None] | None]:
        e = self.memory.execution
        may_send = e.unsent > 0 and e.excess == 0 and not e.done
        some = bool(self.memory.children)
        return [
            self._intend if may_send else None,
            self._intend if may_send else None,
            self._fill if some else None,
            self._fill if some else None,
            self._again if self.told else None,
            self._speak if some else None,
            self._end if some else None,
            self._move if not e.done else None,
            self._command if not e.done else None,
        ]

    def _child(self) -> Child:
        name = self.draw(st.sampled_from(sorted(self.memory.children)))
        return self.memory.children[name]

    def _intend(self) -> Fact:
        e = self.memory.execution
        qty = self.draw(st.integers(1, int(e.unsent)))
        purpose = self.draw(st.sampled_from(Purpose))
        side = e.task.side
        return intent(e.task.order_id, e.next_child, qty, at=self.now, side=side, purpose=purpose)

    def _fill(self) -> Fact | None:
        child = self._child()
        room = max(int(child.qty - child.filled), 0) + self.draw(st.sampled_from([0, 0, 3]))
        if room == 0:
            return None
        made = fill(
            child.id,
            f"{self.task.order_id}-{len(self.told)}",
            self.draw(st.integers(1, room)),
            price=self.draw(st.decimals("0.01", "500", places=4)),
            fee=self.draw(st.decimals("-1", "1", places=6)),
            at=self.now,
        )
        self.told.append(made)
        return made

    def _again(self) -> Fact:
        return self.draw(st.sampled_from(self.told))

    def _speak(self) -> Fact:
        name = self._child().id
        return self.draw(
            st.sampled_from(
                [
                    Sent(self.now, name, "b1"),
                    Rested(self.now, name),
                    BecameUnknown(self.now, name, "timeout"),
                    ChildCancelRequested(self.now, name, "patience_ended"),
                ]
            )
        )

    def _end(self) -> Fact:
        child = self._child()
        rejectable = not child.live or ChildStatus.REJECTED in CHILD_MOVES[child.status]
        kinds = [ChildCanceled, ChildExpired] + ([ChildRejected] if rejectable else [])
        return self.draw(st.sampled_from(kinds))(self.now, child.id, "why")

    def _move(self) -> Fact | None:
        e = self.memory.execution
        status = self.draw(st.sampled_from(sorted(ORDER_MOVES[e.status])))
        if status in ORDER_DONE and e.reserved > 0:
            return None
        return Moved(self.now, status, self.draw(st.none() | st.just("because")))

    def _command(self) -> Fact:
        e = self.memory.execution
        out = int(e.filled + e.reserved + e.canceled)
        qty = Decimal(self.draw(st.integers(max(out, 1), max(out, 1) + 100)))
        end = self.draw(st.none() | st.integers(e.task.start + 1, e.task.start + 10**9))
        amended = Amended(
            self.now,
            qty=qty,
            limit_price=self.draw(st.none() | st.decimals("0.01", "99", places=2)),
            end=end,
            params={"max_child": "7.5"} if e.task.algo == "twap" else None,
        )
        commands = [
            Paused(self.now),
            Resumed(self.now),
            CancelRequested(self.now, "user"),
            Replanned(self.now, min(e.filled, e.task.qty), "behind_schedule"),
            amended,
        ]
        return self.draw(st.sampled_from(commands))


@st.composite
def histories(draw: st.DrawFn, task: Task) -> tuple[list[Fact], Memory]:
    """Facts as they are heard (some twice) and what they add up to."""
    history = History(draw, task)
    history.grow(draw(st.integers(1, 25)))
    return history.facts, history.memory


def chunks(draw: st.DrawFn, facts: list[Fact]) -> list[list[Fact]]:
    """The same facts in bookings of one to four; a child is intended before it is heard of."""
    groups: list[list[Fact]] = [[]]
    room = 1
    for fact in facts:
        intended = {f.child_id for f in groups[-1] if isinstance(f, Intended)}
        if len(groups[-1]) >= room or getattr(fact, "child_id", None) in intended:
            groups.append([])
            room = draw(st.integers(1, 4))
        groups[-1].append(fact)
    return groups


def total(fills: list[Filled]) -> tuple[Decimal, Decimal, Decimal]:
    """Quantity, notional and fees."""
    return (
        sum((f.qty for f in fills), ZERO),
        sum((f.qty * f.price for f in fills), ZERO),
        sum((f.fee for f in fills), ZERO),
    )
