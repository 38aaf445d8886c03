"""Orders through alpaca-py: entered, found, listed, canceled, and what every status reads as."""

import json
import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
from alpaca.common.enums import Sort
from alpaca.trading.enums import (
    OrderSide,
    OrderStatus,
    OrderType,
    QueryOrderStatus,
    TimeInForce,
)
from alpaca.trading.requests import (
    GetOrdersRequest,
    LimitOrderRequest,
    MarketOrderRequest,
    StopOrderRequest,
    TakeProfitRequest,
)
from hypothesis import given
from hypothesis import strategies as st

from app.api.alpaca.shown import State, status_word
from app.domain import lifecycle
from tests.compat.conftest import House


def market(qty: Any = 50, side: str = "buy", **fields: Any) -> MarketOrderRequest:
    return MarketOrderRequest(
        symbol="ACME", qty=qty, side=OrderSide(side), time_in_force=TimeInForce.DAY, **fields
    )


def limit(price: float, qty: Any = 50, side: str = "buy", **fields: Any) -> LimitOrderRequest:
    return LimitOrderRequest(
        symbol="ACME",
        qty=qty,
        side=OrderSide(side),
        limit_price=price,
        **({"time_in_force": TimeInForce.DAY} | fields),
    )


async def test_a_small_market_order_is_filled(house: House) -> None:
    order = await house.call(house.trading.submit_order, market(client_order_id="first"))
    assert order.status is OrderStatus.PENDING_NEW
    assert (order.qty, order.filled_qty, order.symbol) == ("50", "0", "ACME")
    assert order.type is order.order_type is OrderType.MARKET
    await house.world.let_go()
    done = await house.until(
        lambda: house.trading.get_order_by_id(order.id), lambda o: o.status is OrderStatus.FILLED
    )
    assert done.filled_qty == "50"
    assert Decimal(done.filled_avg_price) > 0
    assert done.filled_at >= done.submitted_at
    row = await house.world.row(str(order.id))
    assert (row["algo"], row["filled"]) == ("market", 50)


async def test_an_order_is_found_by_the_clients_own_id(house: House) -> None:
    order = await house.call(house.trading.submit_order, limit(90, client_order_id="mine-1"))
    found = await house.call(house.trading.get_order_by_client_id, "mine-1")
    assert (found.id, found.limit_price, found.type) == (order.id, "90", OrderType.LIMIT)
    unknown = await house.refused(house.trading.get_order_by_client_id, "nobody's")
    assert (unknown.status_code, unknown.code) == (404, 40410000)
    assert (await house.refused(house.trading.get_order_by_id, uuid.uuid4())).status_code == 404


async def test_floats_are_read_as_the_numbers_they_mean(house: House) -> None:
    """alpaca-py sends 90 * 1.1 as 99.00000000000001, and "12.5" as 12.5."""
    order = await house.call(house.trading.submit_order, limit(90 * 1.1, qty="50"))
    assert (order.limit_price, order.qty) == ("99", "50")
    assert (await house.world.row(str(order.id)))["limit_price"] == 99
    odd = await house.refused(house.trading.submit_order, market(qty=12.5))
    assert (odd.status_code, odd.code) == (422, 42210000)
    assert "multiple of 1" in odd.message


async def test_strings_are_taken_as_well(house: House) -> None:
    body = {"symbol": "ACME", "qty": "50", "side": "buy", "type": "limit", "limit_price": "90.5"}
    answer = await house.call(house.trading.post, "/orders", body | {"time_in_force": "day"})
    assert (answer["qty"], answer["limit_price"]) == ("50", "90.5")


async def test_notional_becomes_a_quantity(house: House) -> None:
    request = MarketOrderRequest(
        symbol="ACME", notional=5_000, side=OrderSide.BUY, time_in_force=TimeInForce.DAY
    )
    order = await house.call(house.trading.submit_order, request)
    assert order.notional == "5000"
    assert 0 < float(order.qty) < 1_000


async def test_the_same_order_again_is_the_order_there_is(house: House) -> None:
    first = await house.call(house.trading.submit_order, market(client_order_id="once"))
    again = await house.call(house.trading.submit_order, market(client_order_id="once"))
    assert again.id == first.id
    other = await house.refused(house.trading.submit_order, market(60, client_order_id="once"))
    assert (other.status_code, other.code) == (422, 40010001)
    assert other.message == "client_order_id must be unique"
    filters = GetOrdersRequest(status=QueryOrderStatus.ALL)
    assert len(await house.call(house.trading.get_orders, filters)) == 1


