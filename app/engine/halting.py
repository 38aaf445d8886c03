"""Carries out kill switches that cancel on a desk's open orders.

A switch is a row; its desk's owner, the sole sender, makes it true. Nothing here needs to be
remembered: what was asked stands in the journal, and whoever takes over asks for the rest.
"""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.domain.execution import Execution
from app.domain.fact import CancelRequested, ChildCancelRequested
from app.domain.instant import Instant
from app.domain.lifecycle import ChildStatus
from app.failpoints import reach
from app.store import controls, halts
from app.store.controls import Level, Switch
from app.store.database import Database
from app.store.halts import Halts
from app.store.journal import Entry

ENTRIES_MAX = 500
"""Orders written at one look: the desk hears its broker in between."""

AGAIN_SECONDS = 5.0
"""So much later a cancel under the kill file is asked for again."""

Cancel = Callable[[str, Instant], None]
Record = Callable[[Sequence[Entry], Instant], Awaitable[None]]

_FORGOTTEN_MAX = 1_000
_UNHEARD = (ChildStatus.INTENT, ChildStatus.UNKNOWN)


class Open(Protocol):
    """An open order as its desk knows it."""

    @property
    def order_id(self) -> str: ...
    @property
    def symbol(self) -> str: ...
    @property
    def strategy(self) -> str | None: ...
    @property
    def flattens(self) -> bool: ...
    @property
    def execution(self) -> Execution: ...


@dataclass(frozen=True, slots=True)
class Demand:
    """What has to happen now: children to cancel at once, and what to write down afterwards."""

    cancel: tuple[str, ...] = ()
    entries: tuple[Entry, ...] = ()


_NOTHING = Demand()


class Halting:
    """One desk's memory of what it has asked under the switches in force; losing it costs a look.

    `cancel` asks the broker for the end of a child, `record` writes entries down.
    """

    def __init__(self, account: str, cancel: Cancel, record: Record) -> None:
        self._account = account
        self._cancel = cancel
        self._record = record
        self._switches: tuple[Switch, ...] = ()
        self._canceling: tuple[Switch, ...] = ()
        self._issued: set[str] = set()
        self._settled: set[str] = set()
        self._again_at: dict[str, float] = {}

    @property
    def flattening(self) -> tuple[Switch, ...]:
        """Those in force that close positions, as last seen."""
        return tuple(s for s in self._switches if s.level is Level.FLATTEN)

    @property
    def halts(self) -> Halts:
        """What is halted, as `halts.halt_for` takes it."""
        return halts.of_switches(self._switches)

    async def see(self, database: Database) -> bool:
        """Read the switches that bear on the account; whether they changed."""
        async with database.connection() as connection:
            return self.know(await controls.thrown(connection, accounts=[self._account]))

    def know(self, switches: tuple[Switch, ...]) -> bool:
        """Take in the switches in force that bear on the account; whether they changed."""
        if switches == self._switches:
            return False
        self._switches = switches
        self._canceling = tuple(s for s in switches if s.level.cancels)
        self._settled.clear()
        if not self._canceling:
            self._issued.clear()
        return True

    def ask(self, orders: Mapping[str, Open], now: Instant) -> Demand:
        """Cancel what has to be canceled, each child once; what is to be written down of it."""
        demand = self.demand(orders, now)
        for child_id in demand.cancel:
            self._cancel(child_id, now)
        return demand

    async def carry_out(self, orders: Mapping[str, Open], now: Instant) -> None:
        """Cancel what has to be canceled, then write it down: a cancel waits for no commit."""
        demand = self.ask(orders, now)
        if demand.entries:
            reach("switch.carrying_out")
            await self._record(demand.entries, now)
            reach("switch.carried_out")

    def cancel_at_once(self, orders: Mapping[str, Open], now: Instant) -> None:
        """Cancel every child that is known, and again every few seconds for as long as it is not
        known to be over; a switch has it written down later. Whoever asked before may have asked
        in vain, and with the database dead nobody else asks again."""
        before, self._again_at = self._again_at, {}
        at = time.monotonic()
        for order in list(orders.values()):
            for child in () if order.flattens else order.execution.children:
                if child.status in _UNHEARD:
                    continue
                asked = child.id in self._issued or child.cancel_requested_at is not None
                due = before.get(child.id, at + AGAIN_SECONDS if asked else at)
                if at >= due:
                    self._issued.add(child.id)
                    self._cancel(child.id, now)
                    due = at + AGAIN_SECONDS
                self._again_at[child.id] = due

    def demand(self, orders: Mapping[str, Open], now: Instant) -> Demand:
        """What the switches ask of the desk's open orders and is not yet asked.

        Called at every look: without a switch that cancels it costs nothing, under one that
        stays as it is a set's difference. Safe to repeat: a child is named once, an
        order until the journal has its end asked for, at most ENTRIES_MAX at a time. Children
        that nobody has heard of yet are left to the desk, which cancels them once they are found.
        """
        if not self._canceling:
            return _NOTHING
        cancel: list[str] = []
        entries: list[Entry] = []
        for order in self._unsettled(orders):
            switch = self._bearing(order)
            # What closes positions is ended by whoever entered it: see `flattening`.
            over = order.execution.done or order.execution.cancel_reason is not None
            if switch is None or order.flattens or over:
                self._settled.add(order.order_id)
                continue
            fresh = [c for c in heard_of(order.execution) if c not in self._issued]
            self._issued.update(fresh)
            cancel += fresh
            if len(entries) < ENTRIES_MAX:
                entries.append(_entry(order, switch, now))
        return Demand(tuple(cancel), tuple(entries)) if cancel or entries else _NOTHING

    def _unsettled(self, orders: Mapping[str, Open]) -> list[Open]:
        settled = self._settled
        if len(settled) > 2 * len(orders) + _FORGOTTEN_MAX:
            settled.intersection_update(orders)
        left = orders.keys() - settled
        return [order for order_id, order in orders.items() if order_id in left] if left else []

    def _bearing(self, order: Open) -> Switch | None:
        return next(
            (
                switch
                for switch in self._canceling
                if switch.bears_on(
                    account=self._account, symbol=order.symbol, strategy=order.strategy
                )
            ),
            None,
        )


def heard_of(execution: Execution) -> list[str]:
    """Children that a broker has heard of and nobody has asked to cancel."""
    return [
        c.id
        for c in execution.children
        if c.cancel_requested_at is None and c.status not in _UNHEARD
    ]


def _entry(order: Open, switch: Switch, now: Instant) -> Entry:
    reason = f"kill_switch:{switch.scope.value}:{switch.name}"
    asked = [ChildCancelRequested(now, c, reason) for c in heard_of(order.execution)]
    # Never dropped as stale: whatever else happens to the order, it has to end.
    return Entry(order.order_id, [CancelRequested(now, reason), *asked], by=reason)
