"""The embedded PostgreSQL under a running server: killed, it comes back, and the order goes on."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.store.embedded import Embedded
from app.supervisor import EARLY_DEATHS, free_port
from tests.server import OVER, Server, running_server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def postmaster(folder: Path) -> int:
    return int((folder / "postgres" / "postmaster.pid").read_text().splitlines()[0])


async def seen_over(server: Server, order_id: str, seconds: float = 90) -> dict[str, Any]:
    """The order when it is over; a server whose database is away is asked again."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            answer = await server.client.get(f"/orders/{order_id}")
        except httpx.TransportError:
            continue
        order: dict[str, Any] = answer.json()
        if answer.is_success and order["status"] in OVER:
            return order
        await asyncio.sleep(0.1)
    raise TimeoutError(server.log()[-3000:])


async def audited(folder: Path) -> "subprocess.CompletedProcess[str]":
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SLIPSTREAM_")}
    environment.pop("DATABASE_URL", None)
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "app.cli", "audit"],
        env=environment | {"SLIPSTREAM_DATA_DIR": str(folder)},
        capture_output=True,
        text=True,
    )


@pytest.mark.campaign
@pytest.mark.embedded
async def test_an_order_outlives_its_database_server(tmp_path: Path) -> None:
    folder = tmp_path / "d"
    async with running_server(folder, None) as server:
        order = await server.post(
            "/orders",
            {"symbol": "ACME", "side": "buy", "qty": "4000", "algo": "twap", "duration": "10m"},
        )
        await server.clock(speed="30", held=False)
        await server.until(order["id"], lambda o: float(o["filled"]) >= 400)
        killed = postmaster(folder)
        os.kill(killed, signal.SIGKILL)
        order = await seen_over(server, order["id"])
        assert (order["status"], order["filled"]) == ("filled", "4000")
        assert postmaster(folder) != killed
        assert "database server is back" in server.log()
        audit = await audited(folder)
        assert audit.returncode == 0, audit.stdout + audit.stderr
    # What was started anew is stopped as well.
    assert not (folder / "postgres" / "postmaster.pid").exists()


@pytest.mark.embedded
def test_a_dead_server_is_noticed_and_started_on_its_old_socket(tmp_path: Path) -> None:
    server = Embedded(tmp_path)
    try:
        url = server.url
        assert server.alive()
        os.kill(postmaster(tmp_path), signal.SIGKILL)
        deadline = time.monotonic() + 60
        while server.alive():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        while not server.revive():
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert server.url == url
        assert server.alive()
    finally:
        server.stop()
    assert not (tmp_path / "postgres" / "postmaster.pid").exists()


@pytest.mark.embedded
def test_a_start_right_after_the_last_one_was_killed(tmp_path: Path) -> None:
    """In the moment in which a killed server's file still names it, and its address answers."""
    killing = (
        "import os, signal, sys; from pathlib import Path; from app.store.embedded import Embedded;"
        " f = Path(sys.argv[1]); Embedded(f); os.kill(int((f / 'postgres' / 'postmaster.pid')"
        ".read_text().split()[0]), signal.SIGKILL); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", killing, str(tmp_path)], timeout=60)
    server = Embedded(tmp_path)
    try:
        asyncio.run(server.answers())
        assert server.alive()
    finally:
        server.stop()


def test_a_child_that_can_never_live_ends_the_supervisor(tmp_path: Path, database_url: str) -> None:
    port = free_port("127.0.0.1")
    environment = os.environ | {
        "SLIPSTREAM_DATA_DIR": str(tmp_path),
        "SLIPSTREAM_PORT": str(port),
        "DATABASE_URL": database_url,
    }
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", port))
        squatter.listen()
        ended = subprocess.run(
            [sys.executable, "-m", "app.cli", "serve"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=90,
        )
    assert ended.returncode == 1, ended.stderr[-3000:]
    assert ended.stderr.count('"process ended"') >= EARLY_DEATHS
    assert "giving up" in ended.stderr
