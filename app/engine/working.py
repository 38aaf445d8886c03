"""A desk's memory of one open order. All of it can be read back from the journal at any time."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from app.domain.actions import Decision
from app.domain.algos import BY_NAME
from app.domain.desk import Desk
from app.domain.execution import Execution
from app.domain.exits import is_forced
from app.domain.fact import Busted, Filled
from app.domain.instant import Instant, Micros
from app.domain.lifecycle import OrderStatus
from app.domain.market import Market
from app.domain.plan import Trajectory
from app.domain.quantity import ZERO
from app.store.inputs import NO_DESK, Kept

FLATTEN = "flatten"
"""The role of orders that a kill switch enters."""

EXIT = "exit"
"""The role of orders that take away what an entry of their group filled."""

Rank = tuple[int, str]
"""Higher priority first, then the older: ids begin with the time they were made."""


NO_MARKET = Market(quote=None)


@dataclass(slots=True)
class Working:
    """One open order as its desk works it.

    `decided` is the last decision, `decided_at` its moment, `market` and `desk` what it saw;
    `kept` is what the journal has of the market's past, `pause` how long its children stand before
    they are moved. `behind_since` is when the order fell
    behind its envelope, `slow_since` when it did so by far.
    """

    execution: Execution
    version: int
    strategy: str | None
    arrival_mid: Decimal | None
    filled_notional: Decimal
    priority: int = 0
    role: str = "single"
    group_id: str | None = None
    decided: Decision | None = None
    decided_at: Instant | None = None
    behind_since: Instant | None = None
    slow_since: Instant | None = None
    market: Market = NO_MARKET
    desk: Desk = NO_DESK
    kept: Kept | None = None
    pause: Micros = 0
    _plan: Trajectory | None = None

    @property
    def plan(self) -> Trajectory:
        """The plan of task and anchor, made when it is first needed: a desk with many orders
        must not stand still while it opens."""
        if self._plan is None:
            task = self.execution.task
            self._plan = BY_NAME[task.algo].plan(task, self.execution.anchor)
        return self._plan

    @property
    def order_id(self) -> str:
        return self.execution.task.order_id

    @property
    def symbol(self) -> str:
        return self.execution.task.instrument.symbol

    @property
    def flattens(self) -> bool:
        """Whether it closes a position for a kill switch: no halt holds it."""
        return self.role == FLATTEN

    @property
    def urgent(self) -> bool:
        """Whether it takes risk away at once: what rests of the account gives way to it."""
        task = self.execution.task
        waits = task.limit_price is not None or task.params.get("stop") is not None
        return self.flattens or (self.role == EXIT and (is_forced(task) or not waits))

    @property
    def queues(self) -> bool:
        """Whether it waits while as many orders work as may: what takes risk away does not."""
        return self.role not in (FLATTEN, EXIT)

    @property
    def rank(self) -> Rank:
        return (-self.priority, self.order_id)

    @property
    def waits_for_operator(self) -> bool:
        return self.execution.status is OrderStatus.NEEDS_OPERATOR

    def count(self, booked: Iterable[Filled], busted: Iterable[Busted]) -> None:
        """Add what was booked and take away what turned out void."""
        for fill in booked:
            self.filled_notional += fill.qty * fill.price
            self.behind_since = None
        for bust in busted:
            self.filled_notional -= bust.qty * bust.price

    @property
    def average_price(self) -> Decimal | None:
        filled = self.execution.filled
        return self.filled_notional / filled if filled > ZERO else None

    def become(self, execution: Execution, version: int) -> None:
        """Take over what the journal recorded; the plan follows task and anchor."""
        before = self.execution
        self.execution, self.version = execution, version
        if (before.task, before.anchor) != (execution.task, execution.anchor):
            self._plan = None
