"""The one way in for what brokers tell: stream, poll and reconciliation alike."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.domain.identity import parse_child
from app.engine import strangers
from app.engine.sorting import Lost, Sorting, sort
from app.failpoints import reach
from app.ports import ExecutionReport, OrderReport, Report
from app.store import children, fill_ledger, journal, retention
from app.store.database import Connection, Database
from app.store.drafts import Known
from app.store.journal import Entry, Recorded


@dataclass(frozen=True, slots=True)
class Booked:
    """What a batch of reports did.

    `recorded`: the orders it touched; `held`: ends that speak of fills nobody has told yet;
    `lost`: children that have an id of ours and a parent, but no row; `strangers`: executions
    that nobody here can place; `undead`: children that are over for us and open at the broker.
    """

    recorded: tuple[Recorded, ...] = ()
    held: tuple[OrderReport, ...] = ()
    lost: tuple[Lost, ...] = ()
    strangers: tuple[ExecutionReport, ...] = ()
    undead: tuple[str, ...] = ()


async def book(
    database: Database,
    *,
    account: str,
    broker: str,
    reports: Sequence[Report],
    answers: Sequence[Entry] = (),
    known: Known | None = None,
) -> Booked:
    """Record reports, however often they come, in one transaction, and `answers` to what was sent
    before them.

    A fill counts before an end, and an end counts only when every fill it speaks of is booked:
    quantity that was filled is never freed.
    """
    if not reports:
        return Booked()
    async with database.transaction() as connection:
        reach("booking.begun")
        sorting = await _sorted(connection, account, broker, reports)
        recorded = await journal.record(
            connection,
            account=account,
            broker=broker,
            entries=_after(answers, sorting.entries),
            known=known,
        )
        reach("booking.recorded")
        fresh = await strangers.keep(connection, account, broker, sorting.strange)
        await fill_ledger.remember_voids(connection, account, broker, sorting.voids)
    reach("booking.committed")
    return Booked(
        tuple(recorded),
        held=tuple(sorting.held),
        lost=tuple(sorting.lost),
        strangers=tuple(fresh),
        undead=tuple(sorting.undead),
    )


def _after(answers: Sequence[Entry], told: Sequence[Entry]) -> list[Entry]:
    """One entry an order, what was answered first: a child is sent before it trades."""
    left = {entry.order_id: entry for entry in told}
    both = [
        answer
        if (entry := left.pop(answer.order_id, None)) is None
        else replace(entry, facts=[*answer.facts, *entry.facts])
        for answer in answers
    ]
    return [*both, *left.values()]


async def _sorted(
    connection: Connection, account: str, broker: str, reports: Sequence[Report]
) -> Sorting:
    ids = [r.execution_id for r in reports if not isinstance(r, OrderReport)]
    ids += [r.corrects for r in reports if isinstance(r, ExecutionReport) and r.corrects]
    owners, booked = await children.known(
        connection,
        account=account,
        broker=broker,
        child_ids=sorted({r.child_id for r in reports}),
        execution_ids=ids,
    )
    unowned = {r.child_id for r in reports} - owners.keys()
    if unowned and ids:
        # Of orders that were removed since: neither booked again nor strange.
        archived = await retention.known_executions(
            connection, account=account, broker=broker, execution_ids=ids
        )
        reports = [r for r in reports if _execution_of(r) not in archived]
        unowned = {r.child_id for r in reports} - owners.keys()
    keys = {child_id: found[0] for child_id in unowned if (found := parse_child(child_id))}
    parents = (
        await children.parents(connection, account=account, keys=sorted(set(keys.values())))
        if keys
        else {}
    )
    of_child = {child_id: parents[key] for child_id, key in keys.items() if key in parents}
    return sort(reports, owners, booked, of_child)


def _execution_of(report: Report) -> str | None:
    return None if isinstance(report, OrderReport) else report.execution_id
