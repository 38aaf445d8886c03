"""TradingStream: what alpaca-py's own stream is told, and what nobody may say to it."""

import asyncio
import json
import threading
import time
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import pytest
from alpaca.trading.enums import OrderSide, OrderStatus, TradeEvent
from alpaca.trading.stream import TradingStream
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from app.api.alpaca.surface import Surface
from app.api.alpaca.wording import execution_id
from app.domain.instant import from_datetime
from app.store import journal
from app.store.fill_ledger import Void
from app.store.journal import Entry
from tests.compat.conftest import House
from tests.compat.listening import listening
from tests.compat.test_orders import limit, market


async def test_an_order_is_told_from_its_entry_to_its_last_fill(house: House) -> None:
    async with listening(house) as heard:
        order = await house.call(house.trading.submit_order, market(500))
        await house.world.let_go()
        await heard.until("fill")
    told = heard.of(order.id)
    events = [u.event for u in told]
    assert events[:2] == [TradeEvent.PENDING_NEW, TradeEvent.NEW]
    assert events[-1] == TradeEvent.FILL
    assert set(events[2:-1]) == {TradeEvent.PARTIAL_FILL}
    fills = told[2:]
    assert sum(u.qty for u in fills) == 500
    assert len({u.execution_id for u in fills}) == len(fills)
    # Each update is the order as it was then, though it is told later.
    done, cost = 0.0, 0.0
    for update in fills:
        done, cost = done + update.qty, cost + update.qty * update.price
        assert float(update.order.filled_qty) == done == update.position_qty
        assert float(update.order.filled_avg_price) == pytest.approx(cost / done)
        whole = done == 500
        word = OrderStatus.FILLED if whole else OrderStatus.PARTIALLY_FILLED
        assert update.order.status is word
    booked = await house.world.fills(str(order.id))
    assert [float(f["price"]) for f in booked] == [u.price for u in fills]


async def test_a_cancel_is_told_in_two_steps(house: House) -> None:
    async with listening(house) as heard:
        order = await house.call(house.trading.submit_order, limit(50))
        await house.world.let_go(Decimal(10))
        await heard.until("new")
        await house.call(house.trading.cancel_order_by_id, order.id)
        await heard.until("canceled")
    last = heard.of(order.id)[-2:]
    assert [u.event for u in last] == [TradeEvent.PENDING_CANCEL, TradeEvent.CANCELED]
    assert [u.order.status for u in last] == [OrderStatus.PENDING_CANCEL, OrderStatus.CANCELED]


async def test_a_pause_and_an_expiry_are_words_that_the_client_knows(house: House) -> None:
    async with listening(house) as heard:
        order = await house.call(house.trading.submit_order, limit(50))
        path = f"{house.url}/orders/{order.id}"
        headers = {"Authorization": f"Bearer {house.key}"}
        async with httpx.AsyncClient(headers=headers) as native:
            assert (await native.post(f"{path}/pause")).status_code == 202
            await house.world.let_go(Decimal(10))
            await heard.until("suspended")
            assert (await native.post(f"{path}/resume")).status_code == 202
        await house.world.let_go()
        await heard.until("expired")
    assert heard.of(order.id)[-1].order.status is OrderStatus.EXPIRED


async def test_a_sale_below_nothing_is_a_short_position(house: House) -> None:
    async with listening(house) as heard:
        await house.call(house.trading.submit_order, market(40, "sell"))
        await house.world.let_go()
        await heard.until("fill")
    assert heard.updates[-1].position_qty == -40
    assert heard.updates[-1].order.side is OrderSide.SELL


@pytest.mark.parametrize("binary", [True, False])
async def test_frames_are_binary_or_text(open_house: Any, binary: bool) -> None:
    async with open_house(Surface(binary=binary)) as house:
        async with connect(house.stream_url) as socket:
            await socket.send(authenticate(house))
            assert isinstance(await socket.recv(), bytes if binary else str)
        async with listening(house) as heard:
            await house.call(house.trading.submit_order, market())
            await heard.until("pending_new")


async def test_nothing_is_said_before_the_key_is_shown(house: House) -> None:
    async with connect(house.stream_url) as socket:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await socket.recv()
        await socket.send(authenticate(house))
        first = json.loads(await socket.recv())
    assert first == {
        "stream": "authorization",
        "data": {"status": "authorized", "action": "authenticate"},
    }


async def test_who_says_nothing_is_let_go(house: House) -> None:
    async with connect(house.stream_url) as socket:
        with pytest.raises(ConnectionClosed):
            async with asyncio.timeout(30):
                await socket.recv()
        assert socket.close_code == 4401


async def test_the_older_form_of_authentication_is_known(house: House) -> None:
    async with connect(house.stream_url) as socket:
        old = {"action": "auth", "key": house.key_id, "secret": house.key}
        await socket.send(json.dumps(old).encode())
        assert json.loads(await socket.recv())["data"]["status"] == "authorized"


async def test_a_wrong_key_is_told_so_in_the_clients_words(house: House) -> None:
    async with connect(house.stream_url) as socket:
        await socket.send(authenticate(house, secret="slip_00000000_wrong"))
        answer = json.loads(await socket.recv())
        assert answer["data"] == {"status": "unauthorized", "action": "authenticate"}
        with pytest.raises(ConnectionClosed):
            await socket.recv()