async def test_lists_are_filtered_and_ordered(house: House) -> None:
    trading = house.trading
    buys = [await house.call(trading.submit_order, limit(90 - n)) for n in range(3)]
    sell = await house.call(trading.submit_order, limit(200, side="sell"))
    await house.call(trading.cancel_order_by_id, buys[0].id)
    await house.world.let_go(Decimal(10))  # Slowly: the others rest until the close.
    gone = await house.until(
        lambda: trading.get_order_by_id(buys[0].id), lambda o: o.status is OrderStatus.CANCELED
    )
    assert gone.canceled_at is not None

    async def ids(**fields: Any) -> list[Any]:
        found = await house.call(trading.get_orders, GetOrdersRequest(**fields))
        return [order.id for order in found]

    still = {buys[1].id, buys[2].id, sell.id}
    assert set(await ids()) == set(await ids(status=QueryOrderStatus.OPEN, nested=True)) == still
    assert await ids(status=QueryOrderStatus.CLOSED) == [buys[0].id]
    assert set(await ids(status=QueryOrderStatus.ALL)) == {buys[0].id} | still
    assert await ids(side=OrderSide.SELL, symbols=["ACME", "ZZZ"]) == [sell.id]
    assert await ids(symbols=["ZZZ"]) == []
    every = await ids(status=QueryOrderStatus.ALL, direction=Sort.ASC)
    assert every == list(reversed(await ids(status=QueryOrderStatus.ALL)))
    hour = timedelta(hours=1)
    assert await ids(status=QueryOrderStatus.ALL, after=sell.submitted_at + hour) == []
    assert await ids(status=QueryOrderStatus.ALL, until=sell.submitted_at - hour) == []


async def test_all_is_canceled_at_once(house: House) -> None:
    trading = house.trading
    orders = [await house.call(trading.submit_order, limit(90 - n)) for n in range(3)]
    for order in orders:
        # What has no child at the broker yet would be over at once.
        await house.world.until(lambda row: row["working"] > 0, str(order.id))
    answers = await house.call(trading.cancel_orders)
    assert {a.id for a in answers} == {o.id for o in orders}
    assert {a.status for a in answers} == {200}
    # And stays so: the market stands.
    await house.until(
        lambda: trading.get_order_by_id(orders[0].id),
        lambda shown: shown.status is OrderStatus.PENDING_CANCEL,
    )
    await house.world.let_go(Decimal(10))
    await house.until(trading.get_orders, lambda found: found == [])


async def test_what_is_over_cannot_be_canceled(house: House) -> None:
    order = await house.call(house.trading.submit_order, market())
    await house.world.let_go()
    await house.world.done(str(order.id))
    error = await house.refused(house.trading.cancel_order_by_id, order.id)
    assert (error.status_code, error.code) == (422, 42210000)


NOT_DONE_HERE: list[tuple[Any, str]] = [
    (
        StopOrderRequest(
            symbol="ACME",
            qty=5,
            side=OrderSide.SELL,
            time_in_force=TimeInForce.DAY,
            stop_price=90,
        ),
        "stop",
    ),
    (
        MarketOrderRequest(symbol="ACME", qty=5, side=OrderSide.BUY, time_in_force=TimeInForce.GTC),
        "gtc",
    ),
    (
        MarketOrderRequest(
            symbol="ACME",
            qty=5,
            side=OrderSide.BUY,
            time_in_force=TimeInForce.DAY,
            order_class="oto",
            take_profit=TakeProfitRequest(limit_price=200),
        ),
        "oto",
    ),
    (market(extended_hours=True), "only limit orders"),
    (limit(90, extended_hours=True, time_in_force=TimeInForce.IOC), "only limit orders"),
    # Taken for plain orders these would make a position that nobody wanted.
    (limit(90, side="sell", position_intent="sell_to_close"), "sell_to_close"),
    (limit(90, side="buy", position_intent="sell_to_open"), "sell_to_open"),
    (limit(90, client_order_id="order of märz"), "ASCII, without spaces"),
]


async def test_what_is_not_done_here_is_refused_by_name(house: House) -> None:
    for request, field in NOT_DONE_HERE:
        error = await house.refused(house.trading.submit_order, request)
        assert (error.status_code, error.code) == (422, 42210000)
        assert field in error.message


async def test_a_limit_order_may_ask_for_extended_hours(house: House) -> None:
    for asked in (True, False):
        order = await house.call(house.trading.submit_order, limit(90, extended_hours=asked))
        assert order.extended_hours is asked


