"""Executions that cannot be booked: kept for a human, never dropped, and told once."""

import hashlib
from collections.abc import Sequence
from decimal import Decimal

from app.domain.instant import LATEST, Instant, rfc3339
from app.engine.sorting import Strange
from app.ports import ExecutionReport, Report
from app.store import children
from app.store.database import Connection, Database

SHOWN_MAX = 200
REASON_MAX = 500


async def keep(
    connection: Connection, account: str, broker: str, strange: Sequence[Strange]
) -> list[ExecutionReport]:
    """Put executions aside; those that were not there before.

    Raises ValueError for one with a value that an alert could not hold.
    """
    for report, _ in strange:
        plain = _plain(report)
        if any(shown(value) != value for value in plain.values()) or not _dated(report.at):
            raise ValueError(f"a stranger that cannot be told: {shown(report.execution_id)}")
    return [
        report
        for report, reason in strange
        if await _keep(connection, account, broker, report, reason)
    ]


async def set_aside(
    database: Database, *, account: str, broker: str, reports: Sequence[Report], reason: str
) -> None:
    """Keep executions that could not be booked, for a human: they are asked for again anyway.

    Whatever their values are: what cannot be written as it is, is written escaped.
    """
    async with database.transaction() as connection:
        for report in reports:
            if isinstance(report, ExecutionReport):
                await _keep(connection, account, broker, report, reason)


async def _keep(
    connection: Connection, account: str, broker: str, report: ExecutionReport, reason: str
) -> bool:
    plain = {name: shown(value) for name, value in _plain(report).items()}
    return await children.quarantine(
        connection,
        account=account,
        broker=broker,
        execution_id=plain["execution_id"],
        digest=hashlib.sha256(repr(sorted(plain.items())).encode()).hexdigest()[:16],
        report=plain,
        reason=shown(reason, REASON_MAX),
    )


def shown(value: str, longest: int = SHOWN_MAX) -> str:
    """Text as any database can hold it: what cannot be printed is escaped, what is long is cut.

    What was neither stays as it is.
    """
    cut = value[: longest + 1]
    escaped = cut if cut.isprintable() else cut.encode("unicode_escape").decode("ascii")
    return escaped if len(escaped) <= longest else f"{escaped[:longest]}…"


def _number(value: Decimal) -> str:
    return format(value, "f") if abs(value.adjusted()) < SHOWN_MAX else str(value)


def _dated(at: Instant) -> bool:
    """Whether the calendar has it."""
    return 0 <= at < LATEST


def _moment(at: Instant) -> str:
    return rfc3339(at) if _dated(at) else str(at)


def _plain(report: ExecutionReport) -> dict[str, str]:
    return {
        "child_id": report.child_id,
        "broker_order_id": report.broker_order_id,
        "execution_id": report.execution_id,
        "symbol": report.symbol,
        "side": report.side.value,
        "qty": _number(report.qty),
        "price": _number(report.price),
        "fee": _number(report.fee),
        "at": _moment(report.at),
    }
