"""Somebody else trades in the same account, and what no order of ours could be: several legs under
no symbol. It must stop nothing of ours."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI, WebSocket

from app.api.listening import OPTIONS, listen
from app.brokers.alpaca import open_broker
from app.brokers.alpaca.broker import AlpacaBroker
from app.domain.identity import child_id

MINE = child_id("01a1fda6-32f0-7104-a88b-a4ed1c86d077", 1)
OURS: dict[str, Any] = {
    "id": "61e69015-8549-4bfd-b9c3-01e75843f47d",
    "client_order_id": MINE,
    "created_at": "2026-03-16T18:38:01.942282Z",
    "updated_at": "2026-03-16T18:38:01.942282Z",
    "submitted_at": "2026-03-16T18:38:01.937734Z",
    "asset_id": "b0b6dd9d-8b9b-48a9-ba46-b9d54906e415",
    "symbol": "AAPL",
    "qty": "15",
    "filled_qty": "0",
    "side": "buy",
    "time_in_force": "day",
    "limit_price": "107.5",
    "status": "new",
}
LEGS = OURS | {
    "id": "2b3e3a0f-4f43-4c2f-9f0e-6d0b2e9a7c11",
    "client_order_id": "a spread of mine",
    "symbol": "",
    "asset_id": "",
    "side": "",
    "order_class": "mleg",
}


def streaming(told: list[Any]) -> FastAPI:
    """A venue that tells these updates, and has no orders yet."""
    api = FastAPI()

    @api.websocket("/stream")
    async def stream(socket: WebSocket) -> None:
        await socket.accept()
        await socket.receive_json()
        await socket.send_json({"stream": "authorization", "data": {"status": "authorized"}})
        streams = (await socket.receive_json())["data"]
        await socket.send_json({"stream": "listening", "data": streams})
        for update in told:
            await socket.send_json({"stream": "trade_updates", "data": update})
        await socket.receive()

    return api


def alpaca(orders: list[Any], told: list[Any], asked: list[str]) -> FastAPI:
    """A venue with these open orders, that tells these updates."""
    api = streaming(told)

    @api.get("/v2/orders")
    async def listed() -> Any:
        asked.append("orders")
        return orders

    @api.get("/v2/account/activities/FILL")
    async def fills() -> Any:
        return []

    return api


@asynccontextmanager
async def opened(api: FastAPI) -> AsyncIterator[AlpacaBroker]:
    listening = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(api, **OPTIONS))
    running = asyncio.create_task(server.serve(sockets=[listening]))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    broker = open_broker("acc", lambda s: {}[s], {"url": url, "key_id": "k", "secret_key": "s"})
    assert isinstance(broker, AlpacaBroker)
    try:
        yield broker
    finally:
        await broker.close()
        server.should_exit = True
        await running


def busy(count: int, asked: list[str]) -> FastAPI:
    """A venue where `count` orders were filled a moment ago, each in one execution."""
    now = datetime.now(UTC)
    api, orders = streaming([]), []
    for n in range(count):
        at = (now - timedelta(seconds=60 - n / 10)).isoformat()
        name = {"id": f"order-{n:04d}", "client_order_id": f"c{n}", "status": "filled"}
        orders.append(OURS | name | {"submitted_at": at, "created_at": at, "filled_qty": "15"})

    @api.get("/v2/orders")
    async def listed(status: str, after: str, limit: int) -> Any:
        asked.append("list")
        wanted = [o for o in orders if datetime.fromisoformat(o["submitted_at"]) > _at(after)]
        return wanted[:limit]

    @api.get("/v2/orders/{name}")
    async def one(name: str) -> Any:
        asked.append(name)
        return next(o for o in orders if o["id"] == name)

    @api.get("/v2/account/activities/FILL")
    async def fills(page_token: str = "") -> Any:
        rows = [
            {
                "id": f"20260316{n:09d}::x{n}",
                "order_id": order["id"],
                "type": "fill",
                "price": "107.5",
                "qty": "15",
                "cum_qty": "15",
                "side": "buy",
                "transaction_time": order["submitted_at"],
            }
            for n, order in enumerate(orders)
        ]
        return [row for row in rows if row["id"] > page_token][:100]

    return api


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def test_a_restart_asks_for_many_orders_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One by one, 250 questions of 150 a minute would hold everything back for a minute."""
    monkeypatch.setattr("app.brokers.alpaca.client.OPEN_PAGE", 100)
    asked: list[str] = []
    async with opened(busy(250, asked)) as broker:
        async with asyncio.timeout(30):
            told = await broker.executions(0)
        assert {report.child_id for report in told} == {f"c{n}" for n in range(250)}
    assert asked == ["list"] * 3


