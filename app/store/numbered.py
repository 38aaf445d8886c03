"""Orders that a desk enters by itself: each has a name that says what it is for, with a number, so
that whoever does it twice finds it there."""

from itertools import count

from app.store.database import Connection
from app.store.entering import Columns, enter, withdraw_known


async def enter_numbered(
    connection: Connection, order: Columns, market: Columns, *, prefix: str, after: int
) -> str | None:
    """Enter an order under the next name; its id, None where one of its role is there already.

    A name that a client took before us, or that an order had which is archived, is passed over.
    """
    for number in count(after + 1):
        named = {**order, "client_order_id": f"{prefix}{number}"}
        if await enter(connection, [named], [market]):
            if not await withdraw_known(connection, [named]):
                return str(order["id"])
            continue
        there = await connection.fetchval(
            "SELECT role FROM orders WHERE account = $1 AND client_order_id = $2",
            order["account"],
            named["client_order_id"],
        )
        if there == order["role"]:
            return None
    raise AssertionError("numbers do not end")
