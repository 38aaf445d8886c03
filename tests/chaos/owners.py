"""Who owns which desk, looked at all the time; and how long nobody did after a blow."""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass

import asyncpg

from tests.chaos.processes import Process
from tests.chaos.scene import Scene

LOOK_SECONDS = 0.05


@dataclass(slots=True)
class _Blow:
    """The owner that was hit, when, and whether no worker was hit since."""

    pid: int
    at: float
    alone: bool = True


class Owners:
    """`of` has the pid that owns each account's desk. `takeovers` are seconds from a blow to the
    next owner of a desk where no other worker was hit in between, `disturbed` where one was."""

    def __init__(self, house: Scene) -> None:
        self.of: dict[str, int] = {}
        self.takeovers: list[float] = []
        self.disturbed: list[float] = []
        self._house = house
        self._struck: dict[str, _Blow] = {}

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
        for blow in self._struck.values():
            blow.alone = False
        for account, pid in self.of.items():
            if pid == victim.pid:
                self._struck.setdefault(account, _Blow(pid, time.monotonic()))

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
        for account, blow in list(self._struck.items()):
            if self.of.get(account, blow.pid) != blow.pid:
                seconds = self.takeovers if blow.alone else self.disturbed
                seconds.append(time.monotonic() - blow.at)
                del self._struck[account]
