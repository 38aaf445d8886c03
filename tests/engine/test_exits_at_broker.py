"""Exits at a broker that rests stops: when theirs goes there, and what becomes of it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from app.audit import Terms, audit
from app.domain.fact import Amended
from app.engine import commands
from app.store import journal
from app.store.journal import Entry
from tests.engine.test_exits import exits, offsets
from tests.venue.running import RunningVenue, running_venue
from tests.world import CALLER, World, open_world

D = Decimal
ACCOUNT, SYMBOL, QTY = "main", "GLOBEX", 60
HABITS: dict[str, Any] = {
    "ids": "uuid",
    "work_ms": [1, 5],
    "rest_ms": [60_000, 60_000],
    "delay_ms": [5, 10],
}


@dataclass(frozen=True)
class Market:
    """A house in front of the venue, whose market stands where it is told to."""

    world: World
    venue: RunningVenue
    url: str

    def stands(self, bid: Decimal, offer: Decimal | None = None, **habits: Any) -> None:
        touch = {SYMBOL: [str(bid), str(offer or bid + D("0.01"))]}
        self.venue.change(ACCOUNT, touch=touch, **habits)

    async def entered(self, **levels: Any) -> str:
        bracket = offsets(levels.get("target"), levels.get("stop"))
        entry = await self.world.order(SYMBOL, qty=str(QTY), algo="market", bracket=bracket)
        await self.world.done(entry)
        return entry

    async def exit_of(self, entry: str) -> str:
        async with asyncio.timeout(30):
            while not (found := await exits(self.world, entry)):
                await asyncio.sleep(0.02)
        return str(found[-1]["id"])

    async def children(
        self, order_id: str, condition: Callable[[list[dict[str, Any]]], bool]
    ) -> list[dict[str, Any]]:
        """The order's children, once they are as they should be."""
        try:
            async with asyncio.timeout(30):
                while not condition(found := await self.world.children(order_id)):
                    if self.world.task.done():
                        self.world.task.result()
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(found) from None
        return found

    async def right(self) -> None:
        """The books are the venue's, and nothing was sold twice."""
        report = await audit(self.url, [self.venue.ledger], Terms(0))
        found = [(c.name, f.subject, f.detail) for c in report.failed() for f in c.faults]
        assert found == []

    def sold(self) -> int:
        rows = self.venue.rows("SELECT qty FROM executions WHERE side = 'sell'")
        return sum(int(qty) for (qty,) in rows)

    async def until_sold(self, least: int) -> None:
        async with asyncio.timeout(20):
            while self.sold() < least:
                await asyncio.sleep(0.02)

    async def again(self) -> None:
        """Another worker, in another process as far as it knows."""
        await self.world.lapse()
        self.world.revive()


def rests(children: list[dict[str, Any]]) -> bool:
    return bool(children) and children[-1]["status"] == "working"


def rests_with_stop(children: list[dict[str, Any]]) -> bool:
    return rests(children) and children[-1]["stop_price"] is not None


def rests_plainly(children: list[dict[str, Any]]) -> bool:
    return rests(children) and children[-1]["stop_price"] is None


@asynccontextmanager
async def opened(url: str, folder: Path, **settings: Any) -> AsyncIterator[Market]:
    with running_venue(folder / "venue") as venue:
        venue.behave(ACCOUNT, **HABITS)
        told = {
            "broker": "alpaca",
            "alpaca_url": f"{venue.url}/alpaca/{ACCOUNT}",
            "alpaca_key_id": f"key-{ACCOUNT}",
            "alpaca_secret_key": SecretStr(f"secret-{ACCOUNT}"),
            "alpaca_requests_per_minute": 6000,
            "feed": "synthetic-live",
            "hold": False,
            "speed": D(1),
            "quarantine_seconds": 1,
        }
        async with open_world(url, folder / "house", **told | settings) as world:
            yield Market(world, venue, url)


@pytest.fixture
async def market(database_url: str, tmp_path: Path) -> AsyncIterator[Market]:
    async with opened(database_url, tmp_path) as found:
        yield found


async def test_a_stop_alone_rests_and_sells(market: Market) -> None:
    exit_id = await market.exit_of(await market.entered(stop="2.00"))
    (child,) = await market.children(exit_id, rests_with_stop)
    assert child["stop_limit_price"] is None
    assert D(child["price"]) < D(child["stop_price"])
    market.stands(D(child["stop_price"]) - D("0.05"))
    row = await market.world.done(exit_id)
    assert (row["status"], row["filled"]) == ("filled", QTY)
    assert market.sold() == QTY
    await market.right()


async def test_it_waits_until_nobody_buys_any_more(market: Market) -> None:
    """Beside an order on the other side the exit rests plainly; once that is gone, with its stop;
    and plainly again when there is another."""
    far = {"algo": "limit", "limit_price": "30.00"}
    beside = await market.world.order(SYMBOL, qty="10", **far)
    await market.children(beside, rests)
    exit_id = await market.exit_of(await market.entered(target="4.00", stop="2.00"))
    (plain,) = await market.children(exit_id, rests_plainly)
    await commands.cancel(market.world.service, CALLER, beside)
    first, second = await market.children(exit_id, rests_with_stop)
    assert (first["id"], first["status"]) == (plain["id"], "canceled")
    assert (second["qty"], second["price"]) == (plain["qty"], plain["price"])
    other = await market.world.order(SYMBOL, qty="10", **far)
    assert len(await market.children(exit_id, rests_plainly)) == 3
    await commands.cancel(market.world.service, CALLER, other)
    assert len(await market.children(exit_id, rests_with_stop)) == 4
    await market.right()


