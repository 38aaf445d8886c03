"""From what happened at the venue to what it tells."""

from decimal import Decimal

from app.domain.fact import TimeInForce
from app.domain.instant import Instant
from app.domain.lifecycle import ChildStatus
from app.domain.venue.records import Ended, Execution, Happening, Order, Rested
from app.ports import ExecutionReport, OrderReport, Report, Terms


def report(event: Happening) -> Report | None:
    """The report of a happening; None where another answer told it already."""
    match event:
        case Execution():
            return execution_report(event)
        case Rested():
            return state_report(event.order, None, event.filled, event.at)
        case Ended(status=ChildStatus.FILLED | ChildStatus.REJECTED):
            # The executions say the first, the answer to the order said the second.
            return None
        case Ended():
            return state_report(event.order, event, event.filled, event.at)


def execution_report(e: Execution) -> ExecutionReport:
    return ExecutionReport(
        child_id=e.order.client_id,
        broker_order_id=e.order.venue_id,
        execution_id=e.execution_id,
        symbol=e.order.symbol,
        side=e.order.side,
        qty=e.qty,
        price=e.price,
        fee=e.fee,
        liquidity=e.liquidity.value,
        at=e.at,
    )


def state_report(order: Order, ended: Ended | None, filled: Decimal, at: Instant) -> OrderReport:
    working = ChildStatus.PARTIALLY_FILLED if filled else ChildStatus.WORKING
    closing = order.time_in_force is TimeInForce.CLS
    return OrderReport(
        child_id=order.client_id,
        broker_order_id=order.venue_id,
        status=ended.status if ended else working,
        at=at,
        filled=filled,
        reason=ended.reason if ended else None,
        terms=Terms(order.symbol, order.side, order.qty, order.limit, closing),
    )
