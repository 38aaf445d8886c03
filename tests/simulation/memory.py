"""What a worker holds of one order in memory: lost with it, and read anew from the journal."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from app.domain.actions import Decision
from app.domain.algos import BY_NAME
from app.domain.execution import Child, Execution
from app.domain.fact import Purpose
from app.domain.guards import Desk
from app.domain.lifecycle import ChildStatus, OrderStatus
from app.domain.plan import Plan
from app.domain.quantity import Side
from app.domain.task import Anchor, Task
from app.domain.trigger import TouchMoved

NOT_BEGUN = (OrderStatus.ACCEPTED, OrderStatus.SCHEDULED)


@dataclass(slots=True)
class Held:
    """One order, its last decision, and the plan for its task and anchor."""

    execution: Execution
    version: int
    decision: Decision = field(default_factory=Decision)
    wakes: int = 0
    told: tuple[tuple[Child, ...], OrderStatus] = ((), OrderStatus.ACCEPTED)
    """What the other orders of the desk were last told of this one."""
    planned: tuple[Task, Anchor, Plan] | None = None

    @property
    def order_id(self) -> str:
        return self.execution.task.order_id

    @property
    def symbol(self) -> str:
        return self.execution.task.instrument.symbol

    def plan(self) -> Plan:
        task, anchor = self.execution.task, self.execution.anchor
        if self.planned is None or self.planned[0] is not task or self.planned[1] != anchor:
            self.planned = (task, anchor, BY_NAME[task.algo].plan(task, anchor))
        return self.planned[2]

    @property
    def waits_for_siblings(self) -> bool:
        """Held back by another order's resting child, among whatever else holds it."""
        return any(isinstance(t, TouchMoved) for t in self.decision.triggers)


def desk_for(held: Held, siblings: Iterable[Held], halted: bool, full: bool) -> Desk:
    """What the account has to say to one order."""
    own_bid: Decimal | None = None
    own_ask: Decimal | None = None
    for other in siblings:
        if other is held:
            continue
        for child in other.execution.children:
            if child.purpose is not Purpose.REST or child.status is ChildStatus.UNKNOWN:
                continue
            if child.side is Side.BUY:
                own_bid = child.price if own_bid is None else max(own_bid, child.price)
            else:
                own_ask = child.price if own_ask is None else min(own_ask, child.price)
    begun = held.execution.status not in NOT_BEGUN and held.execution.next_child > 1
    return Desk("kill" if halted else None, own_bid, own_ask, full and not begun)
