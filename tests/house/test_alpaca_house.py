"""A real server with Alpaca as its broker, in front of a venue with Alpaca's face: orders are
worked, the line is cut, and the books are the venue's."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.server import Server, running_server
from tests.venue.running import RunningVenue, running_venue

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

ACCOUNT = "main"
SECRET = f"secret-{ACCOUNT}"
HABITS: dict[str, Any] = {
    "ids": "uuid",
    "partial": 0.4,
    "work_ms": [1, 10],
    "rest_ms": [100, 400],
    "delay_ms": [10, 60],
}


@asynccontextmanager
async def alpaca_house(folder: Path, url: str, **habits: Any) -> AsyncIterator[Any]:
    with running_venue(folder / "venue") as venue:
        venue.behave(ACCOUNT, **HABITS | habits)
        variables = {
            "BROKER": "alpaca",
            "ALPACA_KEY_ID": f"key-{ACCOUNT}",
            "ALPACA_SECRET_KEY": SECRET,
            "ALPACA_URL": f"{venue.url}/alpaca/{ACCOUNT}",
            "ALPACA_REQUESTS_PER_MINUTE": "6000",
            "FEED": "synthetic-live",
            "LOG_LEVEL": "debug",
            "HOLD": "false",
            "SPEED": "1",
            "QUARANTINE_SECONDS": "1",
        }
        async with running_server(folder / "house", url, **variables) as server:
            yield server, venue


def twap(seconds: int, qty: str) -> dict[str, Any]:
    return {
        "symbol": "GLOBEX",
        "side": "buy",
        "qty": qty,
        "algo": "twap",
        "duration": f"{seconds}s",
        "params": {"slices": seconds // 2},
    }


def audited(url: str, venue: RunningVenue) -> None:
    """`slipstream audit` over the books and the venue's ledger finds nothing."""
    command = [sys.executable, "-m", "app.cli", "audit", "--database", url, "--settled"]
    told = subprocess.run(
        [*command, "--ledger", str(venue.ledger)],
        env={k: v for k, v in os.environ.items() if not k.startswith("SLIPSTREAM_")},
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert told.returncode == 0, told.stdout.decode() + told.stderr.decode()


def nobody_saw_the_keys(server: Server) -> None:
    assert SECRET not in server.log()
    assert '"level": "debug"' in server.log()


async def test_orders_are_worked_at_alpaca(tmp_path: Path, database_url: str) -> None:
    async with alpaca_house(tmp_path, database_url) as (server, venue):
        placed = [await server.post("/orders", twap(8, qty)) for qty in ("60", "45")]
        ended = [await server.done(order["id"]) for order in placed]
        # Eight seconds are short where the venue is slow on purpose: the last slice may be late.
        assert {done["status"] for done in ended} <= {"filled", "expired"}
        nobody_saw_the_keys(server)
    ((executions, bought),) = venue.rows("SELECT count(*), sum(qty) FROM executions")
    assert bought == sum(int(done["filled"]) for done in ended)
    assert bought >= 70
    assert executions > 2
    audited(database_url, venue)


@pytest.mark.campaign
async def test_a_storm_at_alpaca_twists_nothing(tmp_path: Path, database_url: str) -> None:
    """Lost answers, lost updates and late fills; the venue dies once, and is back a second later.
    Nothing is sent twice, and what filled is what the venue says."""
    storm = dict.fromkeys(
        ("503_after", "cut_after", "cut_before", "report_drop", "stream_cut", "late_fill"), 0.1
    ) | {"report_duplicate": 0.2, "report_garbage": 0.1, "bust": 0.05}
    async with alpaca_house(tmp_path, database_url, chances=storm) as (server, venue):
        placed = [await server.post("/orders", twap(12, "40")) for _ in range(3)]
        await asyncio.sleep(4)
        venue.kill()
        await asyncio.sleep(1)
        venue.start()
        for order in placed:
            await server.done(order["id"], seconds=90)
        venue.change(ACCOUNT, chances=dict.fromkeys(storm, 0.0))
        assert venue.faults().keys() >= {"report_drop", "stream_cut"}
        # Until the last of it was asked for.
        await asyncio.sleep(5)
        nobody_saw_the_keys(server)
    again = "SELECT client_id FROM orders WHERE code = 'accepted' GROUP BY 1 HAVING count(*) > 1"
    assert venue.rows(again) == []
    audited(database_url, venue)


@pytest.mark.campaign
async def test_a_line_that_is_left_alone_is_an_alert(tmp_path: Path, database_url: str) -> None:
    async with alpaca_house(tmp_path, database_url) as (server, venue):
        order = await server.post("/orders", twap(60, "300"))
        await server.until(order["id"], lambda o: float(o["filled"]) > 0)
        venue.kill()
        alert = await raised(server, "broker_connection")
        assert "fails for" in alert["message"]
        assert {"open", "half_open"} & set(alert["data"].values())
        venue.start()
        await server.client.delete(f"/orders/{order['id']}")
        done = await server.done(order["id"], seconds=60)
        assert done["status"] == "canceled"
        await asyncio.sleep(2)
    audited(database_url, venue)


async def raised(server: Server, rule: str) -> Any:
    """The alert of this rule, within forty seconds."""
    for _ in range(200):
        found = [a for a in (await server.get("/alerts"))["items"] if a["rule"] == rule]
        if found:
            return found[0]
        await asyncio.sleep(0.2)
    raise TimeoutError(server.log()[-2000:])
