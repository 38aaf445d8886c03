"""Replacing an order as Alpaca's clients know it: an amendment that gives the order a new id."""

from typing import Any

from app.domain.instant import Instant
from app.domain.refusal import Conflict
from app.engine.commands import Changes, amend
from app.engine.ids import new_id
from app.engine.service import Caller, Service
from app.store import revisions
from app.store.database import Connection
from app.store.journal import Contradiction
from app.store.revisions import Revision


async def replace(
    service: Service,
    caller: Caller,
    order_id: str,
    name: str,
    changes: Changes,
    *,
    client_order_id: str | None,
) -> str:
    """Amend the order `order_id`, known as `name`; the id it has from now on.

    Raises Conflict where `name` was replaced already or the client's own id is taken, and what
    `amend` raises.
    """
    new = new_id()

    async def renamed(connection: Connection, row: Any, now: Instant) -> None:
        account: str = row["account"]
        current = await revisions.latest(connection, account, order_id)
        if current != name:
            raise Conflict(
                "order_replaced",
                f"the order was replaced already; it is known as {current}",
                detail={"replaced_by": current},
            )
        own = client_order_id or new
        if await revisions.taken(connection, account, own):
            raise _taken(own)
        revision = Revision(new, order_id, row["seq"] + 1, name, own, now)
        await revisions.insert(connection, account, revision, row)

    try:
        await amend(service, caller, order_id, None, changes, along=renamed)
    except Contradiction:
        # Somebody else took the name between the look and the insert.
        raise _taken(client_order_id or new) from None
    return new


def _taken(client_order_id: str) -> Conflict:
    return Conflict(
        "duplicate_client_order_id",
        f"client_order_id {client_order_id!r} stands for another order",
        field="client_order_id",
    )
