"""What a broker's reports say, as facts; and when an end must wait for fills."""

from decimal import Decimal
from typing import assert_never

from app.domain.execution import Child
from app.domain.fact import (
    Busted,
    ChildCanceled,
    ChildExpired,
    ChildFact,
    ChildRejected,
    Filled,
    Rested,
    Sent,
)
from app.domain.lifecycle import CHILD_DONE, ChildStatus
from app.domain.quantity import ZERO
from app.ports import BustReport, ExecutionReport, OrderReport, Report
from tests.simulation.journal import Booking


def waits_for_fills(report: Report, child: Child) -> bool:
    """Whether a report ends a child with other fills than we have heard of: more, or void ones."""
    if not isinstance(report, OrderReport) or report.status not in CHILD_DONE:
        return False
    return report.filled != child.filled


def facts_of(report: Report, child: Child, bookings: dict[str, Booking]) -> list[ChildFact]:
    match report:
        case ExecutionReport():
            old = bookings.get(report.corrects) if report.corrects else None
            return [*_corrected(report, old), _filled(report)]
        case BustReport():
            return [_void(report, bookings.get(report.execution_id))]
        case OrderReport():
            return _told(report, child)


def _filled(report: ExecutionReport) -> Filled:
    return Filled(
        report.at,
        report.child_id,
        report.execution_id,
        report.qty,
        report.price,
        report.fee,
        report.liquidity,
        report.corrects,
    )


def _corrected(report: ExecutionReport, old: Booking | None) -> list[ChildFact]:
    if report.corrects is None:
        return []
    bust = BustReport(report.child_id, report.corrects, report.at, "corrected")
    return [_void(bust, old)]


def _void(report: BustReport, booked: Booking | None) -> Busted:
    fill = booked.fact if booked is not None else None
    qty, price = (fill.qty, fill.price) if fill is not None else (ZERO, Decimal(1))
    return Busted(report.at, report.child_id, report.execution_id, qty, price, ZERO, report.reason)


def _told(report: OrderReport, child: Child) -> list[ChildFact]:
    at, child_id = report.at, report.child_id
    match report.status:
        case ChildStatus.WORKING | ChildStatus.PARTIALLY_FILLED:
            return [Sent(at, child_id, report.broker_order_id), Rested(at, child_id)]
        case ChildStatus.FILLED:
            # Executions fill a child; but over with less than it asked for, some were void.
            void = child.live and report.filled == child.filled < child.qty
            return [ChildCanceled(at, child_id, "void")] if void else []
        case ChildStatus.CANCELED:
            return [ChildCanceled(at, child_id, report.reason)]
        case ChildStatus.EXPIRED:
            return [ChildExpired(at, child_id, report.reason)]
        case ChildStatus.REJECTED:
            return [ChildRejected(at, child_id, f"broker.{report.reason}")]
        case ChildStatus.INTENT | ChildStatus.SENT | ChildStatus.UNKNOWN:
            raise ValueError(f"a broker does not report {report.status}")
        case _:
            assert_never(report.status)
