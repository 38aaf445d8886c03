"""The paper venue's ledger, read from another process: what it holds, and when that came in.

The times in the ledger are those that the engine gave; these are the bench's own, so they say
when a thing was there, not when somebody meant to send it.
"""

import asyncio
import sqlite3
import time
from bisect import bisect_left
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

LOOK_SECONDS = 0.005

_OPEN = (
    "SELECT count(*) FROM rested r WHERE NOT EXISTS"
    " (SELECT 1 FROM outcomes x WHERE x.order_number = r.order_number)"
)
_LOOK = (
    "SELECT (SELECT coalesce(max(number), 0) FROM orders),"
    " (SELECT coalesce(max(number), 0) FROM cancels),"
    " (SELECT coalesce(max(seq), 0) FROM outcomes)"
)


@dataclass(frozen=True, slots=True)
class Look:
    """At `at` (seconds of the machine's clock) these were the highest numbers."""

    at: float
    order: int
    cancel: int
    outcome: int


@dataclass(slots=True)
class Ledger:
    """One account's ledger file. Numbers only grow, so a number dates what it belongs to."""

    path: Path
    looks: list[Look] = field(default_factory=list)

    def made(self) -> bool:
        """Whether the venue has opened it for the first time."""
        return self.path.exists() and bool(
            self._rows("SELECT 1 FROM sqlite_schema WHERE name = 'cancels_of_order'")
        )

    def look(self) -> Look:
        seen = Look(time.time(), *self._rows(_LOOK)[0])
        self.looks.append(seen)
        return seen

    def open(self) -> int:
        """Orders that rest in the book."""
        return int(self._rows(_OPEN)[0][0])

    def repeats(self) -> int:
        """Client ids that were sent a second time."""
        return int(self._rows("SELECT count(*) FROM repeats")[0][0])

    def orders_after(self, number: int) -> list[int]:
        """Numbers of the orders that came in later."""
        rows = self._rows("SELECT number FROM orders WHERE number > ? ORDER BY number", number)
        return [int(row[0]) for row in rows]

    def first_cancels(self) -> list[int]:
        """For each order that was to be canceled, the number of the first request."""
        rows = self._rows("SELECT min(number) FROM cancels GROUP BY client_id")
        return sorted(int(row[0]) for row in rows)

    def order_came(self, number: int) -> float:
        """When an order was first seen."""
        return self._first("order", number)

    def cancel_came(self, number: int) -> float:
        return self._first("cancel", number)

    def last_outcome(self) -> float:
        """When the latest outcome was first seen."""
        return self._first("outcome", self.looks[-1].outcome)

    def _first(self, kind: str, number: int) -> float:
        place = bisect_left(self.looks, number, key=lambda look: getattr(look, kind))
        return self.looks[place].at

    def _rows(self, query: str, *values: int) -> list[tuple[int, ...]]:
        with sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=5) as database:
            found: list[tuple[int, ...]] = database.execute(query, values).fetchall()
        database.close()
        return found


@asynccontextmanager
async def watched(path: Path) -> AsyncIterator[Ledger]:
    """The ledger, looked at every few milliseconds while the block runs."""
    ledger = Ledger(path)
    while not ledger.made():
        await asyncio.sleep(LOOK_SECONDS)
    ledger.look()

    async def watch() -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await asyncio.to_thread(ledger.look)

    watching = asyncio.create_task(watch())
    try:
        yield ledger
    finally:
        watching.cancel()
