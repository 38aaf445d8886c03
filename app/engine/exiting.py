"""Keeps an open exit for what entries with a bracket have filled.

What is due follows from the journal: whatever a fill, a bust, a stop or an end changes marks its
order in the same transaction, and the mark goes in the transaction that answers for it. So whoever
takes over goes on where it stood.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import structlog

from app.domain.alert import Alert
from app.domain.bracket import NOTHING_TO_EXIT, Duty, duty
from app.domain.execution import accepted
from app.domain.fact import Amended, CancelRequested, ChildCancelRequested, ExitForced, Fact
from app.domain.instant import Instant
from app.domain.quantity import ZERO
from app.domain.session import session_from
from app.engine import exit_alarms
from app.engine.books import OUR_MISTAKES
from app.engine.desk_rules import DeskRules
from app.engine.exit_order import order_row, task_for
from app.engine.flatten_order import market_row
from app.engine.shared import Shared
from app.failpoints import reach
from app.store import exits, journal, leases, numbered, positions
from app.store.database import Connection
from app.store.exits import Group
from app.store.journal import Entry, Recorded
from app.store.leases import Lease

log = structlog.get_logger()

AGAIN_SECONDS = 1.0
"""A group whose exit cannot be entered is tried again so much later."""

TakeOver = Callable[[Sequence[Recorded], Instant], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Done:
    """What one transaction did for a group."""

    entered: str | None = None
    recorded: Sequence[Recorded] = ()
    recalled: Sequence[str] = ()
    alarms: Sequence[Alert] = ()
    waits: bool = False


class Exiting:
    """One desk's care for its brackets. `take_over` believes what was recorded."""

    def __init__(self, shared: Shared, lease: Lease, rules: DeskRules, take_over: TakeOver) -> None:
        self._account, self._broker = shared.account, shared.broker.name
        self._database, self._market = shared.database, shared.market
        self._roster, self._sender, self._watch = shared.roster, shared.sender, shared.watch
        self._lease, self._policy, self._take_over = lease, rules.policy, take_over
        self._again_at: dict[str, float] = {}

    @property
    def due(self) -> bool:
        """Whether something happened that an exit may have to follow at once."""
        return self._roster.grouped

    async def look(self, now: Instant) -> list[str]:
        """Do what is due; the ids of the exits that were entered."""
        self._roster.grouped = False
        async with self._database.connection() as connection:
            found = await exits.due(connection, account=self._account, broker=self._broker)
        entered = []
        self._again_at = {i: at for i, at in self._again_at.items() if i in found}
        for group_id, symbol in found.items():
            if time.monotonic() < self._again_at.get(group_id, 0.0):
                continue
            try:
                # It may ask the feed: before anything is locked.
                await self._market.need(symbol, now)
                done = await self._answer(group_id, now)
            except OUR_MISTAKES as mistake:
                # It concerns one group, and must not end the others.
                log.error("exits not kept", entry=group_id, exc_info=mistake)
                done = _Done(alarms=(exit_alarms.failed(group_id, mistake),), waits=True)
            if done.waits:
                self._again_at[group_id] = time.monotonic() + AGAIN_SECONDS
            for child_id in done.recalled:
                self._sender.cancel(child_id, now)
            await self._take_over(done.recorded, now)
            await self._watch.raised(done.alarms, now)
            entered += [done.entered] if done.entered is not None else []
        return entered

    async def _answer(self, group_id: str, now: Instant) -> _Done:
        async with self._database.transaction() as connection:
            ids = await exits.lock(connection, account=self._account, group_id=group_id)
            await leases.hold(connection, self._lease)
            group = await exits.load(connection, account=self._account, ids=ids)
            if group is None:
                await exits.answered(connection, account=self._account, ids=ids)
                return _Done()
            wanted = duty(group.bracket, group.entry, group.legs, lot=group.lot, tick=group.tick)
            entered, waits = await self._enter(connection, group, wanted, now)
            entries = _entries(group, wanted, now)
            recorded = await journal.record(
                connection,
                account=self._account,
                broker=self._broker,
                entries=entries,
                epoch=self._lease.epoch,
                known=self._roster.known(e.order_id for e in entries),
            )
            held = await self._stands(connection, group) if wanted.bare else ZERO
            change = wanted.change
            # What is recalled has to be gone before the exit is as small as it must be.
            if not waits and not (change is not None and change.recall):
                await exits.answered(connection, account=self._account, ids=ids)
            reach("exits.recorded")
        reach("exits.committed")
        if entered is not None:
            log.info("exit entered", entry=group_id, order=entered)
        recalls = change is not None and (change.recall or change.cancel)
        return _Done(
            entered=entered,
            recorded=recorded,
            recalled=group.live if recalls else (),
            alarms=exit_alarms.found(group, wanted, held, waits=waits),
            waits=waits,
        )

    async def _enter(
        self, connection: Connection, group: Group, wanted: Duty, now: Instant
    ) -> tuple[str | None, bool]:
        """Enter the exit that is missing; whether that has to wait."""
        if wanted.enter is None:
            return None, False
        symbol = group.row["symbol"]
        watched = self._market.watched.get(symbol)
        session = session_from(watched.sessions, now) if watched is not None else None
        if watched is None or session is None:
            return None, True
        task = task_for(group, wanted.enter, watched, session, self._policy, now)
        quote = self._market.market_for(accepted(task), now).quote
        order_id = await numbered.enter_numbered(
            connection,
            order_row(task, group, now),
            market_row(task, watched.daily_volume, quote),
            prefix=group.prefix,
            after=len(group.legs),
        )
        return order_id, False

    async def _stands(self, connection: Connection, group: Group) -> Decimal:
        """What there is of a position that the group's exits could take away, now or once others
        of the account do not hold against it any more."""
        symbol, sign = group.row["symbol"], group.entry.side.sign
        found = await positions.quantities(connection, account=self._account, symbols=[symbol])
        own = await exits.own_position(
            connection, account=self._account, symbol=symbol, strategy=group.row["strategy"]
        )
        return max(sign * found[symbol], sign * own, ZERO)


def _entries(group: Group, wanted: Duty, now: Instant) -> list[Entry]:
    entries = []
    if wanted.end_entry is not None:
        asked = CancelRequested(now, wanted.end_entry)
        entries.append(Entry(group.row["id"], [asked], attention=True))
    change = wanted.change
    if change is None:
        return entries
    leg = next(leg for leg in group.legs if not leg.over)
    facts: list[Fact] = []
    if change.cancel:
        facts.append(CancelRequested(now, NOTHING_TO_EXIT))
    if change.qty is not None or change.levels is not None:
        at = change.levels
        stop = {"stop": at.stop} if at is not None and at.stop is not None else None
        target = at.target if at is not None else None
        facts.append(Amended(now, qty=change.qty, limit_price=target, params=stop))
    if change.force is not None:
        facts.append(ExitForced(now, change.force))
    if change.cancel or change.recall:
        why = NOTHING_TO_EXIT if change.cancel else "entry_shrank"
        facts += [ChildCancelRequested(now, child_id, why) for child_id in group.live]
    return [*entries, Entry(leg.id, facts)] if facts else entries