async def test_what_is_not_known_is_left_out_and_named(house: House) -> None:
    body = {"symbol": "ACME", "qty": 5, "side": "buy", "type": "market", "time_in_force": "day"}
    async with house.raw() as raw:
        answer = await raw.post("/orders", json=body | {"subtag": "x", "new_thing": 1})
    assert answer.status_code == 200
    assert answer.headers["x-slipstream-ignored"] == "new_thing, subtag"


async def test_another_accounts_orders_are_not_seen(open_house: Any) -> None:
    async with open_house(accounts=("main=paper", "other=paper")) as house:
        order = await house.call(house.trading.submit_order, limit(90, client_order_id="a"))
        other = house.client(await house.make_key("trade", "read", accounts=["other"]))
        assert (await house.call(other.get_account)).account_number == "other"
        assert await house.call(other.get_orders) == []
        assert (await house.refused(other.get_order_by_id, order.id)).status_code == 404
        assert (await house.refused(other.cancel_order_by_id, order.id)).status_code == 404
        same = await house.call(other.submit_order, limit(90, client_order_id="a"))
        assert same.id != order.id


@given(
    status=st.sampled_from(lifecycle.OrderStatus),
    filled=st.integers(0, 12),
    canceling=st.booleans(),
)
def test_every_state_is_a_word_that_the_client_knows(
    status: lifecycle.OrderStatus, filled: int, canceling: bool
) -> None:
    state = State(status, Decimal(10), Decimal(filled), Decimal(filled * 100), canceling, 0)
    word = OrderStatus(status_word(state))
    over = {OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.REJECTED}
    if status in lifecycle.ORDER_DONE:
        assert word.value == status.value
    elif filled < 10:
        assert word not in over


async def test_a_paused_order_is_suspended_and_resumed(house: House) -> None:
    order = await house.call(house.trading.submit_order, limit(90))
    path = f"{house.url}/orders/{order.id}"
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {house.key}"}) as native:
        assert (await native.post(f"{path}/pause")).status_code == 202
        await house.world.let_go(Decimal(10))
        await house.until(
            lambda: house.trading.get_order_by_id(order.id),
            lambda o: o.status is OrderStatus.SUSPENDED,
        )
        assert (await native.post(f"{path}/resume")).status_code == 202
        await house.until(
            lambda: house.trading.get_order_by_id(order.id), lambda o: o.status is OrderStatus.NEW
        )


async def test_a_number_that_is_none_of_ours_is_refused_not_rounded(house: House) -> None:
    for qty, price in ((1e16, 90), (50, 1e16), (50, 90.001)):
        error = await house.refused(house.trading.submit_order, limit(price, qty=qty))
        assert (error.status_code, error.code) == (422, 42210000)
    async with house.raw() as raw:
        for text in ('"NaN"', "NaN", "-5", "0", "true", '"five"', "null"):
            body = '{"symbol": "ACME", "side": "buy", "type": "market", "time_in_force": "day",'
            answer = await raw.post("/orders", content=f'{body} "qty": {text}}}')
            assert answer.status_code == 422, text
            assert answer.json()["code"] == 42210000


async def test_half_a_character_is_no_failure_of_ours(house: House) -> None:
    body = {"symbol": "ACME", "qty": 5, "side": "buy", "type": "market", "time_in_force": "day"}
    async with house.raw() as raw:
        answer = await raw.post("/orders", content=json.dumps(body | {"order_class": "\ud800"}))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == ["order_class"]


async def test_a_number_of_a_thousand_million_digits_is_never_written_out(house: House) -> None:
    body = '{"symbol": "ACME", "qty": 5, "side": "buy", "type": "market", "time_in_force": "day",'
    async with house.raw() as raw:
        for vast, why in (
            ('"take_profit": {"limit_price": 1e900000}', "is out of range"),
            ('"stop_loss": {"stop_price": 1e900000}', "is out of range"),
            ('"legs": [{"ratio_qty": 1e900000}]', "is out of range"),
            ('"legs": [1e900000]', "valid dictionary"),
            ('"take_profit": {"limit_price": [1e900000]}', "must be a number"),
        ):
            answer = await raw.post("/orders", content=f"{body} {vast}}}")
            assert answer.status_code == 422, vast
            # By its form, before its fingerprint is made; that brackets are not taken comes later.
            assert why in json.dumps(answer.json()["errors"][0]), vast
