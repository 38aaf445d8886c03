"""What is made up from the API page breaks nothing, and every answer is as the page says."""

import asyncio
import os
from pathlib import Path

import httpx
import pytest

from tests.fuzz.house import open_house
from tests.fuzz.stages import both
from tests.fuzz.tally import Tally

SEED = int(os.environ.get("SLIPSTREAM_FUZZ_SEED", "1"))


async def fuzzed(folder: Path, home_url: str | None, requests: int) -> Tally:
    async with open_house(folder / "house", home_url) as server:
        tally = await asyncio.to_thread(both, server.url, server.key, SEED, requests)
        told = "\n".join(
            f"{fault.route}: {fault.kind} ({fault.count})\n{fault.detail}\n{fault.curl[0]}"
            for fault in tally.faults.values()
        )
        assert not tally.faults, f"seed {SEED}\n{told}"
        assert "request failed" not in server.log()
        async with httpx.AsyncClient(base_url=server.url) as client:
            assert (await client.get("/readyz")).status_code == 200
    return tally


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_five_hundred_requests(tmp_path: Path, home_url: str | None) -> None:
    tally = await fuzzed(tmp_path, home_url, 500)
    assert tally.asked == 500
    assert tally.answered("POST /orders", 202) >= 5
    assert sum(tally.by_status("schemathesis").values()) == 62
    assert sum(tally.by_status("storm").values()) == 438


@pytest.mark.campaign
@pytest.mark.timeout(3600)
async def test_twenty_thousand_requests(tmp_path: Path, home_url: str | None) -> None:
    tally = await fuzzed(tmp_path, home_url, 20_000)
    assert tally.asked == 20_000
    for label, status in (
        ("POST /orders", 202),
        ("GET /orders/{order_id}", 200),
        ("DELETE /orders/{order_id}", 202),
        ("PATCH /orders/{order_id}", 200),
        ("GET /orders/{order_id}/children", 200),
        ("GET /orders/{order_id}/tca", 200),
        ("POST /signals", 202),
        ("POST /webhooks/tradingview/{token}", 202),
        ("PUT /risk/limits", 200),
        ("POST /risk/kill-switches", 200),
        ("PUT /strategies/{name}", 200),
        ("POST /keys", 201),
        ("POST /alpaca/v2/orders", 200),
        ("PATCH /alpaca/v2/orders/{order_id}", 200),
        ("GET /alpaca/v2/positions", 200),
    ):
        assert tally.answered(label, status), f"{label} never answered {status}"
