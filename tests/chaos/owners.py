"""Who owns which desk, looked at all the time; and how long nobody did after a blow."""

import asyncio
import time
from contextlib import suppress

import asyncpg

from tests.chaos.house import House
from tests.chaos.processes import Process

LOOK_SECONDS = 0.05


class Owners:
    """`of` has the pid that owns each account's desk, `takeovers` seconds from a blow to the next
    owner of a desk."""

    def __init__(self, house: House) -> None:
        self.of: dict[str, int] = {}
        self.takeovers: list[float] = []
        self._house = house
        self._struck: dict[str, tuple[int, float]] = {}

    async def run(self) -> None:
        """Until canceled; a database that is away is asked again."""
        while True:
            # A server that is killed under a statement confuses the client as well.
            with suppress(
                OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError
            ):
                await self._watch()
            await asyncio.sleep(LOOK_SECONDS)

    def struck(self, victim: Process) -> None:
        """A worker was killed or frozen: whoever follows it is waited for."""
        for account, pid in self.of.items():
            if pid == victim.pid:
                self._struck.setdefault(account, (pid, time.monotonic()))

    def forget(self) -> None:
        """What follows is not a take-over: the database was away, or nobody was there."""
        self._struck.clear()

    async def _watch(self) -> None:
        connection = await asyncpg.connect(self._house.url, timeout=2)
        try:
            while True:
                rows = await connection.fetch(
                    "SELECT name, owner FROM leases WHERE name LIKE 'desk:%'"
                    " AND until > clock_timestamp()"
                )
                self.of = {
                    row["name"].removeprefix("desk:"): int(row["owner"].split(":")[1])
                    for row in rows
                }
                self._note()
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            connection.terminate()

    def _note(self) -> None:
        for account, (pid, at) in list(self._struck.items()):
            if self.of.get(account, pid) != pid:
                self.takeovers.append(time.monotonic() - at)
                del self._struck[account]
