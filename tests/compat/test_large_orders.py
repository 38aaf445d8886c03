"""A plain order that is large is never sent whole: routed, or refused by policy."""

import asyncio
from typing import Any

import httpx
import pytest
from alpaca.trading.enums import OrderStatus

from app.api.alpaca.surface import Surface
from app.engine.told import REMEMBER_SECONDS
from tests.compat.conftest import House
from tests.compat.test_orders import limit, market


async def algo_of(house: House, order: Any) -> tuple[str, str]:
    row = await house.world.row(str(order.id))
    return row["algo"], row["asked_algo"]


async def thin(house: House) -> None:
    """The symbol hardly trades any more."""
    async with house.world.database.connection() as connection:
        await connection.execute("UPDATE watches SET daily_volume = 100")
    await asyncio.sleep(2 * REMEMBER_SECONDS)


@pytest.mark.parametrize(("qty", "algo"), [(10, "market"), (500, "twap")])
async def test_a_plain_market_order_is_routed_by_its_size(
    house: House, qty: int, algo: str
) -> None:
    order = await house.call(house.trading.submit_order, market(qty))
    assert await algo_of(house, order) == (algo, "auto")


async def test_a_large_market_order_is_worked_in_parts(house: House) -> None:
    order = await house.call(house.trading.submit_order, market(500))
    await house.world.let_go()
    await house.until(
        lambda: house.trading.get_order_by_id(order.id), lambda o: o.status is OrderStatus.FILLED
    )
    children = await house.world.children(str(order.id))
    assert len(children) >= 5
    assert max(int(c["qty"]) for c in children) < 250


@pytest.mark.parametrize("qty", [10, 500])
async def test_the_keys_own_algorithm_works_its_plain_orders(house: House, qty: int) -> None:
    client = house.client(await house.make_key("trade", "read", default_algo="vwap"))
    order = await house.call(client.submit_order, market(qty))
    assert await algo_of(house, order) == ("vwap", "vwap")


async def test_a_key_that_would_send_it_whole_is_refused(house: House) -> None:
    client = house.client(await house.make_key("trade", "read", default_algo="market"))
    small = await house.call(client.submit_order, market(10))
    assert await algo_of(house, small) == ("market", "market")
    error = await house.refused(client.submit_order, market(500))
    assert (error.status_code, error.code) == (422, 42210000)
    assert "too large to be sent whole" in error.message
    assert await house.call(client.get_orders) != []


async def test_by_policy_every_large_order_is_refused(open_house: Any) -> None:
    async with open_house(Surface(refuse_large=True)) as house:
        await house.call(house.trading.submit_order, market(10))
        assert (await house.refused(house.trading.submit_order, market(500))).status_code == 422
        # A key that names its algorithm has said how.
        client = house.client(await house.make_key("trade", default_algo="vwap"))
        order = await house.call(client.submit_order, market(500))
        assert await algo_of(house, order) == ("vwap", "vwap")


async def test_what_was_accepted_once_is_answered_though_it_is_large_by_now(
    open_house: Any,
) -> None:
    async with open_house(Surface(refuse_large=True)) as house:
        request = market(90, client_order_id="grows")
        first = await house.call(house.trading.submit_order, request)
        await thin(house)
        other = await house.refused(house.trading.submit_order, market(91))
        assert other.status_code == 422
        assert (await house.call(house.trading.submit_order, request)).id == first.id


async def test_a_large_share_of_the_volume_is_large_whatever_it_costs(house: House) -> None:
    await thin(house)
    order = await house.call(house.trading.submit_order, market(10))
    assert await algo_of(house, order) == ("twap", "twap")


async def test_a_large_limit_order_that_would_cross_at_once_is_routed_too(house: House) -> None:
    resting = await house.call(house.trading.submit_order, limit(50, qty=500))
    assert await algo_of(house, resting) == ("limit", "limit")
    crossing = await house.call(house.trading.submit_order, limit(500, qty=500))
    assert await algo_of(house, crossing) == ("twap", "auto")
    assert crossing.limit_price == "500"
    small = await house.call(house.trading.submit_order, limit(500, qty=10))
    assert await algo_of(house, small) == ("limit", "limit")


@pytest.mark.parametrize("algo", ["limit", "magic"])
async def test_a_key_is_not_made_with_an_algorithm_that_cannot_work_its_orders(
    house: House, algo: str
) -> None:
    headers = {"Authorization": f"Bearer {house.key}"}
    body = {"name": "x", "scopes": ["trade"], "default_algo": algo}
    async with httpx.AsyncClient(headers=headers) as native:
        answer = await native.post(f"{house.url}/keys", json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "unknown_algorithm")
        good = await native.post(f"{house.url}/keys", json=body | {"default_algo": "vwap"})
        assert (good.status_code, good.json()["default_algo"]) == (201, "vwap")


async def test_limits_and_kill_switches_are_a_403(open_house: Any) -> None:
    async with open_house(max_order_qty=100) as house:
        error = await house.refused(house.trading.submit_order, market(101))
        assert (error.status_code, error.code) == (403, 40310000)
        body = {"scope": "symbol", "name": "ACME", "reason": "news pending"}
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {house.key}"}) as native:
            answer = await native.post(f"{house.url}/risk/kill-switches", json=body)
            assert answer.is_success, answer.text
        error = await house.refused(house.trading.submit_order, market(10))
        assert (error.status_code, error.code) == (403, 40310000)
        assert "news pending" in error.message
