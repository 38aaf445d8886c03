"""A worker frozen between the lease check and the socket: what becomes of what it had in hand."""

import asyncio
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.audit import Terms, audit
from tests.failpoints.forks import Process, become
from tests.failpoints.house import PATIENCE, House, open_house
from tests.server import OVER

ORDERS = 4
QTY = 10

PLACE = "send.leased"
AFTERWARDS_SECONDS = 2.5
"""How long the one that woke up is watched: its requests have come in by then."""


@dataclass(frozen=True, slots=True)
class Case:
    """One class of broker, by what it declares."""

    id_scope: str
    deadline_ms: int | None = None
    lookup: str = "all"

    @property
    def name(self) -> str:
        return f"{self.id_scope}, {'with' if self.deadline_ms else 'without'} a deadline"


CASES = (
    Case("ever"),
    Case("ever", 1_000),
    Case("open_only", 1_000),
    Case("window"),
    Case("none"),
)


@dataclass(frozen=True, slots=True)
class Bound:
    """What was measured. `on_the_way`: children past the lease check when the worker froze;
    `arrived`: those of them that the venue took once it went on."""

    case: Case
    on_the_way: int
    arrived: int
    too_late: int
    duplicate_ids: int
    overfilled: int
    critical_alarms: int
    faults: tuple[str, ...]


async def measure(case: Case, folder: Path, url: str) -> Bound:
    """Freeze one worker, let another take over and finish, and wake the first."""
    behaviour: dict[str, Any] = {
        "id_scope": case.id_scope,
        "lookup": case.lookup,
        "deadline_ms": case.deadline_ms,
        "partial": 0.0,
        "chances": {},
    }
    async with open_house(folder, url, **behaviour) as house:
        await house.begin("api")
        frozen = await house.begin("worker", f"{PLACE}:{ORDERS}:stop")
        orders = [
            await house.order(symbol="GLOBEX", side="buy", qty=str(QTY), algo="market")
            for _ in range(ORDERS)
        ]
        await _stopped(frozen, house)
        before = _taken(house)
        second = _second(house)
        try:
            for order_id in orders:
                await house.until(order_id, lambda o: o["status"] in (*OVER, "needs_operator"))
            sent_by_second = _taken(house) - before
            frozen.send(signal.SIGCONT)
            await asyncio.sleep(AFTERWARDS_SECONDS)
            return await _bound(case, house, orders, before, sent_by_second)
        finally:
            await asyncio.to_thread(second.end, signal.SIGKILL)


def _second(house: House) -> Process:
    environment = house.environment(CLOSING_SECONDS="4")
    return Process(become, environment, house.folder / "second.log", "worker")


async def _stopped(process: Process, house: House) -> None:
    deadline = time.monotonic() + PATIENCE
    while not process.stopped():
        assert time.monotonic() < deadline, house.logs()
        await asyncio.sleep(0.02)


def _taken(house: House) -> set[str]:
    rows = house.venue.rows("SELECT client_id FROM orders WHERE code = 'accepted'")
    return {client_id for (client_id,) in rows}


async def _bound(
    case: Case, house: House, orders: list[str], before: set[str], by_second: set[str]
) -> Bound:
    first = await house.rows("SELECT id FROM children WHERE epoch = 1")
    twice = house.venue.rows(
        "SELECT client_id FROM orders WHERE code = 'accepted' GROUP BY client_id"
        " HAVING count(*) > 1"
    )
    late = house.venue.rows("SELECT client_id FROM orders WHERE code = 'too_late'")
    sums = await house.rows(
        "SELECT sum(greatest(filled - qty, 0)) AS over FROM orders WHERE id = ANY($1)", orders
    )
    alarms = await house.rows("SELECT DISTINCT order_id FROM alerts WHERE severity = 'critical'")
    report = await audit(house.url, [house.venue.ledger], Terms())
    return Bound(
        case=case,
        on_the_way=len({row["id"] for row in first} - before),
        arrived=len(_taken(house) - before - by_second),
        too_late=len(late),
        duplicate_ids=len(twice),
        overfilled=int(sums[0]["over"]),
        critical_alarms=len(alarms),
        faults=tuple(check.name for check in report.failed()),
    )


HEAD = (
    "| ids unique | deadline | children on the way | taken after waking | refused `too_late`"
    " | client ids accepted twice | over-filled | orders with a critical alarm |\n"
    "|---|---|---|---|---|---|---|---|"
)


def row(bound: Bound) -> str:
    """One line of the table."""
    case = bound.case
    deadline = f"{case.deadline_ms} ms" if case.deadline_ms else "none"
    cells = (
        case.id_scope,
        deadline,
        bound.on_the_way,
        bound.arrived,
        bound.too_late,
        bound.duplicate_ids,
        f"{bound.overfilled} of {ORDERS * QTY}",
        bound.critical_alarms,
    )
    return "| " + " | ".join(map(str, cells)) + " |"
