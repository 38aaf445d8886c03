"""Several workers and several APIs on one database, a live market: who dies is replaced."""

import asyncio
import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.fleet import Fleet, fleet

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

TAKEN_OVER_SECONDS = 7.0


def twap(seconds: int, qty: str = "600") -> dict[str, Any]:
    return {
        "symbol": "ACME",
        "side": "buy",
        "qty": qty,
        "algo": "twap",
        "duration": f"{seconds}s",
        "params": {"slices": seconds},
    }


async def assert_books_are_right(house: Fleet) -> None:
    told = house.audit()
    assert told.returncode == 0, told.stdout.decode() + told.stderr.decode()


async def next_child(house: Fleet, epoch: int, seconds: float) -> None:
    """Wait until a child was sent under a later epoch."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if await house.rows(
            "SELECT 1 FROM children WHERE epoch > $1 AND status <> 'intent'", epoch
        ):
            return
        await asyncio.sleep(0.05)
    raise TimeoutError(house.logs())


async def test_an_order_survives_its_worker_within_seven_seconds(
    tmp_path: Path, database_url: str
) -> None:
    async with fleet(tmp_path, database_url) as house:
        order = await house.apis[0].post("/orders", twap(20))
        await house.apis[1].until(order["id"], lambda o: float(o["filled"]) > 0)
        dying = await house.owned("desk:main")
        dying.kill()
        begun = time.monotonic()
        await house.owned("desk:main", by=lambda w: w is not dying)
        await next_child(house, 1, 30)
        took = time.monotonic() - begun
        assert took <= TAKEN_OVER_SECONDS, f"{took:.1f} s"
        print(f"taken over after {took:.2f} s")
        done = await house.apis[0].done(order["id"])
        assert (done["status"], done["filled"]) == ("filled", "600")
        await assert_books_are_right(house)
