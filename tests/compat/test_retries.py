"""alpaca-py sends again by itself after 429 and 504, orders too, and after nothing else."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from alpaca.trading.enums import OrderSide, TimeInForce
from alpaca.trading.requests import MarketOrderRequest

from app.api.alpaca.errors import told
from app.api.errors import STATUS_OF, problem_body
from app.api.listening import OPTIONS, listen
from tests.compat.conftest import House
from tests.compat.test_orders import limit, market


class Proxy:
    """What stands before a server: it forgets an answer and says 504, as often as told."""

    def __init__(self, app: Any, forgets: int) -> None:
        self.app, self.forgets = app, forgets
        self.posts = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        self.posts += 1
        if self.posts > self.forgets:
            await self.app(scope, receive, send)
            return

        async def swallow(message: Any) -> None:
            pass

        await self.app(scope, receive, swallow)
        body = b"<html>504 Gateway Time-out</html>"
        await send({"type": "http.response.start", "status": 504, "headers": []})
        await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def behind(house: House, forgets: int) -> AsyncIterator[tuple[Proxy, Any]]:
    """A proxy before the house, and a client that knows only the proxy."""
    proxy = Proxy(house.app, forgets)
    listening = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(proxy, **OPTIONS))
    running = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:
        await asyncio.sleep(0.01)
    house.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    yield proxy, house.client(house.key)
    house.close()
    server.should_exit = True
    await running


async def count(house: House) -> int:
    async with house.world.database.connection() as connection:
        found: int = await connection.fetchval("SELECT count(*) FROM orders")
        return found


async def test_an_order_whose_answer_was_lost_is_sent_again_and_entered_once(house: House) -> None:
    async with behind(house, forgets=1) as (proxy, client):
        order = await house.call(client.submit_order, market(client_order_id="lost"))
        assert proxy.posts == 2
        assert order.client_order_id == "lost"
        assert await count(house) == 1


async def test_a_large_order_whose_answer_was_lost_is_routed_once(house: House) -> None:
    async with behind(house, forgets=1) as (_, client):
        order = await house.call(client.submit_order, market(500, client_order_id="lost"))
        assert await count(house) == 1
        assert (await house.world.row(str(order.id)))["algo"] == "twap"


async def test_what_cannot_be_done_now_is_a_503_and_not_sent_again(house: House) -> None:
    """A worker that is away, and a symbol without a price: the caller hears of it at once."""
    async with behind(house, forgets=0) as (proxy, client):
        async with house.world.database.connection() as connection:
            await connection.execute(
                "UPDATE market_clock SET told_at = told_at + interval '1 hour'"
            )
        house.world.stop.set()
        await house.world.task
        async with house.world.database.connection() as connection:
            await connection.execute(
                "UPDATE market_clock SET told_at = clock_timestamp() - interval '90 seconds'"
            )
        await asyncio.sleep(0.2)
        client._retry_wait = 30
        begun = time.monotonic()
        error = await house.refused(client.submit_order, market())
        assert (error.status_code, error.code) == (503, 50310000)
        assert proxy.posts == 1
        assert time.monotonic() - begun < 25


async def test_while_the_database_is_away_the_answer_is_a_503(house: House) -> None:
    database = house.world.database
    await house.call(house.trading.get_account)
    await asyncio.wait_for(database.pool.close(), 10)
    async with house.raw() as raw:
        answer = await raw.post("/orders", json=limit(50).to_request_fields())
    body = answer.json()
    assert (answer.status_code, body["code"]) == (503, 50310000)
    assert answer.headers["retry-after"] == "1"


# 429 is the answer to alerts of a hook, and of the limit of rate, which may be sent again.
REFUSALS = {*STATUS_OF.values(), 400, 401, 404, 405, 413, 428, 500} - {429}


@pytest.mark.parametrize("status", sorted(REFUSALS))
def test_no_refusal_of_ours_is_one_that_is_sent_again(status: int) -> None:
    body = told(problem_body("", status, "some_code", "some words"))
    assert body["status"] not in (409, 412, 429, 504)
    assert isinstance(body["code"], int)
    assert body["reason"] == "some_code"


async def test_many_at_once_are_each_entered_once(house: House) -> None:
    def request(number: int) -> MarketOrderRequest:
        return MarketOrderRequest(
            symbol="ACME",
            qty=10,
            side=OrderSide.BUY,
            time_in_force=TimeInForce.DAY,
            client_order_id=f"many-{number % 50}",
        )

    sent = [house.call(house.trading.submit_order, request(n)) for n in range(100)]
    orders = await asyncio.gather(*sent)
    assert len({order.id for order in orders}) == 50
    assert await count(house) == 50
