"""What the front booked beside what the back executed, read without either's code."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import asyncpg
import httpx

PAGE = 100

Execution = tuple[str, Decimal, Decimal]
"""The child's id, which is the back's client order id; quantity; price."""


@dataclass(slots=True)
class Ends:
    """Both databases, each at one moment: the back's first, so that what it had executed by then
    may be booked in front of it."""

    booked: Counter[Execution] = field(default_factory=Counter)
    executed: Counter[Execution] = field(default_factory=Counter)
    children: Sequence[Any] = ()
    rejected: frozenset[str] = frozenset()
    """The front's children that were ever given up or called refused."""
    unanswered: frozenset[str] = frozenset()
    """Those whose fate was not known for a while."""
    orders: Sequence[Any] = ()
    """The front's parents."""
    taken: Sequence[Any] = ()
    """The back's parents, which are the front's children."""

    @property
    def lost(self) -> Counter[Execution]:
        return self.executed - self.booked

    @property
    def invented(self) -> Counter[Execution]:
        return self.booked - self.executed

    @property
    def twice(self) -> list[str]:
        """Client order ids under which the back took more than one order."""
        times = Counter(row["client_order_id"] for row in self.taken)
        return sorted(name for name, count in times.items() if count > 1)


async def both(front_url: str, back_url: str) -> Ends:
    """Read both databases."""
    ends = Ends()
    taken, executed = await _read(back_url, _TAKEN, _EXECUTED)
    ends.taken, ends.executed = taken, Counter(map(_execution, executed))
    children, rejected, unanswered, orders, booked = await _read(
        front_url, _CHILDREN, _REJECTED, _UNANSWERED, _ORDERS, _BOOKED
    )
    ends.children, ends.orders = children, orders
    ends.rejected = frozenset(row["id"] for row in rejected)
    ends.unanswered = frozenset(row["id"] for row in unanswered)
    ends.booked = Counter(map(_execution, booked))
    return ends


async def named_alike(front_url: str, back_url: str, api: str, key: str) -> list[str]:
    """Executions that the front knows under another id than the back's list of activities, which
    is asked over HTTP at `api`. Nothing, where all is well. Raises httpx.HTTPError."""
    (taken,) = await _read(back_url, _TAKEN)
    child = {str(row["id"]): row["client_order_id"] for row in taken}
    listed = {
        (row["id"].rpartition("::")[2], child[row["order_id"]], row["qty"], row["price"])
        for row in await _activities(api, key)
        if row["type"] in ("fill", "partial_fill")
    }
    listed = {(name, of, Decimal(qty), Decimal(price)) for name, of, qty, price in listed}
    (rows,) = await _read(front_url, _NAMED)
    return sorted(map(str, {tuple(row) for row in rows} ^ listed))


async def _activities(back: str, key: str) -> list[Any]:
    headers = {"APCA-API-KEY-ID": key.split("_")[1], "APCA-API-SECRET-KEY": key}
    found: list[Any] = []
    async with httpx.AsyncClient(headers=headers, timeout=10, trust_env=False) as client:
        query = {"direction": "asc", "page_size": str(PAGE)}
        while True:
            answer = await client.get(f"{back}/alpaca/v2/account/activities/FILL", params=query)
            page = answer.raise_for_status().json()
            found += page
            if len(page) < PAGE:
                return found
            query["page_token"] = page[-1]["id"]


async def _read(url: str, *queries: str) -> list[list[asyncpg.Record]]:
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            return [await connection.fetch(query) for query in queries]
    finally:
        await connection.close()


def _execution(row: Any) -> Execution:
    return row["child"], row["qty"], row["price"]


_BOOKED = "SELECT child_id AS child, qty, price FROM fills WHERE busted_at IS NULL"
_NAMED = "SELECT execution_id, child_id, qty, price FROM fills WHERE busted_at IS NULL"
_EXECUTED = (
    "SELECT o.client_order_id AS child, f.qty, f.price FROM fills f"
    " JOIN orders o ON o.account = f.account AND o.id = f.order_id WHERE f.busted_at IS NULL"
)
_TAKEN = "SELECT id, client_order_id, qty, filled, status, reason FROM orders"
_CHILDREN = "SELECT id, order_id, qty, filled, status FROM children"
_REJECTED = "SELECT data->>'child_id' AS id FROM events WHERE type = 'child.rejected'"
_UNANSWERED = "SELECT data->>'child_id' AS id FROM events WHERE type = 'child.unknown'"
_ORDERS = "SELECT id, qty, filled, excess, status, reason FROM orders"
