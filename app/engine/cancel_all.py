"""Cancels every open order of an account, a batch a transaction."""

from collections.abc import Sequence

from app.domain.fact import CancelRequested
from app.domain.refusal import Unavailable
from app.engine.market_clock import market_clock
from app.engine.service import Caller, Service
from app.store import journal, trail, views
from app.store.doorbell import EVENTS, WORK
from app.store.journal import Entry

_BATCH = 100


async def cancel_all(
    service: Service, caller: Caller, account: str, reason: str = "requested"
) -> list[str]:
    """Ask for the end of all that is open; the ids of those not asked before.

    An order that ends meanwhile is left out. The evidence comes as events, order by order.
    """
    async with service.database.connection() as connection:
        ids = await views.open_ids(connection, account)
    if ids:
        await _tell(service, caller, account, len(ids))
    return await ask_to_end(service, account, ids, reason, by=caller.key_id)


async def ask_to_end(
    service: Service, account: str, ids: Sequence[str], reason: str, *, by: str
) -> list[str]:
    """Ask for the end of these orders; the ids of those that were open and not asked before."""
    clock = await market_clock(service)
    if clock is None:
        raise Unavailable("no_market_time", "no worker has told the market time yet")
    asked: list[str] = []
    for start in range(0, len(ids), _BATCH):
        batch = ids[start : start + _BATCH]
        request = CancelRequested(clock.now, reason)
        asked += await _cancel(service, account, batch, request, by)
        service.doorbell.ring(WORK)
        service.doorbell.ring(EVENTS)
    return asked


async def _tell(service: Service, caller: Caller, account: str, orders: int) -> None:
    """One entry for all of them, and before the first: each order's event says the rest."""
    async with service.database.transaction() as connection:
        await trail.add(
            connection,
            actor=caller.key_id,
            action="orders.cancel_requested",
            target=account,
            account=account,
            after={"orders": orders},
        )


async def _cancel(
    service: Service, account: str, ids: Sequence[str], request: CancelRequested, by: str
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
            entries=[Entry(order_id, [request], attention=True, by=by) for order_id in asked],
        )
    return asked
