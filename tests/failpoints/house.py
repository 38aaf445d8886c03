"""A house for killing: one worker, one API and one venue on a database of its own."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from app.audit import Terms, audit
from app.supervisor import free_port
from app.wiring import ensure_admin_key
from tests.failpoints.forks import Process, become
from tests.server import OVER
from tests.venue.running import RunningVenue, running_venue

ACCOUNT = "main"
PATIENCE = 45.0
PARTIAL = 0.4

BEHAVIOUR: dict[str, Any] = {
    "partial": PARTIAL,
    "work_ms": [1, 10],
    "rest_ms": [30_000, 30_000],
    "delay_ms": [10, 60],
    "chances": {"report_duplicate": 0.2, "report_delay": 0.1, "report_reorder": 0.1},
}
"""A venue with small habits. An order that rests does so until it is canceled."""


class House:
    """`worker` and `api` are who lives now, or was killed last."""

    def __init__(self, folder: Path, url: str, venue: RunningVenue, key: str) -> None:
        self.folder, self.url, self.venue, self.key = folder, url, venue, key
        self.worker: Process | None = None
        self.api: Process | None = None
        self._port = free_port("127.0.0.1")
        self.client = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{self._port}",
            headers={"Authorization": f"Bearer {key}"},
            timeout=10,
            trust_env=False,
        )

    def environment(self, **more: str) -> dict[str, str]:
        told = {
            "ACCOUNTS": f"{ACCOUNT}=sandbox",
            "SANDBOX_URL": self.venue.url,
            "FEED": "synthetic-live",
            "LEASE_SECONDS": "1",
            "QUARANTINE_SECONDS": "1",
            "DATA_DIR": str(self.folder),
            "PORT": str(self._port),
        } | more
        clean = {k: v for k, v in os.environ.items() if not k.startswith("SLIPSTREAM_")}
        ours = {f"SLIPSTREAM_{name}": value for name, value in told.items()}
        return clean | ours | {"DATABASE_URL": self.url, "OPENBLAS_NUM_THREADS": "1"}

    def start(self, role: str, failpoint: str | None = None) -> Process:
        """Start the worker or the API in the place of the last one."""
        armed = {"TEST_FAILPOINT": failpoint} if failpoint else {}
        process = Process(become, self.environment(**armed), self.folder / f"{role}.log", role)
        setattr(self, role, process)
        return process

    async def begin(self, role: str, failpoint: str | None = None) -> Process:
        """End who lives, in good order, and start anew."""
        living: Process | None = getattr(self, role)
        if living is not None and living.alive:
            await asyncio.to_thread(living.end)
        process = self.start(role, failpoint)
        if role == "api":
            await self._answers(process)
        return process

    async def ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Ask until an API answers: only for what may be repeated."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return await self.client.request(method, path, **request)
            except httpx.TransportError:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.02)

    async def order(self, *, keyed: bool = True, **fields: Any) -> str:
        """Enter an order, by a key or by its name alone, until it is answered; its id."""
        key = {"Idempotency-Key": f"{time.monotonic_ns()}"} if keyed else {}
        answer = await self.ask("POST", "/orders", json=fields, headers=key)
        assert answer.status_code == 202, answer.text
        order_id: str = answer.json()["id"]
        return order_id

    async def until(self, order_id: str, condition: Callable[[dict[str, Any]], bool]) -> Any:
        """Wait until an order fulfils a condition."""
        deadline = time.monotonic() + PATIENCE
        while True:
            seen = (await self.ask("GET", f"/orders/{order_id}")).json()
            if condition(seen):
                return seen
            if time.monotonic() > deadline:
                raise TimeoutError(f"{seen}\n{self.logs()}")
            await asyncio.sleep(0.05)

    async def done(self, order_id: str) -> Any:
        return await self.until(order_id, lambda order: order["status"] in OVER)

    async def rows(self, query: str, *values: Any) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self.url)
        try:
            found: list[asyncpg.Record] = await connection.fetch(query, *values)
            return found
        finally:
            await connection.close()

    async def resting_child(self, order_id: str) -> str:
        """Wait until the broker has acknowledged a child of the order; its id."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            found = await self.rows(
                "SELECT id FROM children WHERE order_id = $1 AND status = 'working'", order_id
            )
            if found:
                return str(found[0]["id"])
            await asyncio.sleep(0.02)
        raise TimeoutError(self.logs())

    async def books_are_right(self) -> None:
        """`slipstream audit --settled` finds nothing; what is on its way may come."""
        deadline = time.monotonic() + PATIENCE
        while True:
            report = await audit(self.url, [self.venue.ledger], Terms(settled=True))
            if report.ok:
                return
            if time.monotonic() > deadline:
                faults = [(c.name, c.faults[:3]) for c in report.failed()]
                raise AssertionError(f"{faults}\n{self.logs()}")
            await asyncio.sleep(0.1)

    def logs(self) -> str:
        return "\n".join(p.read_text()[-3000:] for p in sorted(self.folder.glob("*.log")))

    async def close(self) -> None:
        await self.client.aclose()
        for process in (self.worker, self.api):
            if process is not None and process.alive:
                process.send(signal.SIGCONT)
                await asyncio.to_thread(process.end, signal.SIGKILL)

    async def _answers(self, process: Process) -> None:
        deadline = time.monotonic() + PATIENCE
        while process.alive and time.monotonic() < deadline:
            with suppress(httpx.TransportError):
                await self.client.get("/healthz")
                return
            await asyncio.sleep(0.02)
        if not process.killed:
            raise TimeoutError(self.logs())


@asynccontextmanager
async def open_house(folder: Path, url: str, **behaviour: Any) -> AsyncIterator[House]:
    """A house with nobody in it yet, and its venue."""
    folder.mkdir(parents=True, exist_ok=True)
    with running_venue(folder) as venue:
        venue.behave(ACCOUNT, **(BEHAVIOUR | behaviour))
        house = House(folder, url, venue, await ensure_admin_key(url, None))
        try:
            yield house
        finally:
            await house.close()
