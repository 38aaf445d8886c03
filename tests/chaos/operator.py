"""The operator: asks the venue's desk about what no evidence tells, and decides."""

import asyncio
import time
from collections import Counter

import asyncpg

from tests.chaos.scene import Scene
from tests.chaos.trader import Trader

PATIENCE_SECONDS = 40.0


async def decide(house: Scene, trader: Trader) -> Counter[str]:
    """Resolve children of orders that need an operator, until none does or time is over.

    How often which answer was given; and, as `left`, how many orders still need somebody.
    """
    did: Counter[str] = Counter()
    until = time.monotonic() + PATIENCE_SECONDS
    while waiting := await _waiting(house):
        if time.monotonic() > until:
            did["left"] = len({row["order_id"] for row in waiting})
            break
        for row in waiting:
            outcome = await house.fate(row["account"], row["id"])
            if outcome is None:
                continue
            answer = await trader.ask(
                "POST",
                f"/orders/{row['order_id']}/children/{row['id']}/resolve",
                {"outcome": outcome, "reason": "read in the venue's ledger"},
            )
            did[f"{outcome} {answer.status_code}"] += 1
        await asyncio.sleep(1)
    return did


async def _waiting(house: Scene) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(house.url)
    try:
        found: list[asyncpg.Record] = await connection.fetch(
            "SELECT c.account, c.id, c.order_id::text FROM children c JOIN orders o"
            " ON o.account = c.account AND o.id = c.order_id WHERE o.status = 'needs_operator'"
            " AND o.reason LIKE 'no_evidence.%'"
            " AND c.status NOT IN ('filled', 'canceled', 'expired', 'rejected')"
        )
        return found
    finally:
        await connection.close()
