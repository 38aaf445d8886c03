"""Real processes, real kills: the order goes on, and a subscriber loses nothing."""

import asyncio
import json
import signal
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from websockets.exceptions import ConnectionClosed

from tests.server import Server, running_server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


async def listen(
    server: Server, frames: list[dict[str, Any]], stop_after: int | None = None
) -> None:
    """Collect event frames, resuming by cursor whenever the line breaks."""
    cursor: str | None = frames[-1]["cursor"] if frames else None
    while True:
        try:
            async with server.stream(cursor or "start") as socket:
                async for text in socket:
                    frame = json.loads(text)
                    if "seq" not in frame:
                        continue
                    frames.append(frame)
                    cursor = frame["cursor"]
                    if stop_after is not None and len(frames) >= stop_after:
                        return
        except (ConnectionClosed, OSError, EOFError):
            await asyncio.sleep(0.05)


async def events_in(database_url: str) -> list[tuple[str, int, str]]:
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch(
            "SELECT coalesce(order_id::text, data->>'order_id') AS order_id, seq, type"
            " FROM events ORDER BY xid, id"
        )
    finally:
        await connection.close()
    return [(r["order_id"], r["seq"], r["type"]) for r in rows]


async def assert_nothing_twice(server: Server, order: dict[str, Any]) -> None:
    import sqlite3

    children = await server.get(f"/orders/{order['id']}/children")
    fills = await server.get(f"/orders/{order['id']}/fills")
    with sqlite3.connect(server.folder / "paper.sqlite3") as ledger:
        sent = [r[0] for r in ledger.execute("SELECT client_id FROM orders")]
        executed = {r[0] for r in ledger.execute("SELECT execution_id FROM executions")}
        repeats = ledger.execute("SELECT count(*) FROM repeats").fetchone()[0]
    assert repeats == 0
    assert set(sent) <= {c["id"] for c in _items(children)}
    assert {f["execution_id"] for f in _items(fills)} == executed


def _items(answer: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answer["items"] if isinstance(answer, dict) else answer
    return found


@pytest.mark.parametrize(
    ("role", "number"),
    [
        pytest.param("worker", signal.SIGTERM, marks=pytest.mark.campaign),
        ("worker", signal.SIGKILL),
        ("api", signal.SIGKILL),
    ],
)
async def test_a_killed_process_changes_nothing(
    tmp_path: Path, database_url: str, role: str, number: signal.Signals
) -> None:
    async with running_server(tmp_path / "d", database_url) as server:
        frames: list[dict[str, Any]] = []
        listener = asyncio.create_task(listen(server, frames))
        order = await server.post(
            "/orders",
            {"symbol": "ACME", "side": "buy", "qty": "4000", "algo": "twap", "duration": "10m"},
        )
        await server.clock(speed="60", held=False)
        await server.until(order["id"], lambda o: float(o["filled"]) >= 400)
        server.kill(role, number)
        await asyncio.sleep(0.5)
        await server.until(order["id"], lambda o: True)
        await server.clock(speed="0")
        order = await server.done(order["id"])
        assert (order["status"], order["filled"]) == ("filled", "4000")
        await assert_nothing_twice(server, order)
        stored = await events_in(database_url)
        async with asyncio.timeout(60):
            while len(frames) < len(stored):
                await asyncio.sleep(0.05)
        listener.cancel()
        assert [(f["order_id"], f["seq"], f["type"]) for f in frames] == stored


async def test_a_subscriber_cut_off_resumes_where_it_was(tmp_path: Path, database_url: str) -> None:
    async with running_server(tmp_path / "d", database_url) as server:
        order = await server.post(
            "/orders",
            {"symbol": "ACME", "side": "sell", "qty": "3000", "algo": "vwap", "duration": "30m"},
        )
        frames: list[dict[str, Any]] = []
        first = asyncio.create_task(listen(server, frames, stop_after=12))
        await server.clock(speed="600", held=False)
        await first
        await server.done(order["id"])
        stored = await events_in(database_url)
        second = asyncio.create_task(listen(server, frames, stop_after=len(stored)))
        async with asyncio.timeout(60):
            await second
        assert [(f["order_id"], f["seq"], f["type"]) for f in frames] == stored


@pytest.mark.embedded
async def test_the_embedded_server_comes_back_with_its_orders(tmp_path: Path) -> None:
    """Everything dies at once, supervisor and PostgreSQL with it, and starts again."""
    folder = tmp_path / "d"
    async with running_server(folder, None) as server:
        order = await server.post(
            "/orders",
            {"symbol": "ACME", "side": "buy", "qty": "4000", "algo": "twap", "duration": "10m"},
        )
        await server.clock(speed="60", held=False)
        await server.until(order["id"], lambda o: float(o["filled"]) >= 400)
        workers = [server.pid("worker"), server.pid("api")]
        server.process.kill()
        server.process.wait()
        async with asyncio.timeout(60):
            while any(_alive(pid) for pid in workers):
                await asyncio.sleep(0.1)
    async with running_server(folder, None) as server:
        await server.clock(speed="0", held=False)
        order = await server.done(order["id"])
        assert (order["status"], order["filled"]) == ("filled", "4000")
        await assert_nothing_twice(server, order)


def _alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()
