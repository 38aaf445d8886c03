"""Drives a `bench.listen` process, and writes the events that it is told."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from bench.servers import Server

LINE_MAX = 64 * 1024 * 1024


class Listeners:
    """So many subscribers of one server, in a process of their own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    def ask(self, messages: int, seconds: float) -> "asyncio.Task[dict[str, Any]]":
        """What came in, once so many messages did or so much time passed."""
        assert self._process.stdin is not None, "opened with a pipe"
        command = {"wait": messages, "seconds": seconds}
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        return asyncio.create_task(self.heard())

    async def heard(self) -> dict[str, Any]:
        assert self._process.stdout is not None, "opened with a pipe"
        told: dict[str, Any] = json.loads(await self._process.stdout.readline())
        return told


@asynccontextmanager
async def listeners(
    server: Server, sockets: int, *, dated: bool = False
) -> AsyncIterator[Listeners]:
    command = [sys.executable, "-m", "bench.listen", str(server.port), str(sockets)]
    command += ["--key", server.key, *(["--dated"] if dated else [])]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command, stdin=pipe, stdout=pipe, limit=LINE_MAX
    )
    opened = Listeners(process)
    try:
        await opened.heard()
        yield opened
    finally:
        assert process.stdin is not None, "opened with a pipe"
        process.stdin.close()
        await process.wait()


async def write_events(connection: Any, count: int, pad: int = 300) -> None:
    """So many events in one transaction, dated, and the bell that says so."""
    await connection.execute(
        "INSERT INTO events (account, type, at, data) SELECT 'main', 'alert.raised', now(),"
        " jsonb_build_object('n', n, 'sent', $2::float8, 'symbol', 'ACME', 'pad', $3::text)"
        " FROM generate_series(1, $1) n",
        count,
        time.perf_counter(),
        "x" * pad,
    )
    await connection.execute("NOTIFY slipstream_events")


@asynccontextmanager
async def writing(server: Server) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(server.database_url)
    try:
        yield connection
    finally:
        await connection.close()
