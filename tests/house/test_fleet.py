"""Several workers and several APIs on one database, a live market: who dies is replaced."""

import asyncio
import json
import signal
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.fleet import Fleet, Watch, fleet

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

TAKEN_OVER_SECONDS = 7.0


def twap(seconds: int, qty: str = "60") -> dict[str, Any]:
    return {
        "symbol": "GLOBEX",
        "side": "buy",
        "qty": qty,
        "algo": "twap",
        "duration": f"{seconds}s",
        "params": {"slices": seconds // 4},
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
        watch = Watch()
        await house.owned("desk:main", by=lambda w: w is not dying)
        await next_child(house, 1, 60)
        took = watch.seconds()
        assert took <= TAKEN_OVER_SECONDS, f"{took:.1f} s"
        done = await house.apis[0].done(order["id"])
        assert (done["status"], done["filled"]) == ("filled", "60")
        await assert_books_are_right(house)


async def test_a_frozen_worker_finds_its_desk_taken_and_sends_nothing_more(
    tmp_path: Path, database_url: str
) -> None:
    async with fleet(tmp_path, database_url, LEASE_SECONDS="1") as house:
        order = await house.apis[0].post("/orders", twap(12))
        await house.apis[0].until(order["id"], lambda o: float(o["filled"]) > 0)
        frozen = await house.owned("desk:main")
        frozen.send_signal(signal.SIGSTOP)
        await house.owned("desk:main", by=lambda w: w is not frozen)
        await next_child(house, 1, 60)
        frozen.send_signal(signal.SIGCONT)
        done = await house.apis[0].done(order["id"])
        assert (done["status"], done["filled"]) == ("filled", "60")
        assert '"lease": "desk:main"' in house.log(frozen), house.log(frozen)
        assert frozen.poll() is None
        epochs = await house.rows(
            "SELECT epoch, min(n) AS low, max(n) AS high FROM"
            " (SELECT epoch, row_number() OVER (ORDER BY created_at) AS n FROM children) c"
            " GROUP BY epoch ORDER BY epoch"
        )
        assert [e["epoch"] for e in epochs] == [1, 2]
        assert epochs[0]["high"] < epochs[1]["low"], "the old epoch sent after the new one began"
        await assert_books_are_right(house)


@pytest.mark.campaign
async def test_a_rolling_restart_hands_desks_and_market_over_at_once(
    tmp_path: Path, database_url: str
) -> None:
    """With leases of a minute, only giving back makes this quick. Whoever goes is replaced."""
    async with fleet(tmp_path, database_url, LEASE_SECONDS="60") as house:
        order = await house.apis[0].post("/orders", twap(16))
        await house.apis[0].until(order["id"], lambda o: float(o["filled"]) > 0)
        for _ in range(2):
            ending = await house.owned("desk:main")
            house.worker()
            ending.terminate()
            begun = time.monotonic()
            await house.owned("desk:main", by=lambda w, e=ending: w is not e)
            await house.owned("market", by=lambda w, e=ending: w is not e)
            assert time.monotonic() - begun < 10
            assert ending.wait(5) == 0
        done = await house.apis[1].done(order["id"])
        assert (done["status"], done["filled"]) == ("filled", "60")
        await assert_books_are_right(house)


async def test_the_market_goes_on_being_told_when_its_teller_dies(
    tmp_path: Path, database_url: str
) -> None:
    async with fleet(tmp_path, database_url, apis=1, LEASE_SECONDS="1") as house:
        teller = await house.owned("market")
        teller.kill()
        watch = Watch()
        await house.owned("market", by=lambda w: w is not teller)
        order = await house.apis[0].post(
            "/orders", {"symbol": "GLOBEX", "side": "buy", "qty": "5", "algo": "market"}
        )
        assert (await house.apis[0].done(order["id"]))["status"] == "filled"
        assert watch.seconds() < 5
        clock = await house.apis[0].get("/clock")
        assert abs(_instant(clock["now"]) - time.time()) < 3


async def test_what_is_posted_at_one_api_is_streamed_by_the_other(
    tmp_path: Path, database_url: str
) -> None:
    async with fleet(tmp_path, database_url, workers=1) as house:
        one, other = house.apis
        async with other.stream("start") as socket:
            order = await one.post(
                "/orders", {"symbol": "ACME", "side": "sell", "qty": "3", "algo": "market"}
            )
            seen: list[str] = []
            async with asyncio.timeout(10):
                while "order.filled" not in seen:
                    frame = json.loads(await socket.recv())
                    if frame.get("order_id") == order["id"]:
                        seen.append(frame["type"])
        assert seen[0] == "order.accepted"
        assert (await other.get(f"/orders/{order['id']}"))["status"] == "filled"


async def test_desks_are_shared_and_an_account_that_nobody_serves_is_told(
    tmp_path: Path, database_url: str
) -> None:
    accounts = {"ACCOUNTS": "main=paper,alpha=paper,beta=paper"}
    async with fleet(
        tmp_path, database_url, workers=3, apis=1, LEASE_SECONDS="1", **accounts
    ) as house:
        for name in ("main", "alpha", "beta"):
            body = twap(300) | {"account": name}
            order = await house.apis[0].post("/orders", body)
            await house.apis[0].until(order["id"], lambda o: float(o["filled"]) > 0)
        owners = await house.rows("SELECT name, owner FROM leases WHERE name LIKE 'desk:%'")
        assert len(owners) == 3
        first = await house.owned("desk:main")
        first.kill()
        for name in ("main", "alpha", "beta"):
            await house.owned(f"desk:{name}", by=lambda w: w is not first)
        await asyncio.sleep(1.5)
        held = await house.rows(
            "SELECT owner, count(*) AS desks FROM leases WHERE name LIKE"
            " 'desk:%' AND until > clock_timestamp() GROUP BY owner ORDER BY desks"
        )
        assert max(row["desks"] for row in held) <= 2, held
        assert sum(row["desks"] for row in held) == 3


def _instant(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
