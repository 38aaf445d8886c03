"""Looks at working orders with the alert rules, and raises what they and the desk find."""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

from app.domain.alert import Alert, Sight, Thresholds, failed
from app.domain.alerts import alerts
from app.domain.alerts.exit_waits import PATIENCE
from app.domain.execution import Execution
from app.domain.exits import is_forced
from app.domain.fact import Adopted
from app.domain.instant import MINUTE, SECOND, Instant, Micros
from app.domain.lifecycle import ChildStatus
from app.domain.quantity import ZERO
from app.engine import incidents
from app.engine.positions import Break
from app.engine.working import Working
from app.ports import ExecutionReport
from app.store.alerts import raise_alerts
from app.store.database import Database
from app.store.ended import failed_in_a_row
from app.store.flatten import Standing
from app.store.journal import Recorded

UNKNOWN_SECONDS = 5
"""Not to know a child's fate for longer than this is an alarm (I29)."""

REPEAT_AFTER = MINUTE
"""The same rule about the same subject, as grave as before, is counted again only after this much
market time."""


class Watch:
    """One desk's eye on its orders."""

    def __init__(
        self,
        database: Database,
        account: str,
        thresholds: Thresholds,
        vwap: Callable[[Execution, Instant], Decimal | None],
    ) -> None:
        self._database = database
        self._vwap = vwap
        self._account = account
        self._thresholds = thresholds
        self._raised: dict[tuple[str, str, str], Instant] = {}

    async def orders(self, touched: Iterable[Working], now: Instant) -> None:
        """Check orders that changed."""
        of = list(touched)
        in_a_row = await self._failed_in_a_row() if any(failed(o.execution) for o in of) else 0
        sights = (self._sight(order, now, in_a_row) for order in of)
        await self._raise_fresh([a for s in sights for a in alerts(s, self._thresholds)], now)

    def _sight(self, order: Working, now: Instant, failed_orders: int) -> Sight:
        filled = order.execution.filled > 0
        return Sight(
            execution=order.execution,
            average_price=order.average_price,
            arrival_mid=order.arrival_mid,
            behind_since=order.behind_since,
            now=now,
            market_vwap=self._vwap(order.execution, now) if filled else None,
            must=_must(order),
            slow_since=order.slow_since,
            failed_orders=failed_orders,
            bound=order.decided.bound if order.decided is not None else None,
        )

    async def _failed_in_a_row(self) -> int:
        async with self._database.connection() as connection:
            return await failed_in_a_row(
                connection, account=self._account, at_most=10 * self._thresholds.failed_orders
            )

    def stall_at(self, order: Working, now: Instant) -> Instant | None:
        """Note whether an order that waits is behind, and by far; the next moment to look at it
        for that."""
        must = _must(order)
        behind = ZERO if must is None else must - order.execution.filled
        if behind <= 0:
            order.behind_since = order.slow_since = None
            return None
        order.behind_since = now if order.behind_since is None else order.behind_since
        far = behind >= self._thresholds.slow_share * order.execution.task.qty
        order.slow_since = (now if order.slow_since is None else order.slow_since) if far else None
        moments = [order.behind_since + self._thresholds.stalled_after]
        if is_forced(order.execution.task):
            moments.append(order.behind_since + PATIENCE)
        if order.slow_since is not None:
            moments.append(order.slow_since + self._thresholds.slow_after)
        return min((at for at in moments if at > now), default=None)

    async def strangers(self, reports: Sequence[ExecutionReport], now: Instant) -> None:
        """Executions that no child of ours explains: unknown ones, or unlike what was booked."""
        await self._raise([incidents.stranger(report) for report in reports], now)

    async def late(self, recorded: Sequence[Recorded], now: Instant) -> None:
        """Fills of orders that were over: booked, and worth a look; more so beyond the order."""
        found = []
        for result in recorded:
            sight = Sight(result.execution, None, None, None, now)
            found += [*alerts(sight, self._thresholds), incidents.late_fill(result)]
        await self._raise(found, now)

    async def busts(self, recorded: Sequence[Recorded], now: Instant) -> None:
        """Executions that were declared void."""
        await self._raise([incidents.bust(r, r.busted) for r in recorded], now)

    async def adopted(self, order_id: str, fact: Adopted, now: Instant) -> None:
        """A child that the journal had lost."""
        await self._raise([incidents.adopted_child(order_id, fact)], now)

    async def undead(self, child_ids: Sequence[str], now: Instant) -> None:
        """Children that the broker works on after their end."""
        await self._raise_fresh([incidents.undead_child(child_id) for child_id in child_ids], now)

    async def illegible(self, child_id: str, order_id: str | None, why: str, now: Instant) -> None:
        """Something told of a child that nobody can read."""
        await self._raise_fresh([incidents.illegible_report(child_id, order_id, why)], now)

    async def positions(self, breaks: Sequence[Break], now: Instant) -> None:
        """Positions that fills do not explain."""
        await self._raise_fresh([incidents.position_break(found) for found in breaks], now)

    async def unknown(
        self,
        orders: Iterable[Working],
        silent_for: Callable[[str], Micros | None],
        now: Instant,
    ) -> None:
        """Children whose fate has not been known for too long. `silent_for` says how long the
        broker has not known a child (None: it was not asked, or cannot be)."""
        found = [
            incidents.unknown_child(order.order_id, child)
            for order in orders
            for child in order.execution.children
            if child.status is ChildStatus.UNKNOWN
            and (silent_for(child.id) or 0) >= UNKNOWN_SECONDS * SECOND
        ]
        await self._raise_fresh(found, now)

    async def needs_operator(self, orders: Iterable[Working], now: Instant) -> None:
        """Orders that wait for evidence that does not come."""
        found = [
            incidents.needs_operator(o.order_id, o.symbol, o.execution.reason or "") for o in orders
        ]
        await self._raise_fresh(found, now)

    async def without_market(self, orders: Iterable[Working], now: Instant) -> None:
        """Open orders that no feed has data for: they wait, and somebody must know."""
        await self._raise_fresh([incidents.no_market(order) for order in orders], now)

    async def standing(
        self, found: Sequence[Standing], why: Callable[[Standing], str], now: Instant
    ) -> None:
        """Positions that a kill switch wants closed and that stand open."""
        alarms = [incidents.standing(one, why(one)) for one in found]
        await self._raise_fresh(alarms, now)

    async def raised(self, found: Sequence[Alert], now: Instant) -> None:
        """What somebody else found, unless it was just said."""
        await self._raise_fresh(found, now)

    async def stopped(self, order: Working, mistake: Exception, now: Instant) -> None:
        """An order that we stopped because our own arithmetic failed."""
        await self._raise([incidents.stopped(order, mistake)], now)

    async def _raise_fresh(self, found: Sequence[Alert], now: Instant) -> None:
        await self._raise([alert for alert in found if self._fresh(alert, now)], now)

    def _fresh(self, alert: Alert, now: Instant) -> bool:
        key = (alert.rule, alert.subject, alert.severity.value)
        last = self._raised.get(key)
        if last is not None and now - last < REPEAT_AFTER:
            return False
        self._raised[key] = now
        return True

    async def _raise(self, found: Sequence[Alert], now: Instant) -> None:
        if found:
            async with self._database.transaction() as connection:
                await raise_alerts(connection, account=self._account, alerts=found, at=now)


def _must(order: Working) -> Decimal | None:
    envelope = order.decided.envelope if order.decided is not None else None
    return envelope.must if envelope is not None else None
