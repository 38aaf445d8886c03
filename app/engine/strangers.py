"""Executions that cannot be booked: kept for a human, never dropped, and told once."""

import hashlib
from collections.abc import Sequence

from app.domain.instant import rfc3339
from app.engine.sorting import Strange
from app.ports import ExecutionReport, Report
from app.store import children
from app.store.database import Connection, Database


async def keep(
    connection: Connection, account: str, broker: str, strange: Sequence[Strange]
) -> list[ExecutionReport]:
    """Put executions aside; those that were not there before."""
    return [
        report
        for report, reason in strange
        if await _keep(connection, account, broker, report, reason)
    ]


async def set_aside(
    database: Database, *, account: str, broker: str, reports: Sequence[Report], reason: str
) -> None:
    """Keep executions that could not be booked, for a human: they are asked for again anyway."""
    async with database.transaction() as connection:
        for report in reports:
            if isinstance(report, ExecutionReport):
                await _keep(connection, account, broker, report, reason)


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
