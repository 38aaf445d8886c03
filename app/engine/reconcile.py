"""What a broker knows of our open children: asked before any send, and on a timer."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import assert_never

from app.domain.fact import CancelRequested, Fact, Paused
from app.domain.instant import SECOND, Instant
from app.domain.lifecycle import OrderStatus
from app.domain.task import OnRestart
from app.ports import Broker, Lookup, OrderReport, Report
from app.store.journal import Entry
from app.store.open_orders import Loaded

ORPHANED_SECONDS = 60.0
"""An order nobody owned for longer than this follows its restart policy."""

OVERLAP = 60 * SECOND
"""How far back executions are asked again each time: some come to light late."""

DEEP_OVERLAP = 600 * SECOND
"""How far back now and then, and whenever a desk opens."""

DOUBTED = 25
"""Children in the broker's list of open orders that are looked up one by one all the same, in
turn: a list may lie."""

_AT_ONCE = 8
"""Look-ups under way at a time: the broker's rate limit is for orders and cancels first."""


@dataclass(slots=True)
class Found:
    """What the broker told. `missing`: children that it does not know (as of its lag);
    `positions` None: not asked."""

    reports: list[Report] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    positions: dict[str, Decimal] | None = None

    @property
    def latest(self) -> Instant:
        """The latest market time the broker spoke of."""
        return max((r.at for r in self.reports), default=0)


async def ask(
    broker: Broker,
    children: Sequence[str],
    *,
    since: Instant,
    doubted: Collection[str] = (),
    positions: bool = False,
    deep: bool = False,
) -> Found:
    """States first, executions after them: what had ended when it was asked is complete.

    `doubted` children are looked up even if the broker lists them as open. Orders that it lists
    and we did not ask for are told too: a child that our journal lost is among them.
    Raises ConnectionError.
    """
    found = Found()
    listed = {report.child_id: report for report in await broker.open_orders()}
    found.reports.extend(listed.values())
    asked = [c for c in children if c not in listed or c in doubted]
    if broker.capabilities.lookup is not Lookup.NONE:
        for child_id, report in zip(asked, await _look_up(broker, asked), strict=True):
            if report is not None:
                found.reports.append(report)
            elif child_id not in listed:
                found.missing.append(child_id)
    else:
        found.missing.extend(c for c in asked if c not in listed)
    overlap = max(DEEP_OVERLAP if deep else OVERLAP, 2 * broker.capabilities.lookup_lag)
    found.reports.extend(await broker.executions(max(since - overlap, 0)))
    if positions:
        found.positions = await broker.positions()
    return found


async def _look_up(broker: Broker, child_ids: Sequence[str]) -> list[OrderReport | None]:
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(child_id: str) -> OrderReport | None:
        async with gate:
            return await broker.lookup(child_id)

    return await asyncio.gather(*(one(child_id) for child_id in child_ids))


def restart_entries(loaded: Sequence[Loaded], orphaned_seconds: float, now: Instant) -> list[Entry]:
    """What orders that had no owner for too long asked for."""
    if orphaned_seconds <= ORPHANED_SECONDS:
        return []
    entries = []
    # What was accepted while nobody was there was never left alone.
    owned = (o for o in loaded if o.execution.status is not OrderStatus.ACCEPTED)
    for order in owned:
        fact = _restart_fact(order, now)
        if fact is not None:
            entries.append(Entry(order.execution.task.order_id, [fact]))
    return entries


def _restart_fact(order: Loaded, now: Instant) -> Fact | None:
    match order.on_restart:
        case OnRestart.RESUME:
            return None
        case OnRestart.PAUSE:
            return None if order.execution.pause_requested else Paused(now)
        case OnRestart.CANCEL:
            return CancelRequested(now, "on_restart")
        case _:
            assert_never(order.on_restart)
