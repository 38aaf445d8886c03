"""Instructions of the processor that an order takes in the API's process, and a request in that of
the bare reference: a count that no neighbour on the machine disturbs, where times vary by a third.
The kernel's own are not in it, nor what PostgreSQL does; what the process does when nobody asks
is counted by itself and taken off, for valgrind makes all else thirty times slower. Needs valgrind.

    python -m bench.counted
"""

import argparse
import asyncio
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from app.supervisor import free_port
from bench.servers import (
    Server,
    answering,
    clean_environment,
    own_desk_elsewhere,
    running,
    slipstream,
)

CONNECTIONS = 32
START_SECONDS = 240.0
"""Under valgrind everything takes thirty times as long."""


async def counted(folder: Path, seconds: float) -> dict[str, float]:
    """Thousands of instructions: `order`, `short` (the same, answered in short), `bare`."""
    async with AsyncExitStack() as stack:
        bare = await stack.enter_async_context(_bare(folder))
        told = {"bare": await _measured(bare, folder / "bare", seconds)}
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(_api(folder))
        told["order"] = await _measured(api, folder / "api", seconds)
        told["short"] = await _measured(api, folder / "api", seconds, "--short", dumps=2)
    return told


@asynccontextmanager
async def _bare(folder: Path) -> AsyncIterator[Server]:
    port = free_port("127.0.0.1")
    command = [sys.executable, "-m", "bench.references.bare", str(port)]
    async with _under_valgrind(command, "bare", "/", port, folder, clean_environment()) as pid:
        yield Server(port, "none", "", {"api": pid})


@asynccontextmanager
async def _api(folder: Path) -> AsyncIterator[Server]:
    """A second API on the database of a house whose market stands still: prices that move between
    two orders, thirty times as often as in life, would be counted with them."""
    house = folder / "house"
    await own_desk_elsewhere(house)
    async with slipstream(house, SPEED="1", SYMBOLS="ACME", HOLD="true") as server:
        port = free_port("127.0.0.1")
        variables = clean_environment() | {
            "DATABASE_URL": server.database_url,
            "SLIPSTREAM_DATA_DIR": str(house),
            "SLIPSTREAM_PORT": str(port),
        }
        command = [sys.executable, "-m", "app.main", "api"]
        async with _under_valgrind(command, "api", "/healthz", port, folder, variables) as pid:
            yield Server(port, server.key, server.database_url, {"api": pid})


@asynccontextmanager
async def _under_valgrind(
    command: Sequence[str],
    name: str,
    path: str,
    port: int,
    folder: Path,
    variables: dict[str, str],
) -> AsyncIterator[int]:
    valgrind = ["valgrind", "--tool=callgrind", "--instr-atstart=no"]
    valgrind.append(f"--callgrind-out-file={folder / name}")
    log = folder / f"{name}.log"
    with running([*valgrind, *command], log, variables) as process:
        await answering(port, path, process, log, START_SECONDS)
        yield process.pid


async def _measured(
    server: Server, out: Path, seconds: float, *options: str, dumps: int = 0
) -> float:
    """Thousands of instructions an answer, once the server is warm; valgrind has written `dumps`
    counts of this server before."""
    run = str(dumps)
    await _posted(server, f"warm{run}", 3, *options)
    await _control(server, "--instr=on")
    await _posted(server, f"seen{run}", 2, *options)
    await _control(server, "--zero")
    await asyncio.sleep(seconds)
    await _control(server, "--dump")  # And from nothing again.
    answers = await _posted(server, f"counted{run}", seconds, *options)
    await _control(server, "--dump")
    idle, busy = (_total(Path(f"{out}.{dumps + number}")) for number in (1, 2))
    return (busy - idle) / answers / 1_000


def _total(dump: Path) -> int:
    found = re.search(r"^totals: (\d+)", dump.read_text(), re.MULTILINE)
    assert found is not None, "a dump ends with its total"
    return int(found.group(1))


async def _posted(server: Server, run: str, seconds: float, *options: str) -> int:
    command = [sys.executable, "-m", "bench.load", str(server.port), "--key", server.key]
    command += ["--run", run, "--connections", str(CONNECTIONS), "--warm", "0"]
    command += ["--seconds", str(seconds), *options]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    seen = json.loads(output)
    if set(seen["statuses"]) != {"202"}:
        raise ValueError(f"answers other than 202: {seen['statuses']}")
    return int(seen["statuses"]["202"])


async def _control(server: Server, what: str) -> None:
    command = ["callgrind_control", what, str(server.pids["api"])]
    await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.counted")
    parser.add_argument("--seconds", type=float, default=8.0, help="of load that is counted")
    asked = parser.parse_args()
    if shutil.which("valgrind") is None:
        sys.stderr.write("bench.counted needs valgrind (Debian: apt-get install valgrind)\n")
        return 2
    with tempfile.TemporaryDirectory() as folder:
        told = asyncio.run(counted(Path(folder), asked.seconds))
    sys.stdout.write(
        f"POST /orders   {told['order']:7,.0f} thousand instructions of the API's process\n"
        f"short answer   {told['short']:7,.0f}\n"
        f"bare FastAPI   {told['bare']:7,.0f}\n"
        f"of bare        {told['bare'] / told['order']:7.2f} ×"
        f", in short {told['bare'] / told['short']:.2f} ×\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
