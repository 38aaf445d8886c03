"""Positions, and closing them: never twice, never whole where that is too much."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from alpaca.trading.enums import AssetExchange, OrderSide, OrderStatus, PositionSide
from alpaca.trading.requests import ClosePositionRequest

from app.api.alpaca.surface import Surface
from tests.compat.conftest import House
from tests.compat.test_orders import limit, market


async def bought(house: House, qty: int, side: str = "buy") -> Any:
    """A position, by an order that is filled; market time stands still afterwards."""
    order = await house.call(house.trading.submit_order, market(qty, side))
    await house.world.let_go()
    await house.world.done(str(order.id))
    await house.world.hold()
    await asyncio.sleep(0.2)
    return await house.call(house.trading.get_order_by_id, order.id)


async def test_a_position_is_what_fills_made(house: House) -> None:
    assert await house.call(house.trading.get_all_positions) == []
    order = await bought(house, 40)
    position = await house.call(house.trading.get_open_position, "ACME")
    assert (position.symbol, position.qty, position.side) == ("ACME", "40", PositionSide.LONG)
    assert position.exchange is AssetExchange.NYSE
    assert Decimal(position.avg_entry_price) == Decimal(order.filled_avg_price)
    cost = Decimal(position.cost_basis)
    assert cost == pytest.approx(40 * Decimal(order.filled_avg_price), abs=Decimal("0.001"))
    assert Decimal(position.market_value) - cost == Decimal(position.unrealized_pl)
    by_id = await house.call(house.trading.get_open_position, position.asset_id)
    assert by_id.symbol == "ACME"
    account = await house.call(house.trading.get_account)
    fees = Decimal("0.0035") * 40
    assert Decimal(account.cash) == pytest.approx(100_000 - cost - fees, abs=Decimal("0.01"))
    assert account.long_market_value == position.market_value


async def test_a_short_position_is_below_nothing(house: House) -> None:
    await bought(house, 40, "sell")
    [position] = await house.call(house.trading.get_all_positions)
    assert (position.qty, position.side) == ("-40", PositionSide.SHORT)
    assert Decimal(position.cost_basis) < 0
    order = await house.call(house.trading.close_position, "ACME")
    assert (order.side, order.qty) == (OrderSide.BUY, "40")


async def test_no_position_is_a_404(house: House) -> None:
    for call in (house.trading.get_open_position, house.trading.close_position):
        error = await house.refused(call, "ACME")
        assert (error.status_code, error.code) == (404, 40410000)


async def test_a_position_is_closed_whole_or_in_part(house: House) -> None:
    await bought(house, 80)
    trading = house.trading
    half = await house.call(trading.close_position, "ACME", ClosePositionRequest(percentage="50"))
    assert (half.side, half.qty) == (OrderSide.SELL, "40")
    some = await house.call(trading.close_position, "ACME", ClosePositionRequest(qty="10"))
    assert some.qty == "10"
    position = await house.call(trading.get_open_position, "ACME")
    assert position.qty_available == "30"
    error = await house.refused(trading.close_position, "ACME", ClosePositionRequest(qty="31"))
    assert (error.status_code, error.code) == (403, 40310000)
    assert "insufficient qty available" in error.message
    await house.call(trading.close_position, "ACME", ClosePositionRequest(qty="30"))
    await house.world.let_go()
    await house.until(trading.get_all_positions, lambda held: held == [])


async def test_who_closes_twice_closes_once(house: House) -> None:
    """Two at once see the same position; the second would turn it round."""
    await bought(house, 40)
    async with house.raw() as raw:
        answers = await asyncio.gather(*(raw.delete("/positions/ACME") for _ in range(6)))
    ids = {a.json()["id"] for a in answers if a.status_code == 200}
    assert len(ids) == 1
    assert {a.status_code for a in answers} <= {200, 403}
    async with house.raw() as raw:
        assert (await raw.delete("/positions/ACME")).status_code == 403
    await house.world.let_go()
    await house.until(house.trading.get_all_positions, lambda held: held == [])
    await house.world.hold()
    # A second position is another one to close.
    await bought(house, 40)
    again = await house.call(house.trading.close_position, "ACME")
    assert str(again.id) not in ids


async def test_all_are_closed_and_each_is_answered(house: House) -> None:
    await house.world.watch("GLOBEX")
    await bought(house, 40)
    other = await house.call(
        house.trading.post,
        "/orders",
        {"symbol": "GLOBEX", "qty": 30, "side": "buy", "type": "market", "time_in_force": "day"},
    )
    await house.world.let_go()
    await house.world.done(other["id"])
    await house.world.hold()
    resting = await house.call(house.trading.submit_order, limit(900, 40, "sell"))
    answers = await house.call(house.trading.close_all_positions)
    told = {a.symbol: a for a in answers}
    assert (told["ACME"].status, told["GLOBEX"].status) == (403, 200)
    assert told["GLOBEX"].body.qty == "30"
    await house.world.let_go(Decimal(10))
    answers = await house.call(house.trading.close_all_positions, cancel_orders=True)
    await house.world.let_go()
    await house.until(house.trading.get_all_positions, lambda held: held == [])
    canceled = await house.call(house.trading.get_order_by_id, resting.id)
    assert canceled.status is OrderStatus.CANCELED


@pytest.mark.parametrize("refuse", [True, False])
async def test_a_large_position_is_closed_in_parts(open_house: Any, refuse: bool) -> None:
    async with open_house(Surface(refuse_large=refuse)) as house:
        body = {"symbol": "ACME", "qty": 500, "side": "buy", "type": "market"}
        twap = {"advanced_instructions": {"algorithm": "TWAP"}, "time_in_force": "day"}
        order = await house.call(house.trading.post, "/orders", body | twap)
        await house.world.let_go()
        await house.world.done(order["id"])
        client = house.client(await house.make_key("trade", default_algo="market"))
        closing = await house.call(client.close_position, "ACME")
        assert (await house.world.row(str(closing.id)))["algo"] == "twap"


async def test_a_key_that_may_only_cancel_closes_nothing(house: House) -> None:
    await bought(house, 40)
    client = house.client(await house.make_key("read", "cancel"))
    assert (await house.refused(client.close_position, "ACME")).status_code == 403
    assert (await house.refused(client.close_all_positions)).status_code == 403
