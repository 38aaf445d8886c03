"""The auditor's own sums against the engine's fold, event by event, on histories drawn at random.

Facts come in any order that the domain accepts: late fills, over-fills, busts of any execution,
adoptions, unknown children found again.
"""

import random
from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from app.audit.fold import Order, fold
from app.domain.execution import Child, Execution, accepted
from app.domain.fact import (
    Adopted,
    BecameUnknown,
    Busted,
    ChildCanceled,
    ChildExpired,
    ChildFact,
    ChildRejected,
    Fact,
    Filled,
    Intended,
    Moved,
    OrderFact,
    Purpose,
    Rested,
    Sent,
    TimeInForce,
)
from app.domain.fold import adopted_child, apply, apply_to_child
from app.domain.lifecycle import OrderStatus
from app.domain.quantity import Side
from app.store.frames import fact_data, order_sums
from tests.domain.tasks import OPEN, a_task

PRICE, FEE = Decimal(10), Decimal("0.01")


@dataclass
class History:
    """One order in the domain and in the auditor's books."""

    chance: random.Random
    execution: Execution
    told: Order
    children: dict[str, Child] = field(default_factory=dict)
    counted: dict[str, tuple[str, Decimal]] = field(default_factory=dict)
    kinds: set[str] = field(default_factory=set)
    executions: int = 0

    def hear(self, fact: Fact) -> None:
        if isinstance(fact, OrderFact):
            self.execution = apply(self.execution, fact)
        elif isinstance(fact, Intended | Adopted):
            self.execution = apply(self.execution, fact)
            found = self.execution.child(fact.child_id)
            born = found or adopted_child(fact) if isinstance(fact, Adopted) else found
            assert born is not None
            self.children[born.id] = born
        else:
            old = self.children[fact.child_id]
            self.execution, new = apply_to_child(self.execution, fact, old)
            if new == old:
                return
            self.children[new.id] = new
        self.kinds.add(fact.type)
        fold(self.told, fact.type, fact_data(fact))
        self.compare()

    def compare(self) -> None:
        said = order_sums(self.execution)
        assert said.pop("status") == self.told.status
        assert {name: Decimal(value) for name, value in said.items()} == self.told.sums()
        for name, child in self.children.items():
            mine = self.told.children[name]
            assert (mine.status, mine.filled) == (child.status.value, child.filled)

    def step(self) -> None:
        room = self.execution.unsent
        working = self.execution.status is OrderStatus.WORKING
        if working and room > 0 and self.execution.excess == 0 and self.chance.random() < 0.3:
            self.hear(self.intent(self.lots(room)))
        elif self.chance.random() < 0.08:
            self.hear(self.adoption())
        elif self.counted and self.chance.random() < 0.2:
            self.hear(self.bust())
        elif self.children:
            self.hear(self.news(self.chance.choice(list(self.children.values()))))

    def lots(self, most: Decimal) -> Decimal:
        return Decimal(self.chance.randint(1, max(int(most), 1)))

    def intent(self, qty: Decimal) -> Intended:
        number = self.execution.next_child
        tif, purpose = TimeInForce.IOC, Purpose.CROSS
        return Intended(OPEN, f"c{number}", number, Side.BUY, qty, PRICE, purpose, tif, OPEN)

    def adoption(self) -> Adopted:
        number = self.execution.next_child
        live = not self.execution.done and self.chance.random() < 0.5
        return Adopted(
            OPEN, f"c{number}", number, Side.BUY, self.lots(Decimal(60)), PRICE, Purpose.CROSS,
            TimeInForce.IOC, live, "V-1",
        )  # fmt: skip

    def bust(self) -> Busted:
        name = self.chance.choice(list(self.counted))
        child_id, qty = self.counted.pop(name)
        return Busted(OPEN, child_id, name, qty, PRICE, FEE, "erroneous")

    def news(self, child: Child) -> ChildFact:
        draw = self.chance.random()
        if draw < 0.4:
            self.executions += 1
            name, qty = f"x{self.executions}", self.lots(child.qty * Decimal("1.2"))
            self.counted[name] = (child.id, qty)
            return Filled(OPEN, child.id, name, qty, PRICE, FEE, "taker")
        others: list[ChildFact] = [
            Sent(OPEN, child.id, "V-1"),
            Rested(OPEN, child.id),
            BecameUnknown(OPEN, child.id, "timeout"),
            ChildCanceled(OPEN, child.id),
            ChildExpired(OPEN, child.id),
            ChildRejected(OPEN, child.id, "broker.no", absent=True),
        ]
        return self.chance.choice(others)

    def end(self) -> None:
        """Every child is over, then the order; what comes afterwards is late."""
        for child in list(self.children.values()):
            self.hear(ChildCanceled(OPEN, child.id))
        self.hear(Moved(OPEN, OrderStatus.CLOSING))
        self.hear(Moved(OPEN, OrderStatus.CANCELED, "requested"))


def lived(seed: int) -> History:
    """A history of sixty facts, the last twenty of them after the order's end."""
    task = a_task(qty=100)
    history = History(random.Random(seed), accepted(task), Order(task.qty))
    history.hear(Moved(OPEN, OrderStatus.WORKING))
    for _ in range(40):
        history.step()
    history.end()
    for _ in range(20):
        history.step()
    return history


@pytest.mark.parametrize("start", range(0, 400, 50))
def test_both_folds_agree(start: int) -> None:
    seen: set[str] = set()
    for seed in range(start, start + 50):
        seen |= lived(seed).kinds
    assert {"fill.busted", "child.adopted", "child.unknown", "order.canceled"} <= seen
