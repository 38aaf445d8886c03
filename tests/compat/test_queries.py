"""What stands behind the question mark: nothing of it is passed over."""

from typing import Any

import pytest
from alpaca.data.enums import DataFeed
from alpaca.data.historical import StockHistoricalDataClient
from alpaca.data.requests import StockLatestQuoteRequest

from tests.compat.conftest import House
from tests.compat.test_orders import market

UNKNOWN = [
    ("GET", "/orders", {"asset_class": "crypto"}, "asset_class"),
    ("GET", "/orders", {"after_order_id": "x"}, "after_order_id"),
    ("GET", "/orders:by_client_order_id", {"client_order_id": "x", "nestled": "true"}, "nestled"),
    ("GET", "/account/activities/FILL", {"date": "2026-01-05"}, "date"),
    ("GET", "/assets", {"symbol": "ACME"}, "symbol"),
    ("GET", "/calendar", {"from": "2026-01-05"}, "from"),
    ("DELETE", "/orders", {"symbols": "ACME"}, "symbols"),
    ("DELETE", "/positions", {"symbols": "ACME"}, "symbols"),
    ("DELETE", "/positions/ACME", {"quantity": "1"}, "quantity"),
]


async def test_a_filter_that_nobody_knows_changes_nothing_and_is_named(house: House) -> None:
    """Left out, it would close the whole position and cancel every order."""
    order = await house.call(house.trading.submit_order, market())
    await house.world.let_go()
    await house.until(
        lambda: house.trading.get_order_by_id(order.id), lambda o: o.filled_qty == "50"
    )
    async with house.raw() as raw:
        for method, path, query, name in UNKNOWN:
            answer = await raw.request(method, path, params=query)
            assert answer.status_code == 422, f"{method} {path}"
            assert answer.json()["message"] == f"{name}: unknown field"
    [position] = await house.call(house.trading.get_all_positions)
    assert (position.qty, position.qty_available) == ("50", "50")


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/orders"), ("DELETE", "/positions/ACME"), ("GET", "/clock")]
)
async def test_a_name_that_comes_twice_is_refused(house: House, method: str, path: str) -> None:
    async with house.raw() as raw:
        answer = await raw.request(method, f"{path}?symbols=ACME&symbols=OTHER")
    assert answer.status_code == 422
    assert answer.json()["message"] == "symbols comes twice; several values are separated by commas"


NO_SYMBOL = ["%00", "%F0%9F%92%A9", "A" * 33, "%20ACME"]


@pytest.mark.parametrize("name", NO_SYMBOL)
async def test_what_can_be_no_symbol_is_asked_of_nobody(house: House, name: str) -> None:
    async with house.raw() as raw:
        for method, path in (
            ("GET", "/assets/"),
            ("GET", "/positions/"),
            ("DELETE", "/positions/"),
        ):
            answer = await raw.request(method, path + name)
            assert answer.status_code == 404, path
        assert (await raw.get(f"/stocks/{name}/quotes/latest")).status_code == 404
        latest = await raw.get(f"/stocks/quotes/latest?symbols=ACME,{name}")
        assert list(latest.json()["quotes"]) == ["ACME"]
    async with house.world.database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM watches") == 1


async def test_a_list_of_what_can_be_no_symbol_is_empty_and_not_all(house: House) -> None:
    await house.call(house.trading.submit_order, market())
    async with house.raw() as raw:
        for symbols in (",", "%00", "ZZZ,%00"):
            assert (await raw.get(f"/orders?symbols={symbols}")).json() == []
        assert len((await raw.get("/orders?symbols=ACME,%00")).json()) == 1


async def test_what_clients_say_of_the_feed_is_heard_and_changes_nothing(house: House) -> None:
    data: Any = StockHistoricalDataClient(house.key_id, house.key, url_override=house.base)
    asked = StockLatestQuoteRequest(symbol_or_symbols="ACME", feed=DataFeed.IEX, currency="USD")
    assert "ACME" in await house.call(house.kept(data).get_stock_latest_quote, asked)
