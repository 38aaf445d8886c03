"""An order is worked by one server at another one: what the first booked is what the second did."""

import asyncio
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.chain.books import both, named_alike
from tests.chain.servers import chained
from tests.server import Server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def vwap(symbol: str, qty: str, seconds: int) -> dict[str, Any]:
    """It crosses at once, and each slice has four seconds: on a busy machine an answer may take
    one, and what the market meant by then may need a second child."""
    order = {"symbol": symbol, "side": "buy", "qty": qty, "algo": "vwap"}
    params = {"slices": seconds // 4, "placement": "cross", "jitter": 0}
    return {**order, "duration": f"{seconds}s", "params": params}


def audited(url: str, folder: Path) -> None:
    """`slipstream audit --settled` finds nothing in a server's books and its own ledger, if any."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("SLIPSTREAM_")}
    told = subprocess.run(
        [sys.executable, "-m", "app.cli", "audit", "--database", url, "--settled"],
        env=clean | {"SLIPSTREAM_DATA_DIR": str(folder)},
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert told.returncode == 0, told.stdout.decode() + told.stderr.decode()


async def assert_one_ledger(front: Server, back: Server, urls: tuple[str, str]) -> int:
    """Both say the same of every execution; how many there are."""
    ends = await both(*urls)
    assert ends.booked == ends.executed
    assert await named_alike(*urls, back.url, back.key) == []
    assert ends.twice == []
    assert {row["client_order_id"] for row in ends.taken} <= {row["id"] for row in ends.children}
    assert all(row["algo"] in ("limit", "market") for row in (await back.get("/orders"))["items"])
    audited(urls[0], front.folder)
    audited(urls[1], back.folder)
    return ends.executed.total()


@pytest.mark.campaign
async def test_a_vwap_order_is_worked_at_another_server(
    tmp_path: Path, urls: tuple[str, str]
) -> None:
    market = {"FEED": "synthetic-live", "HOLD": "false", "SPEED": "1"}
    async with chained(tmp_path, urls, **market) as (front, back):
        order = await front.post("/orders", vwap("GLOBEX", "200", 16))
        done = await front.done(order["id"])
        assert (done["status"], done["filled"]) == ("filled", "200")
        assert await assert_one_ledger(front, back, urls) > 2


@pytest.mark.campaign
@pytest.mark.data
async def test_a_vwap_order_on_a_real_tape(
    tmp_path: Path, urls: tuple[str, str], data_sets: Path
) -> None:
    """IBM, tick by tick, at the speed at which it happened."""
    market = {
        "FEED": "replay",
        "FEED_PATH": str(data_sets / "lean"),
        "FEED_START": "2013-10-07T13:36:00Z",
        "SYMBOLS": "IBM",
        "SPEED": "1",
    }
    async with chained(tmp_path, urls, **market) as (front, back):
        # At a moment of the tape, not of the test: what the market traded is the same each time.
        wanted = vwap("IBM", "200", 16) | {"start_time": "2013-10-07T13:36:04Z"}
        order = await front.post("/orders", wanted)
        await asyncio.gather(*(server.clock(held=False) for server in (back, front)))
        done = await front.done(order["id"])
        assert (done["status"], done["filled"]) == ("filled", "200")
        assert await assert_one_ledger(front, back, urls) > 2
        fills = await front.get(f"/orders/{order['id']}/fills")
        assert all(Decimal(180) < Decimal(fill["price"]) < Decimal(185) for fill in fills["items"])
