"""Looks at working orders with the alert rules, and raises what they find."""

import time
from collections.abc import Iterable, Mapping, Sequence

from app.domain.alert import Alert, Severity, Sight, Thresholds
from app.domain.alerts import alerts
from app.domain.instant import MINUTE, Instant, rfc3339
from app.domain.lifecycle import ChildStatus
from app.domain.quantity import ZERO
from app.engine.working import Working
from app.ports import ExecutionReport
from app.store.alerts import raise_alerts
from app.store.database import Database
from app.store.journal import Recorded

UNKNOWN_SECONDS = 5.0
"""Not to know a child's fate for longer than this is an alarm (I29)."""

REPEAT_AFTER = MINUTE
"""The same rule about the same order is counted again only after this much market time."""


class Watch:
    """One desk's eye on its orders."""

    def __init__(self, database: Database, account: str, thresholds: Thresholds) -> None:
        self._database = database
        self._account = account
        self._thresholds = thresholds
        self._raised: dict[tuple[str, str], Instant] = {}

    async def orders(self, touched: Iterable[Working], now: Instant) -> None:
        """Check orders that changed."""
        found = [
            alert
            for order in touched
            for alert in alerts(_sight(order, now), self._thresholds)
            if self._fresh(alert, now)
        ]
        await self._raise(found, now)

    def stall_at(self, order: Working, now: Instant) -> Instant | None:
        """Note whether an order that waits is behind; the moment to look at it again for that."""
        envelope = order.decided.envelope if order.decided is not None else None
        behind = envelope is not None and envelope.must > order.execution.filled
        if not behind:
            order.behind_since = None
            return None
        if order.behind_since is None:
            order.behind_since = now
        return order.behind_since + self._thresholds.stalled_after

    async def strangers(self, reports: Sequence[ExecutionReport], now: Instant) -> None:
        """Executions that no child of ours explains: unknown ones, or unlike what was booked."""
        await self._raise(
            [
                Alert(
                    rule="unexplained_execution",
                    subject=report.execution_id,
                    severity=Severity.CRITICAL,
                    message=f"execution {report.execution_id} of {report.symbol} at the broker"
                    " belongs to no child order; it is in quarantine",
                    data={
                        "child_id": report.child_id,
                        "qty": format(report.qty, "f"),
                        "price": format(report.price, "f"),
                        "at": rfc3339(report.at),
                    },
                )
                for report in reports
            ],
            now,
        )

    async def late(self, recorded: Sequence[Recorded], now: Instant) -> None:
        """Fills of orders that were over: booked, and worth a look; more so beyond the order."""
        found = []
        for result in recorded:
            sight = Sight(result.execution, None, None, None, now)
            found += alerts(sight, self._thresholds)
            task = result.execution.task
            found.append(
                Alert(
                    rule="late_fill",
                    subject=result.order_id,
                    severity=Severity.WARNING,
                    message=f"{task.instrument.symbol} filled after its order was over",
                    data={"qty": format(sum((f.qty for f in result.booked), ZERO), "f")},
                    order_id=result.order_id,
                )
            )
        await self._raise(found, now)

    async def unknown(
        self, orders: Iterable[Working], missing_since: Mapping[str, float], now: Instant
    ) -> None:
        """Children whose fate has not been known for too long."""
        long_ago = time.monotonic() - UNKNOWN_SECONDS
        found = [
            Alert(
                rule="unknown_child",
                subject=child.id,
                severity=Severity.ERROR,
                message=f"nobody knows what became of child {child.id}; its quantity stays"
                " reserved until there is evidence",
                data={"qty": format(child.qty, "f"), "price": format(child.price, "f")},
                order_id=order.order_id,
            )
            for order in orders
            for child in order.execution.children
            if child.status is ChildStatus.UNKNOWN
            and missing_since.get(child.id, long_ago + 1) < long_ago
        ]
        await self._raise([alert for alert in found if self._fresh(alert, now)], now)

    async def without_market(self, orders: Iterable[Working], now: Instant) -> None:
        """Open orders that no feed has data for: they wait, and somebody must know."""
        found = [
            Alert(
                rule="no_market_data",
                subject=order.order_id,
                severity=Severity.CRITICAL,
                message=f"no feed has {order.symbol}: the order waits",
                data={"symbol": order.symbol},
                order_id=order.order_id,
            )
            for order in orders
        ]
        await self._raise([alert for alert in found if self._fresh(alert, now)], now)

    async def stopped(self, order: Working, mistake: Exception, now: Instant) -> None:
        """An order that we stopped because our own arithmetic failed."""
        await self._raise(
            [
                Alert(
                    rule="order_stopped",
                    subject=order.order_id,
                    severity=Severity.CRITICAL,
                    message=f"an internal check failed for an order in {order.symbol}; it is"
                    " stopped and needs an operator",
                    data={"mistake": f"{type(mistake).__name__}: {mistake}"[:500]},
                    order_id=order.order_id,
                )
            ],
            now,
        )

    def _fresh(self, alert: Alert, now: Instant) -> bool:
        key = (alert.rule, alert.subject)
        last = self._raised.get(key)
        if last is not None and now - last < REPEAT_AFTER:
            return False
        self._raised[key] = now
        return True

    async def _raise(self, found: Sequence[Alert], now: Instant) -> None:
        if found:
            async with self._database.transaction() as connection:
                await raise_alerts(connection, account=self._account, alerts=found, at=now)


def _sight(order: Working, now: Instant) -> Sight:
    return Sight(
        execution=order.execution,
        average_price=order.average_price,
        arrival_mid=order.arrival_mid,
        behind_since=order.behind_since,
        now=now,
    )
