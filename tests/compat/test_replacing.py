"""Replacing: a new id for each revision, and the old ones as Alpaca has them."""

import asyncio
from decimal import Decimal
from typing import Any
from uuid import uuid4

import httpx
from alpaca.trading.enums import OrderStatus, QueryOrderStatus
from alpaca.trading.requests import GetOrdersRequest, ReplaceOrderRequest

from tests.compat.conftest import House
from tests.compat.listening import listening
from tests.compat.test_orders import limit, market


async def replaced(house: House, order: Any, **fields: Any) -> Any:
    request = ReplaceOrderRequest(**fields)
    return await house.call(house.trading.replace_order_by_id, order.id, request)


async def test_a_replacement_is_a_new_order_to_the_client_and_one_to_us(house: House) -> None:
    first = await house.call(house.trading.submit_order, limit(50, client_order_id="one"))
    second = await replaced(house, first, qty=60, limit_price=51.5, client_order_id="two")
    third = await replaced(house, second, limit_price=52)
    assert len({first.id, second.id, third.id}) == 3
    assert (second.qty, second.limit_price, second.replaces) == ("60", "51.5", first.id)
    assert (third.qty, third.limit_price, third.replaces) == ("60", "52", second.id)
    assert third.client_order_id == str(third.id)
    old = await house.call(house.trading.get_order_by_id, first.id)
    assert (old.status, old.replaced_by) == (OrderStatus.REPLACED, second.id)
    assert (old.qty, old.limit_price, old.client_order_id) == ("50", "50", "one")
    assert old.replaced_at is not None
    middle = await house.call(house.trading.get_order_by_client_id, "two")
    assert (middle.status, middle.replaces) == (OrderStatus.REPLACED, first.id)
    assert (middle.replaced_by, middle.limit_price) == (third.id, "51.5")
    # One order of ours, amended twice.
    row = await house.world.row(str(first.id))
    assert (row["qty"], row["limit_price"]) == (60, 52)
    async with house.world.database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM orders") == 1


async def test_lists_show_the_newest_as_open_and_the_others_as_closed(house: House) -> None:
    first = await house.call(house.trading.submit_order, limit(50))
    second = await replaced(house, first, qty=60)
    third = await replaced(house, second, qty=70)

    async def ids(status: QueryOrderStatus) -> set[Any]:
        found = await house.call(house.trading.get_orders, GetOrdersRequest(status=status))
        return {order.id for order in found}

    assert await ids(QueryOrderStatus.OPEN) == {third.id}
    assert await ids(QueryOrderStatus.CLOSED) == {first.id, second.id}
    assert await ids(QueryOrderStatus.ALL) == {first.id, second.id, third.id}
    canceled = await house.call(house.trading.cancel_orders)
    assert [answer.id for answer in canceled] == [third.id]


async def test_an_old_id_is_neither_canceled_nor_replaced_again(house: House) -> None:
    first = await house.call(house.trading.submit_order, limit(50))
    second = await replaced(house, first, qty=60)
    for call, *arguments in (
        (house.trading.cancel_order_by_id, first.id),
        (house.trading.replace_order_by_id, first.id, ReplaceOrderRequest(qty=70)),
    ):
        error = await house.refused(call, *arguments)
        assert (error.status_code, error.code) == (422, 42210000)
        assert str(second.id) in error.message
    await house.call(house.trading.cancel_order_by_id, second.id)
    shown = await house.call(house.trading.get_order_by_id, second.id)
    assert shown.status is OrderStatus.PENDING_CANCEL
    old = await house.call(house.trading.get_order_by_id, first.id)
    assert old.status is OrderStatus.REPLACED


async def test_one_of_two_replacements_at_once_wins(house: House) -> None:
    first = await house.call(house.trading.submit_order, limit(50))
    async with house.raw() as raw:
        answers = await asyncio.gather(
            *(raw.patch(f"/orders/{first.id}", json={"qty": qty}) for qty in (60, 70, 80, 90))
        )
    assert sorted(a.status_code for a in answers) == [200, 422, 422, 422]
    assert {a.json()["reason"] for a in answers if a.status_code == 422} == {"order_replaced"}
    won = next(a.json() for a in answers if a.status_code == 200)
    assert (await house.world.row(str(first.id)))["qty"] == Decimal(won["qty"])


