"""A second count of what an order has done, which nothing else depends on.

The order's own counters say what may still be sent, and one that stands still would send for ever
(as on 1 August 2012, when 212 orders became four million executions: the check on the cumulative
quantity no longer saw them). So before a child leaves, the ledger of fills is asked as well.
"""

from collections.abc import Sequence

from app.store.database import Connection

OPEN_CHILD = "c.status NOT IN ('filled', 'canceled', 'rejected', 'expired')"


class Runaway(AssertionError):
    """More is filled or on its way than was asked for, whatever the order's counters say."""


async def check_ledger(connection: Connection, *, account: str, order_ids: Sequence[str]) -> None:
    """Raises Runaway naming the orders that the ledger knows more of than they are worth."""
    found = await connection.fetch(
        "SELECT o.id, o.qty, o.excess, f.filled, c.leaves FROM orders o"
        " CROSS JOIN LATERAL (SELECT coalesce(sum(qty), 0) AS filled FROM fills f"
        " WHERE f.account = o.account AND f.order_id = o.id AND f.busted_at IS NULL) f"
        " CROSS JOIN LATERAL (SELECT coalesce(sum(c.qty - c.filled), 0) AS leaves FROM children c"
        f" WHERE c.account = o.account AND c.order_id = o.id AND {OPEN_CHILD}) c"
        " WHERE o.account = $1 AND o.id = ANY($2) AND f.filled + c.leaves > o.qty + o.excess",
        account,
        list(order_ids),
    )
    if found:
        told = ", ".join(
            f"order {r['id']}: {r['filled']:f} filled and {r['leaves']:f} open of {r['qty']:f}"
            for r in found
        )
        raise Runaway(told)
