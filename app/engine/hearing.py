"""What a single report says, as facts."""

from typing import assert_never

from app.domain.fact import (
    ChildCanceled,
    ChildExpired,
    ChildFact,
    ChildRejected,
    Filled,
    Rested,
    Sent,
)
from app.domain.lifecycle import ChildStatus
from app.ports import ExecutionReport, OrderReport


def facts_of(report: ExecutionReport | OrderReport) -> list[ChildFact]:
    """Facts in order. A bust needs the journal to become a fact: see `sorting`."""
    if isinstance(report, ExecutionReport):
        return [
            Filled(
                at=report.at,
                child_id=report.child_id,
                execution_id=report.execution_id,
                qty=report.qty,
                price=report.price,
                fee=report.fee,
                liquidity=report.liquidity,
                corrects=report.corrects,
            )
        ]
    return _order_facts(report)


def _order_facts(report: OrderReport) -> list[ChildFact]:
    at, child_id = report.at, report.child_id
    match report.status:
        case ChildStatus.WORKING | ChildStatus.PARTIALLY_FILLED:
            return [Sent(at, child_id, report.broker_order_id), Rested(at, child_id)]
        case ChildStatus.FILLED:
            # Executions fill a child; the word alone does not.
            return []
        case ChildStatus.CANCELED:
            return [ChildCanceled(at, child_id, report.reason)]
        case ChildStatus.EXPIRED:
            return [ChildExpired(at, child_id, report.reason)]
        case ChildStatus.REJECTED:
            return [ChildRejected(at, child_id, f"broker.{report.reason or 'rejected'}")]
        case ChildStatus.INTENT | ChildStatus.SENT | ChildStatus.UNKNOWN:
            raise ValueError(f"a broker does not report {report.status}")
        case _:
            assert_never(report.status)
