"""Starts what is measured: the real server, and the references, each as processes."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from app.store.embedded import Embedded
from app.store.migrate import migrate
from app.supervisor import free_port

START_SECONDS = 60.0
DESK = "desk:main"


@dataclass(frozen=True, slots=True)
class Server:
    """A running server. `pids` names the processes whose memory and time may be read."""

    port: int
    key: str
    database_url: str
    pids: Mapping[str, int]


@asynccontextmanager
async def slipstream(folder: Path, **variables: str) -> AsyncIterator[Server]:
    """`slipstream serve` on an embedded PostgreSQL of its own, with its settings as they ship
    except for `variables`."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port("127.0.0.1")
    environment = clean_environment() | {
        "SLIPSTREAM_DATA_DIR": str(folder),
        "SLIPSTREAM_PORT": str(port),
        **{f"SLIPSTREAM_{name}": value for name, value in variables.items()},
    }
    command = [sys.executable, "-m", "app.cli", "serve"]
    with running(command, folder / "log", environment) as process:
        await answering(port, "/readyz", process, folder / "log")
        told = json.loads((folder / "server.json").read_text())
        key = (folder / "admin.key").read_text().strip()
        yield Server(port, key, told["database_url"], _roles(folder / "log"))


async def own_desk_elsewhere(folder: Path) -> None:
    """Before the server starts: the account's desk belongs to another worker for a day, so that
    the server's own worker tells the market and works nothing."""
    await asyncio.to_thread(_prepare, folder)


def _prepare(folder: Path) -> None:
    server = Embedded(folder)
    try:
        asyncio.run(migrate(server.url))
        asyncio.run(
            execute(
                server.url,
                "INSERT INTO leases (name, owner, until)"
                f" VALUES ('{DESK}', 'bench', clock_timestamp() + interval '1 day')",
            )
        )
    finally:
        server.stop()


async def free_desk(server: Server) -> None:
    """The server's own worker takes the desk over."""
    await execute(server.database_url, f"UPDATE leases SET until = NULL WHERE name = '{DESK}'")


async def execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@asynccontextmanager
async def reference(folder: Path, name: str, *arguments: str) -> AsyncIterator[Server]:
    """`bench.references.<name>` in a process of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    port, log = free_port("127.0.0.1"), folder / f"{name}.log"
    command = [sys.executable, "-m", f"bench.references.{name}", str(port), *arguments]
    with running(command, log, clean_environment()) as process:
        await answering(port, "/", process, log)
        yield Server(port, "none", "", {name: process.pid})


def postgres_version(folder: Path) -> str:
    """The version of the embedded PostgreSQL that the figures run on."""
    server = Embedded(folder / "version")
    try:
        return asyncio.run(_version(server.url))
    finally:
        server.stop()


async def _version(url: str) -> str:
    connection = await asyncpg.connect(url)
    version: str = await connection.fetchval("SHOW server_version")
    await connection.close()
    return version


def clean_environment() -> dict[str, str]:
    ours = ("SLIPSTREAM_", "DATABASE_URL")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


@contextmanager
def running(
    command: list[str], log: Path, environment: Mapping[str, str]
) -> Iterator["subprocess.Popen[bytes]"]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise


async def answering(
    port: int,
    path: str,
    process: "subprocess.Popen[bytes]",
    log: Path,
    within: float = START_SECONDS,
) -> None:
    """Raises TimeoutError with the end of its log for a process that does not come to answer."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline and process.poll() is None:
        if await asyncio.to_thread(_answers, f"http://127.0.0.1:{port}{path}"):
            return
        await asyncio.sleep(0.05)
    raise TimeoutError(log.read_text()[-3000:])


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _roles(log: Path) -> dict[str, int]:
    started = [json.loads(line) for line in log.read_text().splitlines() if '"started"' in line]
    return {line["role"]: int(line["pid"]) for line in started}