async def test_a_few_orders_are_asked_for_singly(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    async with opened(busy(3, asked)) as broker:
        assert len(await broker.executions(0)) == 3
    assert sorted(asked) == ["order-0000", "order-0001", "order-0002"]


async def until(good: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not good():
            await asyncio.sleep(0.01)


async def test_an_order_that_nobody_can_read_hides_none_of_ours() -> None:
    async with opened(alpaca([LEGS, OURS], [], [])) as broker:
        assert [report.child_id for report in await broker.open_orders()] == [MINE]


async def test_one_of_ours_that_nobody_can_read_is_no_silence() -> None:
    async with opened(alpaca([OURS | {"symbol": ""}], [], [])) as broker:
        with pytest.raises(ConnectionError, match="cannot be read"):
            await broker.open_orders()


async def test_updates_of_strangers_are_no_gap() -> None:
    asked: list[str] = []
    strange = {"event": "new", "order": LEGS}
    ours = {"event": "new", "order": OURS}
    async with opened(alpaca([LEGS], [strange] * 5 + [ours], asked)) as broker:
        await broker.open_orders()
        told: list[Any] = []
        await until(lambda: broker._stream.away is None)
        async with asyncio.timeout(60):
            while not told:
                told += await broker.reports(0)
                await asyncio.sleep(0.01)
        assert {report.child_id for report in told} == {MINE}
        # Asked by us, and once to close the gap before the stream.
        assert asked == ["orders", "orders"]


LEG = OURS | {
    "id": "9a9d9a4b-1f4b-4b0e-8f0a-0f5c8e0c6a01",
    "client_order_id": "7f9d2c34-2f55-4b7a-9f0f-3f5f0c7d9e11",
    "order_class": "oco",
    "type": "stop_limit",
    "stop_price": "90",
    "limit_price": "89",
}


def legs(listed: list[Any]) -> FastAPI:
    """A venue where a leg was executed; `listed` are its orders."""
    api = alpaca(listed, [], [])
    api.router.routes = [r for r in api.router.routes if "FILL" not in getattr(r, "path", "")]

    @api.get("/v2/orders/{name}")
    async def one(name: str) -> Any:
        return next(o for o in (LEG, *listed) if o["id"] == name)

    @api.get("/v2/orders:by_client_order_id")
    async def named(client_order_id: str) -> Any:
        return next(o for o in listed if o["client_order_id"] == client_order_id)

    @api.get("/v2/account/activities/FILL")
    async def fills() -> Any:
        row = {"id": "20260316000000000::x1", "order_id": LEG["id"], "type": "fill", "qty": "5"}
        row |= {"price": "89.5", "cum_qty": "5", "side": "sell"}
        return [row | {"transaction_time": LEG["submitted_at"]}]

    return api


def gone(name: str, **more: Any) -> dict[str, Any]:
    """An order with a stop of ours, over by itself and told without its leg."""
    told = {"client_order_id": name, "order_class": "oco", "side": "sell", "status": "canceled"}
    return OURS | {"id": "d1f1c1c8-60f1-4c3c-8a57-1a0d6e1b2c03"} | told | more


async def test_an_execution_of_a_leg_is_not_passed_over_where_it_may_be_ours() -> None:
    """Its name says nothing: a stop of ours may be the one, whose legs are not told."""
    async with opened(legs([gone(MINE)])) as broker:
        for _ in range(2):
            with pytest.raises(ConnectionError):
                await broker.executions(0)


@pytest.mark.parametrize(
    "orders",
    [[], [gone("theirs")], [gone(MINE, symbol="F")], [OURS]],
    ids=["none", "theirs", "another symbol", "no stop"],
)
async def test_a_leg_that_cannot_be_ours_stops_no_reading(orders: list[Any]) -> None:
    async with opened(legs(orders)) as broker:
        assert await broker.executions(0) == []
        await broker._recover(0)


async def test_a_leg_by_itself_is_no_order_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even where many orders are asked for at once."""
    monkeypatch.setattr("app.brokers.alpaca.listing.FEW", 0)
    head = gone(MINE, status="new")
    async with opened(legs([LEG, head | {"legs": [LEG]}])) as broker:
        assert [report.child_id for report in await broker.executions(0)] == [MINE]


async def test_one_pair_that_is_not_told_hides_no_other() -> None:
    """Neither in the list nor among what is asked for again."""
    odd = gone(MINE, status="new") | {"legs": [LEG | {"status": "odd"}]}
    other = child_id("01a1fda6-32f0-7104-a88b-a4ed1c86d077", 2)
    well = gone(other, status="new", id="well", legs=[LEG | {"id": "leg", "status": "held"}])
    listed = [odd, well]
    api = alpaca(listed, [], [])

    @api.get("/v2/orders/{name}")
    async def one(name: str) -> Any:
        return next(o for o in (odd, well) if o["id"] == name)

    @api.get("/v2/orders:by_client_order_id")
    async def named(client_order_id: str) -> Any:
        return next(o for o in (odd, well) if o["client_order_id"] == client_order_id)

    async with opened(api) as broker:
        reports = {report.child_id: report for report in await broker.open_orders()}
        assert {name: report.status.value for name, report in reports.items()} == {
            MINE: "working",
            other: "working",
        }
        assert (reports[MINE].terms is None, reports[other].terms is None) == (True, False)
        await until(lambda: broker._stream.away is None)
        broker._untold.clear()
        broker._twins.doubt(odd["id"])
        broker._twins.doubt(well["id"])
        await until(lambda: bool(broker._untold))
        assert {report.child_id for report in broker._untold} == {other}
        listed.clear()
        await broker._recover(0)


@pytest.mark.parametrize("name", [MINE, "somebody else's"])
async def test_a_leg_goes_by_the_name_of_its_order(name: str) -> None:
    head = OURS | {"client_order_id": name, "order_class": "oco", "legs": [LEG]}
    async with opened(legs([head])) as broker:
        assert [report.child_id for report in await broker.executions(0)] == [name]
        assert [report.child_id for report in await broker.open_orders()] == [name]


async def test_a_pair_of_somebody_else_that_nobody_can_read_hides_none_of_ours() -> None:
    odd = LEGS | {"order_class": "oco", "legs": [LEG | {"status": "odd"}]}
    async with opened(alpaca([odd, OURS], [], [])) as broker:
        assert [report.child_id for report in await broker.open_orders()] == [MINE]


MARKET_STOP = LEG | {"type": "stop", "limit_price": None, "status": "held"}
THEIRS = OURS | {
    "id": "5d0f7f0c-3a1e-4d57-8c37-7b1f1f4f9d02",
    "client_order_id": "a pair of mine",
    "side": "sell",
    "order_class": "oco",
}


@pytest.mark.parametrize(
    "leg", [MARKET_STOP, MARKET_STOP | {"status": "odd"}], ids=["market stop", "odd"]
)
@pytest.mark.parametrize("alone", [False, True], ids=["nested", "leg listed alone"])
async def test_a_pair_of_somebody_else_is_theirs_however_often_it_is_met(
    leg: dict[str, Any], alone: bool
) -> None:
    """What is remembered of it makes it none of ours: neither in this process nor in the next."""
    pair, asked = THEIRS | {"legs": [leg]}, list[str]()
    listed = [pair, OURS]
    api = alpaca(listed, [{"event": "new", "order": THEIRS}], asked)

    @api.get("/v2/orders/{name}")
    async def one(name: str) -> Any:
        return next(o for o in (pair, leg, OURS) if o["id"] == name)

    for _ in range(2):
        async with opened(api) as broker:
            for turn in range(3):
                # The limit is over, and its stop is listed by itself.
                listed[:] = [leg, OURS] if alone and turn else [pair, OURS]
                assert MINE in {report.child_id for report in await broker.open_orders()}
                await broker._recover(0)
