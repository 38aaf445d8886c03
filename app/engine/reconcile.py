"""What a broker knows of our open children: asked before any send, and on a timer."""

import asyncio
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import assert_never

from app.domain.fact import CancelRequested, Fact, Paused
from app.domain.instant import LATEST, SECOND, Instant, Micros
from app.domain.lifecycle import OrderStatus
from app.domain.task import OnRestart
from app.ports import Broker, Lookup, OrderReport, Report, illegible
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
    """What the broker told. `missing`: children that it does not know (as of its lag), each with
    the moment just before it was asked for that child, machine time, monotonic: an answer that
    was long under way is as old as its question. `positions` None: not asked."""

    reports: list[Report] = field(default_factory=list)
    missing: dict[str, Micros] = field(default_factory=dict)
    positions: dict[str, Decimal] | None = None

    @property
    def latest(self) -> Instant:
        """The latest market time the broker spoke of."""
        return max((r.at for r in self.reports if r.at < LATEST), default=0)


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
    found, asked_at = Found(), _now()
    listed = {report.child_id: report for report in await broker.open_orders()}
    found.reports.extend(listed.values())
    asked = [c for c in children if c not in listed or c in doubted]
    if broker.capabilities.lookup is not Lookup.NONE:
        for child_id, (at, report) in zip(asked, await _look_up(broker, asked), strict=True):
            if report is not None:
                found.reports.append(report)
            elif child_id not in listed:
                found.missing[child_id] = at
    else:
        found.missing |= {c: asked_at for c in asked if c not in listed}
    overlap = max(DEEP_OVERLAP if deep else OVERLAP, 2 * broker.capabilities.lookup_lag)
    found.reports.extend(await broker.executions(max(since - overlap, 0)))
    # Spoken of, however: not absent.
    spoken_of = {report.child_id for report in filter(illegible, found.reports)}
    found.missing = {c: at for c, at in found.missing.items() if c not in spoken_of}
    if positions:
        found.positions = await broker.positions()
    return found


async def _look_up(
    broker: Broker, child_ids: Sequence[str]
) -> list[tuple[Micros, OrderReport | None]]:
    """When each was asked for, and what was told."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(child_id: str) -> tuple[Micros, OrderReport | None]:
        async with gate:
            asked_at = _now()
            return asked_at, await broker.lookup(child_id)

    return await asyncio.gather(*(one(child_id) for child_id in child_ids))


def _now() -> Micros:
    return int(time.monotonic() * SECOND)


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
