"""The processes of one server: started from a nursery, and again after a moment when they die."""

import asyncio
import os
from abc import abstractmethod
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random

from app.store.migrate import migrate
from app.supervisor import free_port
from app.wiring import ensure_admin_key
from tests.chaos.processes import Nursery, Process
from tests.chaos.terms import COLD, Terms
from tests.databases import run_sql, with_database
from tests.postgres import PostgresServer

RESTART_SECONDS = (0.0, 0.4)

MIGRATED = "migrated"
"""The database that every house's is a copy of."""


async def prepare(server: PostgresServer) -> None:
    """Make a server ready for houses; one server at a time."""
    await server.hurry()
    await run_sql(server.url, f"DROP DATABASE IF EXISTS {MIGRATED}")
    await run_sql(server.url, f"CREATE DATABASE {MIGRATED}")
    await migrate(with_database(server.url, MIGRATED))


class Home:
    """`processes` has who lives now, by name; who dies is started again after a moment."""

    def __init__(
        self,
        folder: Path,
        server: PostgresServer,
        terms: Terms,
        *,
        names: Sequence[str],
        database: str,
    ) -> None:
        self.folder, self.terms, self.server, self.names = folder, terms, server, names
        self.database = database
        self.url = with_database(server.url, database)
        self.key = ""
        self.processes: dict[str, Process] = {}
        self.restarts: Counter[str] = Counter()
        self.own_deaths: Counter[str] = Counter()
        """Processes that ended without a signal of ours."""
        self.ports = {name: free_port("127.0.0.1") for name in names if name.startswith("api")}
        self._random: Random = terms.random(type(self).__name__.lower())
        self._nursery = Nursery(self._ended)
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False

    async def open(self) -> None:
        """Returns once all is started."""
        self.folder.mkdir(parents=True, exist_ok=True)
        await run_sql(self.server.url, f'CREATE DATABASE "{self.database}" TEMPLATE {MIGRATED}')
        self.key = await ensure_admin_key(self.url, None)
        await self._nursery.open()
        for name in self.names:
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

    async def whole(self) -> None:
        """Thaw everybody, and wait until all run."""
        while True:
            for process in self.processes.values():
                if process.frozen:
                    process.thaw()
            if all(p.alive for p in self.processes.values()):
                return
            await asyncio.sleep(0.05)

    @abstractmethod
    def settings(self) -> dict[str, str]:
        """What makes this server what it is; without the prefix."""

    def excuse(self) -> str:
        """Why a process may have ended by itself just now."""
        return "unprovoked"

    async def _start(self, name: str) -> None:
        role, start = name.partition("-")[0], self._nursery.warm
        if self._random.random() < COLD:
            start = self._nursery.cold
        log = self.folder / f"{name}.log"
        self.processes[name] = await start(name, role, self._environment(name), log)
        self.restarts[role] += 1

    def _environment(self, name: str) -> dict[str, str]:
        told = self.settings() | {
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
            role = process.name.partition("-")[0]
            self.own_deaths[f"{role} ended with {code}, {self.excuse()}"] += 1
        task = asyncio.create_task(self._again(process.name))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _again(self, name: str) -> None:
        await asyncio.sleep(self._random.uniform(*RESTART_SECONDS))
        await self._start(name)