async def test_the_list_of_streams_is_absolute(house: House) -> None:
    async with connect(house.stream_url) as socket:
        await socket.send(authenticate(house))
        await socket.recv()
        for asked, got in ((["trade_updates", "news"], ["trade_updates"]), ([], [])):
            await socket.send(json.dumps({"action": "listen", "data": {"streams": asked}}))
            answer = json.loads(await socket.recv())
            assert answer == {"stream": "listening", "data": {"streams": got}}
        await house.call(house.trading.submit_order, market())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.4):
                await socket.recv()


async def test_nonsense_is_passed_over(house: House) -> None:
    async with connect(house.stream_url) as socket:
        await socket.send("nonsense")
        await socket.send("[1]")
        await socket.send(authenticate(house))
        assert json.loads(await socket.recv())["data"]["status"] == "authorized"
        await socket.send(json.dumps({"action": "listen", "data": None}))
        assert json.loads(await socket.recv())["stream"] == "listening"


async def test_other_accounts_are_not_told(open_house: Any) -> None:
    async with open_house(accounts=("main=paper", "other=paper")) as house:
        key = await house.make_key("trade", "read", accounts=["other"])
        async with listening(house, key) as heard:
            await house.call(house.trading.submit_order, limit(50))
            mine = await house.call(house.client(key).submit_order, limit(50))
            await heard.until("pending_new")
            await asyncio.sleep(0.3)
        assert {u.order.id for u in heard.updates} == {mine.id}


async def test_a_revoked_key_hears_no_more(house: House) -> None:
    key = await house.make_key("read")
    async with connect(house.stream_url) as socket:
        await socket.send(
            json.dumps(
                {
                    "action": "authenticate",
                    "data": {"key_id": key.split("_")[1], "secret_key": key},
                }
            )
        )
        await socket.recv()
        async with house.world.database.connection() as connection:
            await connection.execute(
                "UPDATE api_keys SET revoked_at = now() WHERE id = $1", key.split("_")[1]
            )
        with pytest.raises(ConnectionClosed):
            async with asyncio.timeout(60):
                await socket.recv()
        assert socket.close_code == 4401


async def test_who_comes_back_is_told_the_last_seconds_again(open_house: Any) -> None:
    """Alpaca's own stream loses what happened in between; ours repeats, with the same ids."""
    async with open_house(Surface(replay_seconds=60)) as house:
        async with listening(house) as heard:
            await house.call(house.trading.submit_order, market(500))
            await house.world.let_go()
            await heard.until("fill")
        async with listening(house) as again:
            await again.until("fill")
        # Each as it was then, though the order is over.
        assert [u.model_dump() for u in again.updates] == [u.model_dump() for u in heard.updates]
        assert len({u.order.filled_qty for u in again.updates}) > 3


async def test_without_a_setting_the_past_is_not_told(house: House) -> None:
    order = await house.call(house.trading.submit_order, limit(50))
    await house.world.until(lambda row: row["status"] == "working", str(order.id))
    async with listening(house) as heard:
        await asyncio.sleep(0.4)
    assert heard.updates == []


async def test_the_stream_runs_and_stops_as_its_users_run_it(house: House) -> None:
    """`run()` in a thread, `stop()` from outside: nothing of it is private."""
    updates: list[Any] = []
    stream = TradingStream(house.key_id, house.key, url_override=house.stream_url)

    async def handle(update: Any) -> None:
        updates.append(update)

    stream.subscribe_trade_updates(handle)
    thread = threading.Thread(target=stream.run)
    thread.start()
    deadline = time.monotonic() + 20
    while not updates and time.monotonic() < deadline:
        await house.call(house.trading.submit_order, limit(50))
        await asyncio.sleep(0.2)
    await house.call(stream.stop)
    await house.call(thread.join, 15)
    assert not thread.is_alive()
    assert updates[0].event in (TradeEvent.PENDING_NEW, TradeEvent.NEW)


def authenticate(house: House, secret: str | None = None) -> str:
    pair = {"key_id": house.key_id, "secret_key": secret or house.key}
    return json.dumps({"action": "authenticate", "data": pair})


async def test_an_execution_that_was_void_is_told_so(house: House) -> None:
    order = await house.call(house.trading.submit_order, market(40))
    await house.world.let_go()
    await house.world.done(str(order.id))
    fills = await house.world.fills(str(order.id))
    async with listening(house) as heard:
        last = fills[-1]
        at = from_datetime(order.submitted_at)
        void = Void(last["child_id"], last["execution_id"], at, "a mistake")
        async with house.world.database.transaction() as connection:
            await journal.record(
                connection,
                account="main",
                broker="paper",
                entries=[Entry(str(order.id), [], voids=[void])],
            )
        await heard.until("trade_bust")
    told = heard.updates[-1]
    assert told.execution_id == UUID(execution_id("paper", "main", last["execution_id"]))
    assert told.qty == float(last["qty"])
    assert told.position_qty == 40 - told.qty
    assert float(told.order.filled_qty) == 40 - told.qty


async def test_the_client_comes_back_by_itself_after_its_line_was_cut(house: House) -> None:
    async with listening(house) as heard:
        heard.stream._ws.transport.abort()
        deadline = time.monotonic() + 20
        while not heard.updates and time.monotonic() < deadline:
            await house.call(house.trading.submit_order, limit(50))
            await asyncio.sleep(0.3)
    assert heard.updates
