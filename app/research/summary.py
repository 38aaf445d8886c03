"""What is kept of one run when there are thousands."""

from dataclasses import dataclass
from decimal import Decimal

from app.domain.lifecycle import OrderStatus
from app.domain.quantity import Side
from app.domain.tca import Outcome
from app.research.batch import Parent
from app.research.result import Run


@dataclass(frozen=True, slots=True)
class Summary:
    """One parent's outcome: costs in basis points, positive = cost (see `domain.tca`)."""

    market: str
    order_id: str
    symbol: str
    side: Side
    algo: str
    qty: Decimal
    status: OrderStatus
    outcome: Outcome
    children: int
    fills: int
    looks: int


def summarized(parent: Parent, run: Run) -> Summary:
    task = run.task
    return Summary(
        market=parent.market,
        order_id=task.order_id,
        symbol=task.instrument.symbol,
        side=task.side,
        algo=task.algo,
        qty=task.qty,
        status=run.execution.status,
        outcome=run.outcome,
        children=len(run.children),
        fills=len(run.fills),
        looks=run.looks,
    )
