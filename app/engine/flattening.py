"""Closes positions under kill switches of level `flatten`, one order a symbol at a time.

What is left to do follows from the journal alone: positions, open orders, and the names of the
orders that were entered for a switch before. So whoever takes over goes on where it stood, and a
fill that comes late is closed like any other.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import structlog

from app.domain.execution import accepted
from app.domain.fact import CancelRequested, ChildCancelRequested
from app.domain.instant import SECOND, Instant
from app.domain.session import session_from
from app.engine.desk_rules import DeskRules
from app.engine.flatten_order import market_row, order_row, task_for
from app.engine.halting import heard_of
from app.engine.shared import Shared
from app.failpoints import reach
from app.store import controls, flatten, halts
from app.store.controls import Switch
from app.store.flatten import Standing
from app.store.journal import Entry
from app.store.leases import Lease

log = structlog.get_logger()

LOOK_SECONDS = 0.25
LOOK_SHARE = 5
"""Between two looks passes so much longer than one takes."""

BACKOFF_MAX = 60 * SECOND
PATIENCE_SECONDS = 10.0
"""Orders that take longer to end than this keep a position open, and so does one that closes it and
gets no fill for so long: somebody should know."""

Record = Callable[[Sequence[Entry], Instant], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Wait:
    """Why a position stands open; `until` is the market time at which that is over, if known."""

    why: str
    until: Instant | None = None


@dataclass(frozen=True, slots=True)
class _AtWork:
    """An open order, what its position was when that last changed, and when (monotonic)."""

    order_id: str
    qty: Decimal
    since: float


class Flattening:
    """One desk's way of closing what it holds. `record` writes facts down."""

    def __init__(self, shared: Shared, lease: Lease, rules: DeskRules, record: Record) -> None:
        self._account, self._broker = shared.account, shared.broker.name
        self._database, self._market = shared.database, shared.market
        self._roster, self._sender, self._watch = shared.roster, shared.sender, shared.watch
        self._lease, self._policy, self._record = lease, rules.policy, record
        self._look_at = 0.0
        self._waits: dict[str, Wait] = {}
        self._ending_since: dict[str, float] = {}
        self._at_work: dict[str, _AtWork] = {}

    def next_at(self, now: Instant) -> Instant | None:
        """The market time at which some position may be closed that waits now."""
        moments = [w.until for w in self._waits.values() if w.until is not None and w.until > now]
        return min(moments, default=None)

    async def look(self, switches: Sequence[Switch], now: Instant) -> list[str]:
        """Enter what closes positions where nothing is in its way, under the switches in force that
        flatten; the ids of what was entered."""
        await self._end_released(switches, now)
        if not switches:
            self._waits, self._ending_since, self._at_work = {}, {}, {}
            return []
        begun = time.monotonic()
        if begun < self._look_at:
            return []
        entered = await self._close(switches, now)
        took = time.monotonic() - begun
        self._look_at = time.monotonic() + max(LOOK_SECONDS, LOOK_SHARE * took)
        return entered

    async def _close(self, switches: Sequence[Switch], now: Instant) -> list[str]:
        async with self._database.connection() as connection:
            found = await flatten.standing(connection, account=self._account, switches=switches)
        self._waits, entered = {}, []
        self._see_at_work(found)
        for wanted in found:
            await self._market.need(wanted.symbol, now)
            wait = self._wait(wanted, now)
            if wait is None and wanted.order_id is None:
                order_id = await self._enter(wanted, now)
                entered += [order_id] if order_id is not None else []
            elif wait is not None:
                self._waits[wanted.symbol] = wait
        await self._watch.standing([w for w in found if self._alarming(w)], self._told, now)
        return entered

    def _wait(self, wanted: Standing, now: Instant) -> Wait | None:
        """What keeps the position from being closed now."""
        if wanted.ending:
            self._ending_since.setdefault(wanted.symbol, time.monotonic())
            return Wait(f"{wanted.ending} open orders have to end first")
        self._ending_since.pop(wanted.symbol, None)
        if wanted.order_id is not None:
            return None
        watched = self._market.watched.get(wanted.symbol)
        if watched is None:
            return Wait("no feed has data for it")
        session = session_from(watched.sessions, now)
        if session is None or now < session.opens_at:
            return Wait("the market is closed", session.opens_at if session else None)
        if wanted.fruitless and wanted.tried_at is not None:
            pause = min(SECOND << min(wanted.fruitless - 1, 6), BACKOFF_MAX)
            if now < wanted.tried_at + pause:
                return Wait("the last order ended without a fill", wanted.tried_at + pause)
        if task_for(wanted, self._account, watched, session, self._policy, now) is None:
            return Wait("it is less than a lot")
        return None

    def _alarming(self, wanted: Standing) -> bool:
        since = self._ending_since.get(wanted.symbol)
        if since is not None:
            return time.monotonic() - since > PATIENCE_SECONDS
        work = self._at_work.get(wanted.symbol)
        if work is not None and time.monotonic() - work.since > PATIENCE_SECONDS:
            return True
        return wanted.symbol in self._waits or wanted.tries > 0

    def _told(self, wanted: Standing) -> str:
        wait = self._waits.get(wanted.symbol)
        if wait is not None:
            return wait.why
        order = self._roster.orders.get(wanted.order_id or "")
        bound = order.decided.bound if order is not None and order.decided is not None else None
        held = f", held by {bound}" if bound is not None else ""
        return f"order {wanted.tries + 1} is at work{held}"

    def _see_at_work(self, found: Sequence[Standing]) -> None:
        """Since when each order is at work without a fill: one that gets none has to be seen."""
        known, self._at_work = self._at_work, {}
        for wanted in found:
            if wanted.order_id is not None:
                fresh = _AtWork(wanted.order_id, wanted.qty, time.monotonic())
                last = known.get(wanted.symbol, fresh)
                same = (last.order_id, last.qty) == (fresh.order_id, fresh.qty)
                self._at_work[wanted.symbol] = last if same else fresh

    async def _enter(self, wanted: Standing, now: Instant) -> str | None:
        """Enter the order, unless something came between; whoever asks twice finds it there."""
        watched = self._market.watched[wanted.symbol]
        session = session_from(watched.sessions, now)
        assert session is not None, "checked before"
        task = task_for(wanted, self._account, watched, session, self._policy, now)
        assert task is not None, "checked before"
        quote = self._market.market_for(accepted(task), now).quote
        async with halts.intending(self._database, account=self._account, lease=self._lease) as (
            connection,
            _,
        ):
            switches = await controls.thrown(connection, accounts=[self._account])
            again = await flatten.standing(connection, account=self._account, switches=switches)
            if wanted not in again:
                return None
            order_id = await flatten.enter_numbered(
                connection,
                order_row(task, wanted, self._broker),
                market_row(task, watched.daily_volume, quote),
                wanted,
            )
            reach("flatten.entered")
        reach("flatten.committed")
        log.warning("position is being closed", symbol=wanted.symbol, qty=str(wanted.qty))
        return order_id

    async def _end_released(self, switches: Sequence[Switch], now: Instant) -> None:
        """Cancel orders that no switch asks for any more; what they filled stays."""
        entries = []
        for order_id in self._roster.index.flattening:
            order = self._roster.orders[order_id]
            asked = any(
                s.bears_on(account=self._account, symbol=order.symbol, strategy=order.strategy)
                for s in switches
            )
            if asked or order.execution.cancel_reason is not None:
                continue
            reason = "kill_switch_released"
            children = heard_of(order.execution)
            for child_id in children:
                self._sender.cancel(child_id, now)
            facts = [ChildCancelRequested(now, child_id, reason) for child_id in children]
            entries.append(Entry(order_id, [CancelRequested(now, reason), *facts]))
        await self._record(entries, now)
