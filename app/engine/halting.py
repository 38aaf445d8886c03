"""Carries out kill switches of level `cancel` on a desk's open orders.

A switch is a row; its desk's owner, the sole sender, makes it true. Nothing here needs to be
remembered: what was asked stands in the journal, and whoever takes over asks for the rest.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.domain.execution import Execution
from app.domain.fact import CancelRequested, ChildCancelRequested
from app.domain.instant import Instant
from app.domain.lifecycle import ChildStatus
from app.failpoints import reach
from app.store import controls
from app.store.controls import Level, Switch
from app.store.database import Database
from app.store.journal import Entry

ENTRIES_MAX = 500
"""Orders written at one look: the desk hears its broker in between."""

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

    @property
    def reasons(self) -> Mapping[tuple[str, str], str]:
        """What is halted, as `controls.halt_for` takes it."""
        return controls.reasons(self._switches)

    async def see(self, database: Database) -> bool:
        """Read the switches that bear on the account; whether they changed."""
        async with database.connection() as connection:
            return self.know(await controls.thrown(connection, accounts=[self._account]))

    def know(self, switches: tuple[Switch, ...]) -> bool:
        """Take in the switches in force that bear on the account; whether they changed."""
        if switches == self._switches:
            return False
        self._switches = switches
        self._canceling = tuple(s for s in switches if s.level is Level.CANCEL)
        self._settled.clear()
        if not self._canceling:
            self._issued.clear()
        return True

    async def carry_out(self, orders: Mapping[str, Open], now: Instant) -> None:
        """Cancel what has to be canceled, then write it down: a cancel waits for no commit."""
        demand = self.demand(orders, now)
        for child_id in demand.cancel:
            self._cancel(child_id, now)
        if demand.entries:
            reach("switch.carrying_out")
            await self._record(demand.entries, now)
            reach("switch.carried_out")

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
            if switch is None or order.execution.done or order.execution.cancel_reason is not None:
                self._settled.add(order.order_id)
                continue
            fresh = [c for c in _children(order.execution) if c not in self._issued]
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


def _children(execution: Execution) -> list[str]:
    """Children that a broker has heard of and nobody has asked to cancel."""
    return [
        c.id
        for c in execution.children
        if c.cancel_requested_at is None and c.status not in _UNHEARD
    ]


def _entry(order: Open, switch: Switch, now: Instant) -> Entry:
    reason = f"kill_switch:{switch.scope.value}:{switch.name}"
    asked = [ChildCancelRequested(now, c, reason) for c in _children(order.execution)]
    # Never dropped as stale: whatever else happens to the order, it has to end.
    return Entry(order.order_id, [CancelRequested(now, reason), *asked])
