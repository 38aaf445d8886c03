"""The one way in for what brokers tell: stream, poll and reconciliation alike."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import assert_never

from app.domain.execution import Execution
from app.domain.fact import (
    ChildCanceled,
    ChildExpired,
    ChildFact,
    ChildRejected,
    Filled,
    Rested,
    Sent,
)
from app.domain.instant import rfc3339
from app.domain.lifecycle import CHILD_DONE, ChildStatus
from app.domain.quantity import ZERO
from app.ports import BustReport, ExecutionReport, OrderReport, Report
from app.store import children, journal
from app.store.children import Owner
from app.store.database import Connection, Database
from app.store.journal import Entry, Recorded


@dataclass(frozen=True, slots=True)
class Booked:
    """What a batch of reports did: the orders it touched, and what nobody here knows."""

    recorded: tuple[Recorded, ...] = ()
    strangers: tuple[ExecutionReport, ...] = field(default=())


async def book(
    database: Database, *, account: str, broker: str, reports: Sequence[Report]
) -> Booked:
    """Record reports, however often they come. Executions of unknown children are kept aside.

    A report that says an order is over although fills are missing must wait for those fills:
    see `missing_fills`.
    """
    if not reports:
        return Booked()
    async with database.transaction() as connection:
        owners = await children.owners(
            connection, account=account, child_ids=sorted({r.child_id for r in reports})
        )
        entries = _entries([r for r in reports if _fits(r, owners)], owners)
        recorded = await journal.record(connection, account=account, broker=broker, entries=entries)
        strangers = await _set_aside(connection, account, broker, reports, owners)
    return Booked(tuple(recorded), tuple(strangers))


async def set_aside(
    database: Database, *, account: str, broker: str, reports: Sequence[Report], reason: str
) -> None:
    """Keep executions that could not be booked, for a human: they are asked for again anyway."""
    async with database.transaction() as connection:
        for report in reports:
            if isinstance(report, ExecutionReport):
                await _keep(connection, account, broker, report, reason)


def _fits(report: Report, owners: Mapping[str, Owner]) -> bool:
    """Whether an execution is of the symbol and side that its child has."""
    owner = owners.get(report.child_id)
    if owner is None or not isinstance(report, ExecutionReport):
        return owner is not None
    return (owner.symbol, owner.side) == (report.symbol, report.side.value)


def missing_fills(execution: Execution, reports: Iterable[Report]) -> bool:
    """Whether some report ends a child that should have filled more than we have heard of.

    What is told may be booked already. An end that frees quantity is believed only when what was
    booked or what is told accounts for it alone: asking once too often costs less than a repeat
    that passes for the fill that is missing.
    """
    told = {(r.child_id, r.execution_id): r.qty for r in reports if isinstance(r, ExecutionReport)}
    booked = {c.id: c.filled for c in execution.children}
    for report in reports:
        if not isinstance(report, OrderReport) or report.child_id not in booked:
            continue
        before = booked[report.child_id]
        now = sum((qty for (child_id, _), qty in told.items() if child_id == report.child_id), ZERO)
        frees = report.status is not ChildStatus.FILLED
        known = max(before, now) if frees else before + now
        if report.status in CHILD_DONE and report.filled > known:
            return True
    return False


def _entries(reports: Sequence[Report], owners: Mapping[str, Owner]) -> list[Entry]:
    """One entry an order, fills before ends: an end must never free what was filled."""
    by_order: dict[str, list[ChildFact]] = {}
    ordered = sorted(reports, key=lambda r: isinstance(r, OrderReport) and r.status in CHILD_DONE)
    for report in ordered:
        owner = owners.get(report.child_id)
        if owner is not None:
            by_order.setdefault(owner.order_id, []).extend(facts_of(report))
    return [Entry(order_id, facts) for order_id, facts in by_order.items()]


def facts_of(report: Report) -> list[ChildFact]:
    """What a report says, as facts."""
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
            )
        ]
    if isinstance(report, BustReport):
        return []
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


async def _set_aside(
    connection: Connection,
    account: str,
    broker: str,
    reports: Sequence[Report],
    owners: Mapping[str, Owner],
) -> list[ExecutionReport]:
    """Keep executions of children we do not have, or unlike child or what was booked."""
    executions = [r for r in reports if isinstance(r, ExecutionReport)]
    contradicting = await children.contradicting(
        connection,
        account=account,
        broker=broker,
        terms={r.execution_id: (r.child_id, r.qty, r.price) for r in executions},
    )
    fresh = []
    for report in executions:
        if report.child_id not in owners:
            reason = "unknown_child"
        elif not _fits(report, owners):
            reason = "unlike_its_child"
        elif report.execution_id in contradicting:
            reason = "contradicts_booked"
        else:
            continue
        if await _keep(connection, account, broker, report, reason):
            fresh.append(report)
    return fresh


async def _keep(
    connection: Connection, account: str, broker: str, report: ExecutionReport, reason: str
) -> bool:
    plain = _plain(report)
    return await children.quarantine(
        connection,
        account=account,
        broker=broker,
        execution_id=report.execution_id,
        digest=hashlib.sha256(repr(sorted(plain.items())).encode()).hexdigest()[:16],
        report=plain,
        reason=reason,
    )


def _plain(report: ExecutionReport) -> dict[str, str]:
    return {
        "child_id": report.child_id,
        "broker_order_id": report.broker_order_id,
        "execution_id": report.execution_id,
        "symbol": report.symbol,
        "side": report.side.value,
        "qty": format(report.qty, "f"),
        "price": format(report.price, "f"),
        "fee": format(report.fee, "f"),
        "at": rfc3339(report.at),
    }