async def test_a_clients_id_stands_for_one_order(house: House) -> None:
    first = await house.call(house.trading.submit_order, limit(50, client_order_id="one"))
    await house.call(house.trading.submit_order, limit(50, client_order_id="other"))
    for taken in ("one", "other"):
        request = ReplaceOrderRequest(qty=60, client_order_id=taken)
        error = await house.refused(house.trading.replace_order_by_id, first.id, request)
        assert (error.status_code, error.code) == (422, 40010001)
    await replaced(house, first, qty=60, client_order_id="two")
    error = await house.refused(house.trading.submit_order, limit(50, client_order_id="two"))
    assert (error.status_code, error.code) == (422, 40010001)
    # A refused replacement leaves no name behind.
    assert (await house.world.row(str(first.id)))["qty"] == 60


async def test_the_first_order_sent_again_is_answered_by_its_present_name(house: House) -> None:
    request = limit(50, client_order_id="one")
    first = await house.call(house.trading.submit_order, request)
    second = await replaced(house, first, qty=60)
    again = await house.call(house.trading.submit_order, request)
    assert (again.id, again.qty) == (second.id, "60")


async def test_a_replacement_that_cannot_be_is_refused(house: House) -> None:
    order = await house.call(house.trading.submit_order, market())
    await house.world.let_go()
    await house.world.done(str(order.id))
    over = await house.refused(
        house.trading.replace_order_by_id, order.id, ReplaceOrderRequest(qty=60)
    )
    assert (over.status_code, over.code) == (422, 42210000)
    missing = await house.refused(
        house.trading.replace_order_by_id, uuid4(), ReplaceOrderRequest(qty=60)
    )
    assert missing.status_code == 404
    async with house.world.database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM order_revisions") == 0


async def test_a_partly_filled_order_goes_on_under_its_new_name(house: House) -> None:
    order = await house.call(house.trading.submit_order, market(500))
    await house.world.let_go(Decimal(60))
    await house.world.until(lambda row: row["filled"] > 0, str(order.id))
    async with listening(house) as heard:
        new = await replaced(house, order, qty=600)
        await house.world.let_go()
        await heard.until("replaced", "fill")
    old = await house.call(house.trading.get_order_by_id, order.id)
    assert old.status is OrderStatus.REPLACED
    assert 0 < float(old.filled_qty) < 500
    assert old.filled_avg_price is not None
    done = await house.call(house.trading.get_order_by_id, new.id)
    assert (done.status, done.filled_qty, done.qty) == (OrderStatus.FILLED, "600", "600")
    # The old name is told replaced, and everything after it belongs to the new one.
    place = heard.events.index("replaced")
    assert heard.updates[place].order.id == order.id
    assert heard.updates[place].order.replaced_by == new.id
    assert heard.events[place + 1] == "new"
    assert {u.order.id for u in heard.updates[place + 1 :]} == {new.id}
    assert {u.order.id for u in heard.updates[:place]} <= {order.id}


async def test_an_amendment_from_elsewhere_is_told_as_restated(house: House) -> None:
    order = await house.call(house.trading.submit_order, limit(50))
    await house.world.until(lambda row: row["status"] == "working", str(order.id))
    path = f"{house.url}/orders/{order.id}"
    async with (
        listening(house) as heard,
        httpx.AsyncClient(headers={"Authorization": f"Bearer {house.key}"}) as native,
    ):
        # The worker may still be at it: a version that is not the newest is refused.
        answer = None
        while answer is None or answer.status_code == 412:
            tag = (await native.get(path)).headers["etag"]
            answer = await native.patch(path, json={"qty": "70"}, headers={"If-Match": tag})
        assert answer.status_code == 200
        await heard.until("restated")
    assert heard.updates[-1].order.id == order.id
    assert heard.updates[-1].order.qty == "70"


async def test_what_was_removed_takes_its_names_along(house: House) -> None:
    first = await house.call(house.trading.submit_order, limit(50))
    await replaced(house, first, qty=60)
    await at_rest(house, 60)
    async with house.world.database.transaction() as connection:
        await connection.execute("DELETE FROM children")
        await connection.execute("DELETE FROM orders")
        assert await connection.fetchval("SELECT count(*) FROM order_revisions") == 0


async def at_rest(house: House, qty: int) -> None:
    """Until all of the order is at the broker: then nothing is decided any more."""
    working = "SELECT sum(qty) FROM children WHERE status IN ('sent', 'working')"
    async with asyncio.timeout(60), house.world.database.connection() as connection:
        while await connection.fetchval(working) != qty:
            await asyncio.sleep(0.02)
