"""From due orders to children on their way: decide, commit the intents, send."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from app.domain.actions import Action, Cancel, Decision, Send
from app.domain.decide import MOVED, decide
from app.domain.fact import Intended
from app.domain.instant import SECOND, Instant, Micros
from app.engine import facts
from app.engine.books import OUR_MISTAKES, Books
from app.engine.cancels import Room, haste_of
from app.engine.leaving import Leaving
from app.engine.making_way import MakingWay
from app.engine.netting import Netting
from app.engine.shared import Shared
from app.engine.working import EXIT, Working
from app.failpoints import reach
from app.store import positions
from app.store.inputs import Kept
from app.store.intents import PositionMoved, intend
from app.store.journal import Entry, Recorded
from app.store.leases import Lease

AT_ONCE = 250
"""Orders decided in one round: their intents are one transaction, and the broker is heard in
between."""

Pair = tuple[Working, Decision]


class Acting:
    """One desk's planning and sending. `reload` reads orders anew from the journal, `see_halts`
    the switches."""

    def __init__(
        self,
        shared: Shared,
        lease: Lease,
        books: Books,
        *,
        reload: Callable[[Sequence[str], Instant], Awaitable[None]],
        see_halts: Callable[[Instant], Awaitable[None]],
    ) -> None:
        self._account, self._broker = shared.account, shared.broker.name
        self._auction = shared.broker.capabilities.closing_auction
        self._stops = shared.broker.capabilities.stops
        self._cancels_per_second = shared.broker.capabilities.cancels_per_second
        self._database, self._market = shared.database, shared.market
        self._roster, self._sender, self._watch = shared.roster, shared.sender, shared.watch
        self._pace = shared.pace
        self._netting = Netting(shared.account)
        self._lease = lease
        self._books = books
        self._reload = reload
        self._see_halts = see_halts
        self._making_way = MakingWay(shared, books.record)

    async def see_limits(self, now: Instant) -> bool:
        """Read the limits that hold for children; whether they changed."""
        return await self._pace.see(now)

    async def due(self, now: Instant) -> bool:
        """Decide what is due and act on it; whether anything was done."""
        orders = self._roster.due(now, AT_ONCE)
        await self._see_positions(orders)
        waiting, acting = await self._decide_all(orders, now)
        for order, decision in waiting:
            self._wait(order, decision, now)
        await self._watch.orders([o for o, _ in waiting if o.behind_since is not None], now)
        await self._act_or_stop(acting, now)
        made_way = await self._making_way.look(now)
        return bool(acting) or made_way or len(orders) == AT_ONCE

    async def _see_positions(self, orders: Sequence[Working]) -> None:
        """What the account holds where orders only reduce, and which of their exits wait because
        others hold against them: fills are booked by whoever learns them, so only the ledger
        knows."""
        symbols = {o.symbol for o in orders if o.execution.task.reduce_only}
        if symbols:
            async with self._database.connection() as connection:
                self._roster.positions = await positions.quantities(
                    connection, account=self._account, symbols=symbols
                )
                self._roster.netted = await self._netting.look(
                    connection, orders, self._roster.positions
                )

    async def _decide_all(
        self, orders: Sequence[Working], now: Instant
    ) -> tuple[list[Pair], list[Pair]]:
        """Decisions that wait, and those that act."""
        waiting: list[Pair] = []
        acting: list[Pair] = []
        leaving: list[Leaving] = []
        incomplete = self._books.incomplete
        moves = Moves(None if self._market.clock.stepped else self._sender.room_for_moves())
        for order in orders:
            try:
                decision = self._decide(order, now, leaving)
            except OUR_MISTAKES as mistake:
                await self._books.stop(order.order_id, mistake, now)
                continue
            sends = _sends(decision)
            if sends and order.order_id in incomplete:
                continue  # Decided anew when its lost child is back.
            if (later := moves.later(decision)) is not None:
                # It rests on as it is: whatever else comes meanwhile need not wait for the move.
                look_at = decision.look_at
                again = now + later if look_at is None else min(now + later, look_at)
                self._roster.wake([order.order_id], again)
                continue
            (acting if decision.actions else waiting).append((order, decision))
            leaving += [(order.symbol, order.order_id, send) for send in sends]
        return waiting, acting

    async def _act_or_stop(self, acting: Sequence[Pair], now: Instant) -> None:
        """Act for all at once; where that fails by our mistake, one by one, to stop the culprit."""
        if not acting:
            return
        try:
            await self._act(acting, now)
        except PositionMoved:
            self._roster.wake([order.order_id for order, _ in acting], now)
        except OUR_MISTAKES as mistake:
            if len(acting) == 1:
                await self._books.stop(acting[0][0].order_id, mistake, now)
                return
            # Some may be committed already: read what is true, and decide each anew.
            for order, _ in acting:
                await self._reload([order.order_id], now)
                known = self._roster.orders.get(order.order_id)
                if known is not None:
                    await self._act_or_stop(self._acting_alone(known, now), now)

    def _acting_alone(self, order: Working, now: Instant) -> list[Pair]:
        decision = self._decide(order, now, ())
        return [(order, decision)] if decision.actions else []

    def _decide(self, order: Working, now: Instant, leaving: Sequence[Leaving]) -> Decision:
        order.market = self._market.market_for(order.execution, now)
        # Stepped, market time stands still until the broker has answered.
        margin = 0 if self._market.clock.stepped else self._sender.latency.margin
        known = self._roster.facts_for(order, leaving)
        pause = self._roster.pause_for(order, self._cancels_per_second)
        qty, money = self._pace.largest(order)
        order.desk = replace(
            known,
            margin=margin,
            auction=self._auction,
            stops=self._stops and order.role == EXIT and not self._roster.opposed(order),
            pause=pause,
            child_qty=qty,
            child_notional=money,
        )
        order.decided_at = now
        order.decided = decide(order.execution, order.plan, order.desk, order.market, now)
        self._roster.decided(order)
        return order.decided

    async def _act(self, acting: Sequence[Pair], now: Instant) -> None:
        # What it halts is kept out below, under lock, like everything that is halted.
        await self._pace.sending(acting, now)
        entries = []
        for order, decision in acting:
            for action in decision.actions:
                if isinstance(action, Cancel):
                    # Sent before it is written: a cancel waits for no commit.
                    reach("cancel.decided")
                    self._sender.cancel(action.child_id, now, haste_of(action.reason))
            entries.append(facts.entry(order, decision, now))
        reach("decision.made")
        recorded, stopped = await intend(
            self._database,
            account=self._account,
            broker=self._broker,
            lease=self._lease,
            entries=entries,
            symbols={o.order_id: o.symbol for o, _ in acting},
            strategies={o.order_id: o.strategy for o, _ in acting},
            flattening={o.order_id for o, decision in acting if o.flattens and _sends(decision)},
            reducing={o.order_id for o, _ in acting if o.execution.task.reduce_only},
            held={
                o.symbol: o.desk.held for o, d in acting if o.desk.held is not None and _sends(d)
            },
            known=self._roster.known(o.order_id for o, _ in acting),
        )
        _keep(acting, recorded)
        await self._books.take_over(recorded, now)
        await self._reload([result.order_id for result in recorded if result.stale], now)
        reach("intent.remembered")
        self._send(entries, recorded)
        if any(isinstance(a, Cancel) for _, decision in acting for a in decision.actions):
            reach("cancel.recorded")
        if stopped:
            # A halt was seen under lock that we did not know yet.
            await self._see_halts(now)
            self._roster.wake(stopped, now)

    def _send(self, entries: Sequence[Entry], recorded: Sequence[Recorded]) -> None:
        """Send the children whose intents are committed now."""
        by_id = {entry.order_id: entry for entry in entries}
        for result in recorded:
            if not result.stale:
                decided = by_id[result.order_id].facts
                intents = [fact for fact in decided if isinstance(fact, Intended)]
                symbol = result.execution.task.instrument.symbol
                flattens = result.order_id in self._roster.index.flattening
                self._sender.send(result.order_id, symbol, intents, flattens=flattens)

    def _wait(self, order: Working, decision: Decision, now: Instant) -> None:
        """Sleep until the decision's own moment or the first of its triggers."""
        look_at = decision.look_at
        if decision.triggers and self._market.clock.stepped:
            until = look_at or order.execution.task.end
            fires = self._market.first(order.symbol, decision.triggers, now, until)
            look_at = fires if fires is not None else look_at
        stall = self._watch.stall_at(order, now)
        moments = [at for at in (look_at, stall) if at is not None and at > now]
        if moments:
            self._roster.wake([order.order_id], min(moments))


class Moves:
    """How many children one round may still move, and when those decide again that were too many:
    one after the other, a second and more later."""

    def __init__(self, room: Room | None) -> None:
        self._room = room.left if room is not None else None
        self._per_second = room.per_second if room is not None else 1
        self._late = 0

    def later(self, decision: Decision) -> Micros | None:
        """How much later to decide again; None: now it is."""
        if self._room is None or not decision.actions or not all(map(_moves, decision.actions)):
            return None
        if self._room > 0:
            self._room -= len(decision.actions)
            return None
        self._late += len(decision.actions)
        return SECOND + self._late * SECOND // self._per_second


def _moves(action: Action) -> bool:
    return isinstance(action, Cancel) and action.reason == MOVED


def _sends(decision: Decision) -> list[Send]:
    return [action for action in decision.actions if isinstance(action, Send)]


def _keep(acting: Sequence[Pair], recorded: Sequence[Recorded]) -> None:
    """Remember what the journal has of the market's past: the next decision adds to it."""
    stored = {result.order_id for result in recorded if not result.stale}
    for order, decision in acting:
        if decision.envelope is not None and order.order_id in stored:
            order.kept = Kept(order.version, order.market.profile)
