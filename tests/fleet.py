"""Several workers and several APIs on one database, each a process of its own."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg

from tests.postgres import free_port
from tests.server import Server, ready


class Watch:
    """How long something took on a machine that has other things to do as well: half of the time in
    which somebody waited for a processor is not counted, where the kernel tells of it."""

    def __init__(self) -> None:
        self._begun, self._starved = time.monotonic(), _starved()

    def seconds(self) -> float:
        return time.monotonic() - self._begun - (_starved() - self._starved) / 2


def _starved() -> float:
    """Seconds since the machine was started in which a process waited for a processor."""
    try:
        told = Path("/proc/pressure/cpu").read_text()
    except OSError:
        return 0.0
    return int(told.split("total=")[1].split()[0]) / 1e6


class Fleet:
    """Processes of one house; each writes its log into its own file."""

    def __init__(self, folder: Path, database_url: str, variables: dict[str, str]) -> None:
        self.folder, self.database_url = folder, database_url
        self.apis: list[Server] = []
        self.workers: list[subprocess.Popen[bytes]] = []
        self._processes: list[subprocess.Popen[bytes]] = []
        clean = {k: v for k, v in os.environ.items() if not k.startswith("SLIPSTREAM_")}
        told = {f"SLIPSTREAM_{name}": value for name, value in variables.items()}
        self._environment = clean | {"DATABASE_URL": database_url} | told

    def worker(self) -> "subprocess.Popen[bytes]":
        """Start one more worker; they share the folder of the paper ledger."""
        process = self._start("worker", f"worker-{len(self.workers)}", self.folder)
        self.workers.append(process)
        return process

    async def api(self) -> Server:
        """Start one more API."""
        name, port = f"api-{len(self.apis)}", free_port()
        process = self._start("api", name, self.folder / name, PORT=str(port))
        url = f"http://127.0.0.1:{port}"
        await ready(url, process, self.folder / f"{name}.log")
        server = Server(process, self.folder / name, url)
        self.apis.append(server)
        return server

    def log(self, worker: "subprocess.Popen[bytes]") -> str:
        return (self.folder / f"worker-{self.workers.index(worker)}.log").read_text()

    async def owner(self, lease: str) -> "subprocess.Popen[bytes] | None":
        """The worker that holds a lease now."""
        rows = await self.rows(
            "SELECT owner FROM leases WHERE name = $1 AND until > clock_timestamp()", lease
        )
        pids = {row["owner"].split(":")[1] for row in rows}
        return next((w for w in self.workers if str(w.pid) in pids), None)

    async def owned(
        self,
        lease: str,
        by: "Callable[[subprocess.Popen[bytes]], bool]" = lambda worker: True,
        seconds: float = 60,
    ) -> "subprocess.Popen[bytes]":
        """Wait until a worker that `by` allows holds the lease."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            worker = await self.owner(lease)
            if worker is not None and by(worker):
                return worker
            await asyncio.sleep(0.02)
        raise TimeoutError(f"nobody owns {lease}\n{self.logs()}")

    async def rows(self, query: str, *values: Any) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self.database_url)
        try:
            found: list[asyncpg.Record] = await connection.fetch(query, *values)
            return found
        finally:
            await connection.close()

    def logs(self) -> str:
        return "\n".join(p.read_text()[-2000:] for p in sorted(self.folder.glob("*.log")))

    def audit(self) -> "subprocess.CompletedProcess[bytes]":
        ledgers = sorted(self.folder.glob("paper*.sqlite3"))
        given = [word for path in ledgers for word in ("--ledger", str(path))]
        command = [sys.executable, "-m", "app.cli", "audit", "--database", self.database_url]
        environment = {k: v for k, v in self._environment.items() if k != "SLIPSTREAM_PORT"}
        return subprocess.run(
            [*command, *given], env=environment, capture_output=True, check=False, timeout=60
        )

    async def close(self) -> None:
        for server in self.apis:
            await server.client.aclose()
        for process in self._processes:
            process.send_signal(signal.SIGCONT)
            process.terminate()
        for process in self._processes:
            process.wait(60)

    def _start(self, role: str, name: str, data: Path, **more: str) -> "subprocess.Popen[bytes]":
        data.mkdir(parents=True, exist_ok=True)
        own = {f"SLIPSTREAM_{key}": value for key, value in more.items()}
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "app.cli", "serve", "--role", role],
                env=self._environment | {"SLIPSTREAM_DATA_DIR": str(data)} | own,
                stdout=log,
                stderr=log,
            )
        self._processes.append(process)
        return process


@asynccontextmanager
async def fleet(
    folder: Path, database_url: str, *, workers: int = 2, apis: int = 2, **variables: str
) -> AsyncIterator[Fleet]:
    """A house of many processes on a live made-up market."""
    folder.mkdir(parents=True, exist_ok=True)
    house = Fleet(folder, database_url, {"FEED": "synthetic-live"} | variables)
    try:
        for _ in range(workers):
            house.worker()
        await asyncio.gather(*(house.api() for _ in range(apis)))
        yield house
    finally:
        await house.close()
