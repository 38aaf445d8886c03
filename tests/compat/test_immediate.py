"""Immediate orders and the list of executions: what an execution server asks of its broker."""

from typing import Any

from alpaca.trading.enums import OrderSide, OrderStatus, TimeInForce
from alpaca.trading.requests import LimitOrderRequest

from app.domain.instant import SECOND, from_datetime
from tests.compat.conftest import House
from tests.compat.listening import listening
from tests.compat.test_orders import market


def immediate(price: float, qty: int = 50, **fields: Any) -> LimitOrderRequest:
    return LimitOrderRequest(
        symbol="ACME",
        qty=qty,
        side=OrderSide.BUY,
        time_in_force=TimeInForce.IOC,
        limit_price=price,
        **fields,
    )


async def test_an_immediate_order_is_done_at_once_or_canceled(house: House) -> None:
    async with listening(house) as heard:
        good = await house.call(house.trading.submit_order, immediate(500))
        vain = await house.call(house.trading.submit_order, immediate(50))
        assert good.time_in_force is TimeInForce.IOC
        await house.world.let_go()
        await heard.until("fill", "canceled")
    done = await house.call(house.trading.get_order_by_id, good.id)
    assert (done.status, done.filled_qty) == (OrderStatus.FILLED, "50")
    left = await house.call(house.trading.get_order_by_id, vain.id)
    assert (left.status, left.filled_qty) == (OrderStatus.CANCELED, "0")
    assert left.canceled_at is not None
    assert left.canceled_at.timestamp() - left.submitted_at.timestamp() < 3
    row = await house.world.row(str(vain.id))
    assert row["end_at"] - row["start_at"] == 2 * SECOND


async def test_a_large_immediate_order_cannot_be_worked_in_parts(house: House) -> None:
    error = await house.refused(house.trading.submit_order, immediate(500, qty=500))
    assert (error.status_code, error.code) == (422, 42210000)
    body = immediate(50).to_request_fields() | {"advanced_instructions": {"algorithm": "TWAP"}}
    error = await house.refused(house.trading.post, "/orders", body)
    assert "ioc" in error.message
    # One that takes nothing now is let in, and ends without a fill.
    await house.call(house.trading.submit_order, immediate(50, qty=500))


async def test_executions_are_listed_page_by_page_with_the_streams_ids(house: House) -> None:
    async with listening(house) as heard:
        order = await house.call(house.trading.submit_order, market(500))
        await house.world.let_go()
        await heard.until("fill")
    path = "/account/activities/FILL"
    told = await house.call(house.trading.get, path, {"direction": "asc"})
    streamed = [u for u in heard.updates if u.execution_id is not None]
    assert [row["id"].split("::")[1] for row in told] == [str(u.execution_id) for u in streamed]
    assert [float(row["cum_qty"]) for row in told] == [float(u.order.filled_qty) for u in streamed]
    assert {row["order_id"] for row in told} == {str(order.id)}
    assert [row["type"] for row in told][-1] == "fill"
    assert {row["type"] for row in told[:-1]} == {"partial_fill"}
    for direction in ("asc", "desc"):
        paged: list[Any] = []
        query: dict[str, Any] = {"direction": direction, "page_size": 3}
        while page := await house.call(house.trading.get, path, query):
            assert len(page) <= 3
            paged += page
            query["page_token"] = page[-1]["id"]
        assert paged == (told if direction == "asc" else told[::-1])
    middle = told[4]["transaction_time"]
    later = await house.call(house.trading.get, path, {"direction": "asc", "after": middle})
    assert later == told[5:]
    earlier = await house.call(house.trading.get, path, {"direction": "asc", "until": middle})
    assert earlier == told[:4]
    every = await house.call(house.trading.get, "/account/activities", {"activity_types": "DIV"})
    assert every == []
    wrong = await house.refused(house.trading.get, path, {"page_token": "nothing"})
    assert wrong.status_code == 422


async def test_many_executions_of_one_moment_are_each_listed_once(house: House) -> None:
    order = await house.call(house.trading.submit_order, market(500))
    await house.world.let_go()
    await house.world.done(str(order.id))
    moment = from_datetime(order.submitted_at)
    async with house.world.database.connection() as connection:
        await connection.execute("UPDATE fills SET at = $1", moment)
        count = await connection.fetchval("SELECT count(*) FROM fills")
    for direction in ("asc", "desc"):
        names: list[str] = []
        query: dict[str, Any] = {"direction": direction, "page_size": 2}
        while page := await house.call(house.trading.get, "/account/activities/FILL", query):
            names += [row["id"] for row in page]
            query["page_token"] = names[-1]
        assert len(names) == len(set(names)) == count


async def test_a_void_execution_is_listed_once_more(house: House) -> None:
    order = await house.call(house.trading.submit_order, market(40))
    await house.world.let_go()
    await house.world.done(str(order.id))
    async with house.world.database.connection() as connection:
        await connection.execute("UPDATE fills SET busted_at = at + interval '1 second'")
    told = await house.call(house.trading.get, "/account/activities/FILL", {"direction": "asc"})
    fills = [row for row in told if row["type"] != "trade_bust"]
    busts = [row for row in told if row["type"] == "trade_bust"]
    assert [b["previous_execution_id"] for b in busts] == [f["id"].split("::")[1] for f in fills]
