"""What a broker knows of our open children, before any send and on a timer."""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import assert_never

from app.domain.execution import Child, Execution
from app.domain.fact import BecameUnknown, CancelRequested, ChildRejected, Fact, Paused
from app.domain.instant import SECOND, Instant, seconds
from app.domain.lifecycle import ChildStatus, OrderStatus
from app.domain.task import OnRestart
from app.ports import Broker, BustReport, ExecutionReport, IdScope, Lookup, Report
from app.store.journal import Entry
from app.store.open_orders import Loaded

ORPHANED_SECONDS = 60.0
"""An order nobody owned for longer than this follows its restart policy."""

OVERLAP = 600 * SECOND


@dataclass(slots=True)
class Found:
    """Evidence, and the lack of it. `latest` is the latest market time the broker spoke of."""

    reports: list[Report] = field(default_factory=list)
    unknown: dict[str, list[Fact]] = field(default_factory=dict)
    absent: dict[str, list[Fact]] = field(default_factory=dict)
    latest: Instant = 0


async def ask(
    broker: Broker,
    open_orders: Sequence[Execution],
    now: Instant,
    *,
    seen_to: Instant,
    on_the_wire: Collection[str],
    missing_since: dict[str, float],
) -> Found:
    """Executions first, then each child by its id. An intent nobody answered is unknown.

    Children `on_the_wire` have an answer coming and are left alone. `missing_since` remembers,
    on the monotonic clock, since when the broker has not known a child: only where its ids are
    unique for ever and it finds all orders, and only after its lag and quarantine, is that proof
    of absence. For any other broker the child stays unknown.
    """
    found = Found()
    found.reports.extend(await executions(broker, open_orders, seen_to))
    for execution in open_orders:
        for child in execution.children:
            if child.id in on_the_wire:
                continue
            report = await broker.lookup(child.id)
            if report is not None:
                missing_since.pop(child.id, None)
                found.reports.append(report)
            else:
                since = missing_since.setdefault(child.id, time.monotonic())
                _missing(broker, execution, child, now, found, since)
    found.latest = max((r.at for r in found.reports), default=0)
    return found


async def executions(
    broker: Broker, open_orders: Sequence[Execution], seen_to: Instant
) -> Sequence[ExecutionReport | BustReport]:
    """All executions since the oldest open child was intended, or since `seen_to` if that is
    earlier: a fill may come to light after its child has ended. With some overlap."""
    intended = [c.intended_at for e in open_orders for c in e.children]
    return await broker.executions(min([seen_to, *intended]) - OVERLAP)


def _missing(
    broker: Broker, execution: Execution, child: Child, now: Instant, found: Found, since: float
) -> None:
    order_id = execution.task.order_id
    if child.status is ChildStatus.INTENT:
        found.unknown.setdefault(order_id, []).append(
            BecameUnknown(now, child.id, "found_without_answer")
        )
    silent = child.status in (ChildStatus.INTENT, ChildStatus.UNKNOWN)
    if silent and proves_absence(broker, missing_seconds=time.monotonic() - since):
        found.absent.setdefault(order_id, []).append(
            ChildRejected(now, child.id, "absent", absent=True)
        )


def proves_absence(broker: Broker, *, missing_seconds: float) -> bool:
    """Whether "not found", for so long, is evidence at this broker."""
    able = broker.capabilities
    patience = seconds(able.lookup_lag + able.quarantine)
    return (
        able.id_scope is IdScope.EVER and able.lookup is Lookup.ALL and missing_seconds >= patience
    )


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
