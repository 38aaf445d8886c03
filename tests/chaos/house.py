"""The house under fire: two workers, two APIs, a venue and a database of its own."""

import asyncio
import os
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from random import Random

import asyncpg

from app.store.embedded import Embedded
from app.supervisor import free_port
from app.wiring import ensure_admin_key
from tests.chaos.processes import Nursery, Process
from tests.chaos.terms import ACCOUNTS, COLD, Terms, behaviours
from tests.conftest import run_sql, with_database
from tests.venue.running import RunningVenue

RESTART_SECONDS = (0.0, 0.4)
AFTERMATH_SECONDS = 3.0
"""So long after the database was back a process may die of its having been away."""

NAMES = ("worker-0", "worker-1", "api-0", "api-1")


class House:
    """`processes` has who lives now, by name; who dies is started again after a moment."""

    def __init__(self, folder: Path, server: Embedded, terms: Terms) -> None:
        self.folder, self.terms, self.server = folder, terms, server
        self.venue = RunningVenue(folder, seed=terms.random("venue").randrange(1 << 30))
        self.url = with_database(server.url, folder.name)
        self.key = ""
        self.processes: dict[str, Process] = {}
        self.restarts: Counter[str] = Counter()
        self.own_deaths: Counter[str] = Counter()
        """Processes that ended without a signal of ours; without a database that is all right."""
        self.ports = {name: free_port("127.0.0.1") for name in NAMES if name.startswith("api")}
        self._random: Random = terms.random("house")
        self._nursery = Nursery(self._ended)
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False
        self._database_back = -AFTERMATH_SECONDS

    async def open(self) -> None:
        """Returns once everything was started."""
        from app.store.migrate import migrate

        self.folder.mkdir(parents=True, exist_ok=True)
        await run_sql(self.server.url, f'CREATE DATABASE "{self.folder.name}"')
        await migrate(self.url)
        self.key = await ensure_admin_key(self.url, None)
        await asyncio.to_thread(self.venue.start)
        for account, behaviour in behaviours(self.terms).items():
            self.venue.behave(account, **behaviour)
        await self._nursery.open()
        for name in NAMES:
            await self._start(name)

    async def close(self) -> None:
        """End everything; the database and the ledger stay."""
        self._closing = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for process in self.processes.values():
            process.kill()
        for process in self.processes.values():
            await process.ended.wait()
        await self._nursery.close()
        self.venue.close()

    def living(self, role: str) -> list[Process]:
        """Processes of a role that are neither dead nor frozen."""
        return [
            p
            for name, p in self.processes.items()
            if name.startswith(role) and p.alive and not p.frozen
        ]

    def apis(self) -> list[str]:
        """Where APIs may listen, in a random order."""
        urls = [f"http://127.0.0.1:{port}" for port in self.ports.values()]
        self._random.shuffle(urls)
        return urls

    async def kill_database(self) -> float:
        """Kill the postmaster and start it again; how long it was away, in seconds."""
        begun = time.monotonic()
        self._database_back = float("inf")
        pid = int((self.server.folder / "postgres" / "postmaster.pid").read_text().split()[0])
        with suppress(ProcessLookupError):
            os.kill(pid, 9)
        while await asyncio.to_thread(self.server.alive):
            await asyncio.sleep(0.01)
        while not await asyncio.to_thread(self.server.revive):
            await asyncio.sleep(0.05)
        while True:
            with suppress(OSError, asyncpg.PostgresError):
                await run_sql(self.url, "SELECT 1")
                self._database_back = time.monotonic()
                return self._database_back - begun
            await asyncio.sleep(0.02)

    async def whole(self) -> None:
        """Thaw everybody, and wait until all four run."""
        while True:
            for process in self.processes.values():
                if process.frozen:
                    process.thaw()
            if all(p.alive for p in self.processes.values()):
                return
            await asyncio.sleep(0.05)

    async def _start(self, name: str) -> None:
        role, start = name.partition("-")[0], self._nursery.warm
        if self._random.random() < COLD:
            start = self._nursery.cold
        log = self.folder / f"{name}.log"
        self.processes[name] = await start(name, role, self._environment(name), log)
        self.restarts[role] += 1

    def _environment(self, name: str) -> dict[str, str]:
        told = {
            "ACCOUNTS": ",".join(f"{account}=sandbox" for account in ACCOUNTS),
            "SANDBOX_URL": self.venue.url,
            "FEED": "synthetic-live",
            "LEASE_SECONDS": str(self.terms.lease),
            "QUARANTINE_SECONDS": str(self.terms.quarantine),
            "CLOSING_SECONDS": str(self.terms.closing),
            "DATA_DIR": str(self.folder),
            "PORT": str(self.ports.get(name, 0)),
        }
        clean = {k: v for k, v in os.environ.items() if not k.startswith("SLIPSTREAM_")}
        ours = {f"SLIPSTREAM_{key}": value for key, value in told.items()}
        return clean | ours | {"DATABASE_URL": self.url, "OPENBLAS_NUM_THREADS": "1"}

    def _ended(self, process: Process, code: int) -> None:
        if self._closing:
            return
        if not process.doomed:
            away = time.monotonic() < self._database_back + AFTERMATH_SECONDS
            when = "around a kill of the database" if away else "unprovoked"
            self.own_deaths[f"{process.name.partition('-')[0]} ended with {code}, {when}"] += 1
        task = asyncio.create_task(self._again(process.name))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _again(self, name: str) -> None:
        await asyncio.sleep(self._random.uniform(*RESTART_SECONDS))
        await self._start(name)
