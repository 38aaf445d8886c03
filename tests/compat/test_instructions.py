"""advanced_instructions on POST and PATCH, by the typed helper and as clients write them."""

import importlib.util
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from alpaca.trading.enums import OrderSide, OrderStatus, TimeInForce
from alpaca.trading.requests import MarketOrderRequest, ReplaceOrderRequest

from app.domain.instant import from_datetime
from tests.compat.conftest import House
from tests.compat.test_orders import market

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


def helper() -> Any:
    """The file that users copy."""
    spec = importlib.util.spec_from_file_location("algo_orders", EXAMPLES / "algo_orders.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


algo_orders = helper()


def worked(algorithm: str, qty: int = 500, **fields: Any) -> Any:
    return algo_orders.AlgoMarketOrderRequest(
        symbol="ACME",
        qty=qty,
        side=OrderSide.BUY,
        time_in_force=TimeInForce.DAY,
        advanced_instructions={"algorithm": algorithm, **fields},
    )


async def test_a_vwap_order_is_worked_as_it_says(house: House) -> None:
    now = (await house.call(house.trading.get_clock)).timestamp
    start, end = now + timedelta(minutes=10), now + timedelta(minutes=70)
    request = worked(
        "VWAP",
        start_time=start,
        end_time=end,
        max_percentage=Decimal("0.125"),
        params={"slices": 6},
    )
    order = await house.call(house.trading.submit_order, request)
    row = await house.world.row(str(order.id))
    assert (row["algo"], row["asked_algo"]) == ("vwap", "vwap")
    assert (row["start_at"], row["end_at"]) == (from_datetime(start), from_datetime(end))
    assert row["max_participation"] == Decimal("0.125")
    assert row["params"]["slices"] == 6
    raw = await house.call(house.trading.get, f"/orders/{order.id}")
    told = raw["advanced_instructions"]
    assert (told["algorithm"], told["max_percentage"]) == ("VWAP", "0.125")
    await house.until(
        lambda: house.trading.get_order_by_id(order.id), lambda o: o.status is OrderStatus.ACCEPTED
    )
    await house.world.let_go()
    done = await house.world.done(str(order.id))
    assert done["filled"] == 500
    children = await house.world.children(str(order.id))
    assert len(children) >= 6


async def test_every_algorithm_has_its_name(house: House) -> None:
    names = {"TWAP": "twap", "VWAP": "vwap", "DMA": "market", "twap": "twap", "AUTO": "twap"}
    for algorithm, algo in names.items():
        order = await house.call(house.trading.submit_order, worked(algorithm))
        assert (await house.world.row(str(order.id)))["algo"] == algo


async def test_without_an_end_it_lasts_until_the_close(house: House) -> None:
    clock = await house.call(house.trading.get_clock)
    order = await house.call(house.trading.submit_order, worked("TWAP"))
    assert order.expires_at == clock.next_close


async def test_a_limit_bounds_every_child(house: House) -> None:
    for told, algo in (
        ({"algorithm": "TWAP"}, "twap"),
        ({"algorithm": "DMA", "display_qty": 100}, "limit"),
    ):
        request = algo_orders.AlgoLimitOrderRequest(
            symbol="ACME",
            qty=500,
            side=OrderSide.BUY,
            time_in_force=TimeInForce.DAY,
            limit_price=500,
            advanced_instructions=told,
        )
        order = await house.call(house.trading.submit_order, request)
        row = await house.world.row(str(order.id))
        assert (row["algo"], row["limit_price"]) == (algo, 500)
    assert row["params"]["max_child"] == "100"


CANNOT_BE_FOLLOWED: list[tuple[dict[str, Any], str]] = [
    ({"algorithm": "MAGIC"}, "no algorithm 'MAGIC'"),
    ({"algorithm": "TWAP", "max_percentage": "1.5"}, "between 0 and 1"),
    ({"algorithm": "TWAP", "max_percentage": "0"}, "between 0 and 1"),
    ({"algorithm": "TWAP", "params": {"slicez": 4}}, "no parameter 'slicez'"),
    ({"algorithm": "TWAP", "end_tim": "2030-01-01T00:00:00Z"}, "unknown field"),
    ({"algorithm": "TWAP", "end_time": "2001-01-01T00:00:00Z"}, "must end after"),
    ({}, "algorithm"),
]


async def test_instructions_that_cannot_be_followed_are_refused(house: House) -> None:
    """A word that is passed over would send the order whole."""
    for fields, words in CANNOT_BE_FOLLOWED:
        body = market(500).to_request_fields() | {"advanced_instructions": fields}
        error = await house.refused(house.trading.post, "/orders", body)
        assert (error.status_code, error.code) == (422, 42210000)
        assert words in error.message
    assert await house.call(house.trading.get_orders) == []


async def test_a_destination_is_taken_and_named_as_left_out(house: House) -> None:
    told = {"algorithm": "DMA", "destination": "NYSE"}
    async with house.raw() as raw:
        answer = await raw.post(
            "/orders",
            json={
                "symbol": "ACME",
                "qty": 10,
                "side": "buy",
                "type": "market",
                "time_in_force": "day",
                "advanced_instructions": told,
            },
        )
    assert answer.status_code == 200
    assert answer.headers["x-slipstream-ignored"] == "advanced_instructions.destination"


async def test_the_client_drops_what_it_does_not_know_and_the_guard_holds(house: House) -> None:
    """alpaca-py leaves `advanced_instructions` out of a plain request, without a sign."""
    request = MarketOrderRequest(
        symbol="ACME",
        qty=500,
        side=OrderSide.BUY,
        time_in_force=TimeInForce.DAY,
        advanced_instructions={"algorithm": "VWAP"},
    )
    assert "advanced_instructions" not in request.to_request_fields()
    order = await house.call(house.trading.submit_order, request)
    assert (await house.world.row(str(order.id)))["algo"] == "twap"


async def test_instructions_are_changed_in_flight(house: House) -> None:
    order = await house.call(house.trading.submit_order, worked("VWAP"))
    end = order.expires_at - timedelta(hours=2)
    change = algo_orders.AlgoReplaceOrderRequest(
        advanced_instructions={
            "end_time": end,
            "max_percentage": 0.2,
            "display_qty": 100,
            "params": {"placement": "cross"},
        }
    )
    new = await house.call(house.trading.replace_order_by_id, order.id, change)
    assert (new.expires_at, new.replaces) == (end, order.id)
    row = await house.world.row(str(order.id))
    assert (row["end_at"], row["max_participation"]) == (from_datetime(end), Decimal("0.2"))
    assert (row["params"]["placement"], Decimal(row["params"]["max_child"])) == ("cross", 100)
    old = await house.call(house.trading.get, f"/orders/{order.id}")
    assert old["advanced_instructions"]["max_percentage"] is None
    assert old["expires_at"].startswith(order.expires_at.strftime("%Y-%m-%dT%H:%M"))


CANNOT_BE_CHANGED: list[tuple[dict[str, Any], str]] = [
    ({"advanced_instructions": {"algorithm": "TWAP"}}, "cannot be changed"),
    ({"advanced_instructions": {"start_time": "2030-01-01T00:00:00Z"}}, "cannot be changed"),
    ({"advanced_instructions": {"params": {"slices": 3}}}, "cannot be changed"),
    ({"stop_price": 5}, "not worked here"),
    ({"time_in_force": "gtc"}, "for the day"),
    ({}, "at least one"),
]


async def test_what_cannot_be_changed_is_refused(house: House) -> None:
    order = await house.call(house.trading.submit_order, worked("VWAP"))
    for change, words in CANNOT_BE_CHANGED:
        error = await house.refused(house.trading.patch, f"/orders/{order.id}", change)
        assert (error.status_code, error.code) == (422, 42210000)
        assert words in error.message


async def test_the_same_algorithm_may_be_said_again(house: House) -> None:
    order = await house.call(house.trading.submit_order, worked("VWAP"))
    change = {"qty": 600, "advanced_instructions": {"algorithm": "VWAP", "destination": "NYSE"}}
    async with house.raw() as raw:
        said = await raw.patch(f"/orders/{order.id}", json=change)
    assert said.headers["x-slipstream-ignored"] == "advanced_instructions.destination"
    answer = said.json()
    assert answer["qty"] == "600"
    again = ReplaceOrderRequest(qty=700)
    await house.call(house.trading.replace_order_by_id, answer["id"], again)


def test_the_helper_refuses_a_word_that_it_does_not_know() -> None:
    with pytest.raises(ValueError, match="max_percent"):
        worked("VWAP", max_percent=0.1)
