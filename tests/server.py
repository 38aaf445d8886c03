"""The real server: supervisor, API and worker as processes, spoken to over real sockets."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

from tests.postgres import free_port

OVER = ("filled", "canceled", "expired", "rejected")


class Server:
    """One `slipstream serve`, its processes, and a client with the admin key."""

    def __init__(self, process: "subprocess.Popen[bytes]", folder: Path, url: str) -> None:
        self.process = process
        self.folder = folder
        self.url = url
        self.key = (folder / "admin.key").read_text().strip()
        self.client = httpx.AsyncClient(
            base_url=url, headers={"Authorization": f"Bearer {self.key}"}, timeout=30
        )

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def pid(self, role: str) -> int:
        """The newest process of a role."""
        started = [json.loads(line) for line in self.log().splitlines() if '"started"' in line]
        return int([line["pid"] for line in started if line["role"] == role][-1])

    def kill(self, role: str, number: int = signal.SIGKILL) -> None:
        os.kill(self.pid(role), number)

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = await self.client.post(path, json=body)
        assert answer.status_code == 202, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def get(self, path: str) -> Any:
        answer = await self.client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def clock(self, **fields: Any) -> None:
        answer = await self.client.put("/clock", json=fields)
        assert answer.status_code == 200, answer.text

    async def until(
        self, order_id: str, condition: Callable[[dict[str, Any]], bool], seconds: float = 60
    ) -> dict[str, Any]:
        """Wait until an order fulfils a condition; a server that is away is waited for."""
        deadline = time.monotonic() + seconds
        seen: dict[str, Any] = {}
        while time.monotonic() < deadline:
            try:
                seen = await self.get(f"/orders/{order_id}")
            except httpx.TransportError:
                await asyncio.sleep(0.1)
                continue
            if condition(seen):
                return seen
            await asyncio.sleep(0.02)
        raise TimeoutError(f"{seen}\n{self.log()[-3000:]}")

    async def done(self, order_id: str, seconds: float = 60) -> dict[str, Any]:
        return await self.until(order_id, lambda order: order["status"] in OVER, seconds)

    @asynccontextmanager
    async def stream(self, after: str | None, **filters: Any) -> AsyncIterator[ClientConnection]:
        """A subscription to every channel."""
        url = self.url.replace("http", "ws", 1) + "/stream"
        headers = {"Authorization": f"Bearer {self.key}"}
        async with connect(url, additional_headers=headers) as socket:
            subscription = {
                "action": "subscribe",
                "channels": ["orders", "children", "fills", "alerts", "signals"],
                "after": after,
                **filters,
            }
            await socket.send(json.dumps(subscription))
            yield socket


@asynccontextmanager
async def running_server(
    folder: Path, database_url: str | None, **variables: str
) -> AsyncIterator[Server]:
    """Start the server and stop it again; None: on its own embedded PostgreSQL."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SLIPSTREAM_")}
    environment |= {
        "SLIPSTREAM_DATA_DIR": str(folder),
        "SLIPSTREAM_PORT": str(port),
        "SLIPSTREAM_HOLD": "true",
        "SLIPSTREAM_SPEED": "0",
        # Seconds of a processor for what few tests wait for.
        "SLIPSTREAM_SPARE_WORKER": "false",
        **{f"SLIPSTREAM_{name}": value for name, value in variables.items()},
    }
    environment.pop("DATABASE_URL", None)
    if database_url is not None:
        environment["DATABASE_URL"] = database_url
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "serve"], env=environment, stdout=log, stderr=log
        )
    url = f"http://127.0.0.1:{port}"
    try:
        await ready(url, process, folder / "log")
        server = Server(process, folder, url)
        async with server.client:
            yield server
    finally:
        process.terminate()
        process.wait(60)


async def ready(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait until the server takes orders."""
    deadline = time.monotonic() + 90
    async with httpx.AsyncClient(timeout=2) as client:
        while time.monotonic() < deadline and process.poll() is None:
            try:
                if (await client.get(f"{url}/readyz")).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.1)
    raise TimeoutError(log.read_text()[-3000:])
