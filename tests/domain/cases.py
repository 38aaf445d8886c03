"""One order and its children, told facts one at a time."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from app.domain.execution import Child, Execution, accepted
from app.domain.fact import (
    Adopted,
    Busted,
    ChildFact,
    Fact,
    Filled,
    Intended,
    Moved,
    Purpose,
    TimeInForce,
)
from app.domain.fold import adopted_child, apply, apply_to_child
from app.domain.lifecycle import ChildStatus, OrderStatus
from app.domain.quantity import ZERO, Side
from tests.domain.tasks import OPEN, a_task


@dataclass
class Case:
    """One order whose children are remembered after they finish, as the store does."""

    execution: Execution
    children: dict[str, Child]

    @classmethod
    def working(cls, qty: int = 100, **kw: Any) -> "Case":
        execution = accepted(a_task(qty=qty, **kw))
        return cls(apply(execution, Moved(OPEN, OrderStatus.WORKING)), {})

    def intend(self, qty: int, purpose: Purpose = Purpose.CROSS, at: int = OPEN) -> str:
        number = self.execution.next_child
        tif = TimeInForce.IOC if purpose is Purpose.CROSS else TimeInForce.DAY
        name = f"c{number}"
        fact = Intended(at, name, number, Side.BUY, Decimal(qty), Decimal(10), purpose, tif, at)
        self.execution = apply(self.execution, fact)
        child = self.execution.child(name)
        assert child is not None
        self.children[name] = child
        return name

    def hear(self, fact: ChildFact) -> Child:
        old = self.children[fact.child_id]
        both = apply_to_child(self.execution, fact, old)
        assert apply(self.execution, fact, old) == both[0]
        self.execution, self.children[fact.child_id] = both
        return both[1]

    def fill(self, name: str, qty: int, at: int = OPEN) -> Child:
        return self.hear(Filled(at, name, "e", Decimal(qty), Decimal(10), ZERO, "taker"))

    def bust(self, name: str, qty: int) -> Child:
        return self.hear(Busted(OPEN, name, "e", Decimal(qty), Decimal(10), ZERO, "void"))

    def adopt(self, qty: int, *, live: bool = True, number: int = 7, at: int = OPEN) -> str:
        name = f"c{number}"
        purpose, tif = Purpose.REST, TimeInForce.DAY
        fact = Adopted(
            at, name, number, Side.BUY, Decimal(qty), Decimal(10), purpose, tif, live, "b7"
        )
        self.execution = apply(self.execution, fact)
        self.children[name] = self.execution.child(name) or adopted_child(fact)
        return name

    def order(self, *facts: Fact) -> None:
        for fact in facts:
            self.execution = apply(self.execution, fact)

    def end(self) -> None:
        self.order(Moved(OPEN, OrderStatus.CLOSING), Moved(OPEN, OrderStatus.CANCELED))

    def sums(self) -> tuple[int, ...]:
        e = self.execution
        parts = (e.filled, e.working, e.unknown, e.unsent, e.canceled, e.excess)
        return tuple(int(part) for part in parts)

    def status(self, name: str) -> ChildStatus:
        return self.children[name].status
