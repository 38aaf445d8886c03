"""The house under fire: two workers, two APIs, a venue and a database of its own."""

import asyncio
import os
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import asyncpg

from tests.chaos.auditing import audited
from tests.chaos.books import Books, compare, read_venue
from tests.chaos.home import Home
from tests.chaos.terms import ACCOUNTS, Terms, behaviours
from tests.databases import run_sql
from tests.postgres import PostgresServer
from tests.venue.running import RunningVenue

AFTERMATH_SECONDS = 3.0
"""So long after the database was back a process may die of its having been away."""

NAMES = ("worker-0", "worker-1", "api-0", "api-1")

_REVIVING = threading.Lock()
"""The package that starts servers is not made for two at a time."""


def _revive(server: PostgresServer) -> bool:
    with _REVIVING:
        return server.revive()


class House(Home):
    """A server at a venue that misbehaves, on a database that may be killed."""

    accounts = ACCOUNTS

    def __init__(self, folder: Path, server: PostgresServer, terms: Terms) -> None:
        super().__init__(folder, server, terms, names=NAMES, database=folder.name)
        self.venue = RunningVenue(folder, seed=terms.random("venue").randrange(1 << 30))
        self._database_back = -AFTERMATH_SECONDS

    async def open(self) -> None:
        """Raises FileExistsError rather than mix two houses."""
        self.folder.mkdir(parents=True)
        await asyncio.to_thread(self.venue.start)
        for account, behaviour in behaviours(self.terms).items():
            self.venue.behave(account, **behaviour)
        await super().open()

    async def close(self) -> None:
        await super().close()
        self.venue.close()

    async def kill_database(self) -> float:
        """Kill the postmaster and start it again; how long it was away, in seconds."""
        begun = time.monotonic()
        self._database_back = float("inf")
        with suppress(ProcessLookupError):
            os.kill(self.server.postmaster(), 9)
        while await asyncio.to_thread(self.server.alive):
            await asyncio.sleep(0.01)
        while not await asyncio.to_thread(_revive, self.server):
            await asyncio.sleep(0.05)
        while True:
            with suppress(OSError, asyncpg.PostgresError):
                await run_sql(self.url, "SELECT 1")
                self._database_back = time.monotonic()
                return self._database_back - begun
            await asyncio.sleep(0.02)

    async def compare(self) -> Books:
        """The books beside the venue's ledger."""
        return await compare(self.url, read_venue(self.venue.ledger))

    async def quiet(self) -> bool:
        """Whether the venue has told all that it will."""
        return bool(self.venue.rows("SELECT count(*) FROM agenda")[0][0] == 0)

    async def fate(self, account: str, child_id: str) -> str | None:
        """What became of a child at the venue, as its desk would tell; None: it is open."""
        rows = self.venue.rows(
            "SELECT e.at FROM orders o LEFT JOIN ends e ON e.order_seq = o.seq"
            " WHERE o.account = ? AND o.client_id = ? AND o.code = 'accepted'",
            account,
            child_id,
        )
        if not rows:
            return "absent"
        return "canceled" if rows[0][0] is not None else None

    async def audits(self) -> list[dict[str, Any]]:
        return [await audited(self.url, self.folder, self.venue.ledger)]

    async def tally(self) -> tuple[Counter[str], Counter[str]]:
        """What the venue took and did, and the faults that it drew."""
        venue = read_venue(self.venue.ledger)
        counts = {
            "children at the venue": len(venue.accepted),
            "orders at the venue": venue.counts["orders"],
            "executions at the venue": venue.counts["executions"],
            "busts at the venue": venue.counts["busts"],
            "late and over-fills": len(venue.late),
        }
        return Counter(counts), Counter(venue.faults)

    def settings(self) -> dict[str, str]:
        return {
            "ACCOUNTS": ",".join(f"{account}=sandbox" for account in ACCOUNTS),
            "SANDBOX_URL": self.venue.url,
            "FEED": "synthetic-live",
        }

    def excuse(self) -> str:
        away = time.monotonic() < self._database_back + AFTERMATH_SECONDS
        return "around a kill of the database" if away else "unprovoked"
