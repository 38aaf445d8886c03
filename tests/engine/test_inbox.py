"""The one way in: what a report says, in which order it counts, and what is still missing."""

from collections.abc import Sequence
from decimal import Decimal

import pytest

from app.domain.fact import (
    ChildCanceled,
    ChildExpired,
    ChildFact,
    ChildRejected,
    Filled,
    Purpose,
    Rested,
    Sent,
)
from app.domain.instant import SECOND
from app.domain.lifecycle import ChildStatus
from app.domain.quantity import Side
from app.engine.hearing import facts_of
from app.engine.inbox import Booked, book
from app.ports import ExecutionReport, OrderReport, Report
from app.store.database import Database
from tests.domain.tasks import OPEN
from tests.store.seeds import ACCOUNT, BROKER, fetch, intent, record, value, working

D = Decimal
C = ChildStatus
AT = OPEN + SECOND


def told(
    status: ChildStatus, filled: int = 0, child: str = "c1", why: str | None = None
) -> OrderReport:
    return OrderReport(child, "b1", status, AT, D(filled), why)


def execution(qty: int, name: str = "e1", child: str = "c1") -> ExecutionReport:
    return ExecutionReport(
        child, "b1", name, "XYZ", Side.BUY, D(qty), D("10.5"), D("0.02"), "maker", AT
    )


# What a report says

ON_ITS_WAY: list[ChildFact] = [Sent(AT, "c1", "b1"), Rested(AT, "c1")]


@pytest.mark.parametrize(
    ("report", "facts"),
    [
        (told(C.WORKING), ON_ITS_WAY),
        (told(C.PARTIALLY_FILLED, 5), ON_ITS_WAY),
        (told(C.FILLED, 10), []),
        (told(C.CANCELED, 5, why="ioc"), [ChildCanceled(AT, "c1", "ioc")]),
        (told(C.CANCELED), [ChildCanceled(AT, "c1", None)]),
        (told(C.EXPIRED, why="day"), [ChildExpired(AT, "c1", "day")]),
        (told(C.REJECTED, why="funds"), [ChildRejected(AT, "c1", "broker.funds")]),
        (told(C.REJECTED), [ChildRejected(AT, "c1", "broker.rejected")]),
        (execution(5), [Filled(AT, "c1", "e1", D(5), D("10.5"), D("0.02"), "maker")]),
    ],
)
def test_facts_of_a_report(report: ExecutionReport | OrderReport, facts: list[ChildFact]) -> None:
    assert facts_of(report) == facts


@pytest.mark.parametrize("status", [C.INTENT, C.SENT, C.UNKNOWN])
def test_what_no_broker_can_know_is_refused(status: ChildStatus) -> None:
    with pytest.raises(ValueError, match=f"does not report {status}"):
        facts_of(told(status))


# Booking


async def an_order(database: Database, *numbers: int) -> tuple[str, list[str]]:
    """A working order and its resting children of 100."""
    order_id = await working(database)
    intents = [intent(order_id, n, 100, purpose=Purpose.REST) for n in numbers]
    await record(database, order_id, *intents)
    return order_id, [i.child_id for i in intents]


async def booking(database: Database, *reports: Report) -> Booked:
    return await book(database, account=ACCOUNT, broker=BROKER, reports=reports)


async def event_types(database: Database, order_id: str) -> list[str]:
    rows = await fetch(
        database, "SELECT type FROM events WHERE order_id = $1 ORDER BY seq", order_id
    )
    return [row["type"] for row in rows]


async def test_fills_count_before_ends_whatever_comes_first(database: Database) -> None:
    order_id, (one, two) = await an_order(database, 1, 2)
    booked = await booking(
        database,
        told(C.CANCELED, 40, one, "ioc"),
        told(C.EXPIRED, 100, two),
        execution(40, "e1", one),
        execution(100, "e2", two),
        told(C.WORKING, 0, one),
    )
    (recorded,) = booked.recorded
    assert [f.execution_id for f in recorded.booked] == ["e1", "e2"]
    assert (recorded.execution.filled, recorded.execution.unsent) == (140, 860)
    types = [t for t in await event_types(database, order_id) if t.startswith(("fill", "child"))]
    ends = [n for n, t in enumerate(types) if t in ("child.canceled", "child.expired")]
    fills = [n for n, t in enumerate(types) if t == "fill.booked"]
    assert len(fills) == 2
    assert ends
    assert max(fills) < min(ends)
    statuses = await fetch(database, "SELECT status FROM children ORDER BY number")
    assert [row["status"] for row in statuses] == ["canceled", "filled"]


async def test_a_report_told_again_changes_nothing(database: Database) -> None:
    order_id, (one,) = await an_order(database, 1)
    reports: Sequence[Report] = [
        told(C.WORKING, 0, one),
        execution(40, "e1", one),
        told(C.CANCELED, 40, one),
    ]
    await booking(database, *reports)
    before = await event_types(database, order_id)
    again = await booking(database, *reversed(reports), *reports)
    assert again.strangers == ()
    assert all(not recorded.booked for recorded in again.recorded)
    assert [t for t in await event_types(database, order_id) if t == "fill.booked"] == [
        "fill.booked"
    ]
    assert [t for t in before if t == "child.canceled"] == ["child.canceled"]
    assert await value(database, "SELECT filled FROM orders") == 40


async def test_an_execution_nobody_can_place_is_set_aside_once(database: Database) -> None:
    order_id, (one,) = await an_order(database, 1)
    stranger = execution(7, "e7", "sl00000000000-1")
    booked = await booking(database, stranger, execution(40, "e1", one))
    assert booked.strangers == (stranger,)
    assert (await booking(database, stranger)).strangers == ()
    # The same id with other terms: booked once, never changed, and not silently dropped.
    other = execution(41, "e1", one)
    assert (await booking(database, other)).strangers == (other,)
    assert await value(database, "SELECT filled FROM orders WHERE id = $1", order_id) == 40


async def test_no_reports_touch_nothing(database: Database) -> None:
    assert await booking(database) == Booked()
