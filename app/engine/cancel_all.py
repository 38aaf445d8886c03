"""Cancels every open order of an account, a batch a transaction."""

from app.domain.fact import CancelRequested
from app.domain.refusal import Unavailable
from app.engine.market_clock import market_clock
from app.engine.service import Service
from app.store import journal, views
from app.store.doorbell import EVENTS, WORK
from app.store.journal import Entry

_BATCH = 100


async def cancel_all(service: Service, account: str, reason: str = "requested") -> list[str]:
    """Ask for the end of all that is open; the ids of those not asked before.

    An order that ends meanwhile is left out. The evidence comes as events, order by order.
    """
    clock = await market_clock(service)
    if clock is None:
        raise Unavailable("no_market_time", "no worker has told the market time yet")
    async with service.database.connection() as connection:
        ids = await views.open_ids(connection, account)
    asked: list[str] = []
    for start in range(0, len(ids), _BATCH):
        batch = ids[start : start + _BATCH]
        asked += await _cancel(service, account, batch, CancelRequested(clock.now, reason))
        service.doorbell.ring(WORK)
        service.doorbell.ring(EVENTS)
    return asked


async def _cancel(
    service: Service, account: str, ids: list[str], request: CancelRequested
) -> list[str]:
    async with service.database.transaction() as connection:
        orders = await journal.load(connection, account=account, order_ids=ids, lock=True)
        asked = [
            order_id
            for order_id, (execution, _) in orders.items()
            if not execution.done and execution.cancel_reason is None
        ]
        await journal.record(
            connection,
            account=account,
            broker=service.broker_of[account],
            entries=[Entry(order_id, [request], attention=True) for order_id in asked],
        )
    return asked
