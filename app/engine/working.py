"""A desk's memory of one open order. All of it can be read back from the journal at any time."""

from dataclasses import dataclass
from decimal import Decimal

from app.domain.actions import Decision
from app.domain.algos import BY_NAME
from app.domain.execution import Execution
from app.domain.instant import Instant
from app.domain.plan import Plan
from app.domain.quantity import ZERO
from app.domain.task import Anchor, Task


@dataclass(slots=True)
class Working:
    """One open order as its desk works it.

    `decided` is the last decision and `decided_at` its moment; `behind_since` is when the order
    fell behind its envelope.
    """

    execution: Execution
    version: int
    plan: Plan
    strategy: str | None
    arrival_mid: Decimal | None
    filled_notional: Decimal
    decided: Decision | None = None
    decided_at: Instant | None = None
    behind_since: Instant | None = None

    @property
    def order_id(self) -> str:
        return self.execution.task.order_id

    @property
    def symbol(self) -> str:
        return self.execution.task.instrument.symbol

    @property
    def average_price(self) -> Decimal | None:
        filled = self.execution.filled
        return self.filled_notional / filled if filled > ZERO else None

    def become(self, execution: Execution, version: int) -> None:
        """Take over what the journal recorded; the plan follows task and anchor."""
        before = (self.execution.task, self.execution.anchor)
        self.execution, self.version = execution, version
        if before != (execution.task, execution.anchor):
            self.plan = plan_for(execution.task, execution.anchor)


def plan_for(task: Task, anchor: Anchor) -> Plan:
    """The plan of a task from an anchor on."""
    return BY_NAME[task.algo].plan(task, anchor)