async def test_a_refusal_is_remembered_by_the_next_process(market: Market) -> None:
    first = await market.world.order(SYMBOL, qty="1", algo="market")
    await market.world.done(first)
    price = D((await market.world.fills(first))[0]["price"])
    # Bought a little cheaper; and for the venue every stop is beyond the market already.
    market.stands(D("0.50"), (price * D("0.99")).quantize(D("0.01")))
    exit_id = await market.exit_of(await market.entered(target="6.00", stop="3.00"))
    children = await market.children(exit_id, rests_plainly)
    assert [c["reason"] for c in children] == ["broker.bad_stop", None]
    assert children[0]["stop_price"] is not None
    async with market.world.database.connection() as connection:
        told = await connection.fetch("SELECT * FROM alerts WHERE rule = 'stop_not_at_broker'")
    assert [row["order_id"] for row in told] == [exit_id]
    await market.world.kill_worker()
    await market.again()
    await asyncio.sleep(3)
    assert [c["id"] for c in await market.world.children(exit_id)] == [c["id"] for c in children]


async def test_both_fill_in_part_while_nobody_is_there(market: Market) -> None:
    exit_id = await market.exit_of(await market.entered(target="4.00", stop="2.00"))
    (child,) = await market.children(exit_id, rests_with_stop)
    await market.world.kill_worker()
    market.stands(D(child["price"]) + D("0.02"), partial=1.0, put_anew=True)
    await market.until_sold(1)
    market.stands(D(child["stop_price"]) - D("0.05"), partial=0.0)
    await market.until_sold(QTY)
    await market.again()
    row = await market.world.done(exit_id)
    assert (row["status"], row["filled"], row["excess"]) == ("filled", QTY, 0)
    prices = {D(f["price"]) for f in await market.world.fills(exit_id)}
    assert prices == {D(child["price"]) + D("0.02"), D(child["stop_price"]) - D("0.05")}
    await asyncio.sleep(1)
    assert market.sold() == QTY
    await market.right()


async def test_a_cancel_ends_both(market: Market) -> None:
    exit_id = await market.exit_of(await market.entered(target="4.00", stop="2.00"))
    (child,) = await market.children(exit_id, rests_with_stop)
    await commands.cancel(market.world.service, CALLER, exit_id)
    row = await market.world.done(exit_id)
    assert (row["status"], row["filled"]) == ("canceled", 0)
    market.stands(D(child["stop_price"]) - D("0.05"))
    await asyncio.sleep(0.5)
    assert market.sold() == 0
    await market.right()


async def test_switched_off_the_stop_is_watched_here(database_url: str, tmp_path: Path) -> None:
    async with opened(database_url, tmp_path, alpaca_brackets=False) as market:
        exit_id = await market.exit_of(await market.entered(target="4.00", stop="2.00"))
        await market.children(exit_id, rests_plainly)
        assert market.venue.rows("SELECT count(*) FROM twins") == [(0,)]


async def test_our_desk_may_be_first(market: Market) -> None:
    """It sees the touch where the venue does not: both of the venue's orders go before it crosses,
    and what it crosses is all there is."""
    exit_id = await market.exit_of(await market.entered(target="5.00", stop="2.00"))
    (child,) = await market.children(exit_id, rests_with_stop)
    touched = Amended(time.time_ns() // 1_000, params={"stop": D(child["price"]) - 1})
    async with market.world.database.transaction() as connection:
        entry = Entry(exit_id, [touched], attention=True)
        await journal.record(connection, account=ACCOUNT, broker="alpaca", entries=[entry])
    row = await market.world.done(exit_id)
    assert (row["status"], row["filled"], row["excess"]) == ("filled", QTY, 0)
    assert row["params"]["forced"] == "stop"
    first, *crossing = await market.world.children(exit_id)
    assert (first["id"], first["status"], first["filled"]) == (child["id"], "canceled", "0")
    assert {(c["purpose"], c["stop_price"]) for c in crossing} == {("cross", None)}
    open_now = (
        "SELECT count(*) FROM orders o WHERE code = 'accepted'"
        " AND NOT EXISTS (SELECT 1 FROM ends x WHERE x.order_seq = o.seq)"
    )
    assert market.venue.rows(open_now) == [(0,)]
    assert market.sold() == QTY
    await market.right()


async def refused(market: Market) -> list[str]:
    rows = market.venue.rows("SELECT code FROM orders WHERE code <> 'accepted'")
    return [str(code) for (code,) in rows]


@pytest.mark.parametrize("algo", ["market", "limit"])
async def test_an_order_against_a_stop_waits_until_that_is_gone(market: Market, algo: str) -> None:
    """The broker would refuse it; the stop goes because of it, and both go on."""
    market.venue.behave(ACCOUNT, **HABITS, wash=True)
    exit_id = await market.exit_of(await market.entered(target="4.00", stop="2.00"))
    await market.children(exit_id, rests_with_stop)
    more = {"limit_price": "30.00"} if algo == "limit" else {}
    other = await market.world.order(SYMBOL, qty="10", algo=algo, **more)
    if algo == "limit":
        await market.children(other, rests)
        await market.children(exit_id, rests_plainly)
        await commands.cancel(market.world.service, CALLER, other)
    else:
        assert (await market.world.done(other))["status"] == "filled"
    await market.children(exit_id, rests_with_stop)
    assert await refused(market) == []
    await market.right()
