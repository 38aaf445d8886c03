"""Who is let in, how failures are told, and the account, its clock, calendar and assets."""

from datetime import date
from uuid import UUID

import httpx
from alpaca.common.exceptions import APIError
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import AccountStatus, AssetClass, AssetExchange, AssetStatus
from alpaca.trading.requests import GetAssetsRequest, GetCalendarRequest

from tests.compat.conftest import House


async def test_a_key_is_let_in_by_its_id_and_text(house: House) -> None:
    account = await house.call(house.trading.get_account)
    assert account.account_number == "main"
    assert account.status is AccountStatus.ACTIVE
    assert isinstance(account.id, UUID)
    assert (account.cash, account.buying_power, account.equity) == ("100000",) * 3


async def test_an_oauth_token_is_a_key(house: House) -> None:
    client = house.kept(TradingClient(oauth_token=house.key, url_override=house.base))
    assert (await house.call(client.get_account)).account_number == "main"


WRONG_PAIRS = [
    ("{id}", "slip_{id}_wrong"),
    ("PKTEST", "{key}"),
    ("ffffffff", "{key}"),
    ("{id}", "no key at all"),
]


async def test_a_wrong_pair_is_refused_in_the_clients_words(house: House) -> None:
    words = {"id": house.key_id, "key": house.key}
    for key_id, secret in WRONG_PAIRS:
        client = house.kept(
            TradingClient(key_id.format(**words), secret.format(**words), url_override=house.base)
        )
        error = await house.refused(client.get_account)
        assert (error.status_code, error.code) == (401, 40110000)
        assert error.message


async def test_scopes_hold_as_on_the_native_api(house: House) -> None:
    reading = house.client(await house.make_key("read"))
    assert await house.call(reading.get_orders) == []
    error = await house.refused(reading.cancel_orders)
    assert (error.status_code, error.code) == (403, 40310000)
    other = house.client(await house.make_key("read", accounts=["elsewhere"]))
    assert (await house.refused(other.get_account)).status_code == 422


async def test_every_failure_is_json_with_code_and_message(house: House) -> None:
    async with house.raw() as raw:
        for method, path, status in (
            ("GET", "/nowhere", 404),
            ("PUT", "/orders", 405),
            ("GET", "/orders/not-a-uuid", 404),
            ("GET", "/orders?limit=0", 422),
            ("GET", "/watchlists", 404),
            ("GET", "/orders/", 404),  # Not a redirect: the client would take it for an order.
        ):
            answer = await raw.request(method, path)
            assert answer.status_code == status, (method, path, answer.text)
            body = answer.json()
            assert body["code"] == status * 100_000 + 10_000
            assert body["message"]
            # The same body is a problem of RFC 9457.
            assert answer.headers["content-type"] == "application/problem+json"
            assert body["status"] == status
            assert body["type"].startswith("urn:slipstream:problem:")
        broken = await raw.post("/orders", content=b"{")
        assert (broken.status_code, broken.json()["code"]) == (400, 40010000)


async def test_a_slash_too_many_in_the_url_is_an_error_the_client_can_read(house: House) -> None:
    client = house.kept(TradingClient(house.key_id, house.key, url_override=f"{house.base}/"))
    error = await house.refused(client.get_account)
    assert error.status_code == 404
    assert error.message


async def test_nothing_is_ever_redirected(house: House) -> None:
    async with httpx.AsyncClient(follow_redirects=False) as client:
        for path in (
            "/alpaca",
            "/alpaca/",
            "/alpaca/v2",
            "/alpaca/v2/orders/",
            "/alpaca//v2/clock",
        ):
            answer = await client.get(house.url + path)
            assert answer.status_code in (401, 404), path


async def test_the_clock_is_market_time_with_the_next_open_and_close(house: House) -> None:
    clock = await house.call(house.trading.get_clock)
    assert clock.timestamp < clock.next_close
    assert clock.next_open > clock.timestamp
    native = (await _native(house, "/clock"))["now"]
    assert clock.timestamp.isoformat().startswith(native[:19])


async def test_the_calendar_is_in_the_markets_own_time(house: House) -> None:
    filters = GetCalendarRequest(start=date(2026, 11, 25), end=date(2026, 11, 30))
    days = await house.call(house.trading.get_calendar, filters)
    assert [(d.date.day, d.open.strftime("%H:%M"), d.close.strftime("%H:%M")) for d in days] == [
        (25, "09:30", "16:00"),
        (27, "09:30", "13:00"),
        (30, "09:30", "16:00"),
    ]
    assert len(await house.call(house.trading.get_calendar)) > 400


async def test_assets_are_what_the_feed_knows(house: House) -> None:
    asset = await house.call(house.trading.get_asset, "ACME")
    assert (asset.symbol, asset.status, asset.asset_class) == (
        "ACME",
        AssetStatus.ACTIVE,
        AssetClass.US_EQUITY,
    )
    assert (asset.exchange, asset.tradable, asset.fractionable) == (AssetExchange.NYSE, True, False)
    assert (await house.call(house.trading.get_asset, asset.id)).symbol == "ACME"
    listed = await house.call(house.trading.get_all_assets)
    assert [a.symbol for a in listed] == ["ACME"]
    none = GetAssetsRequest(asset_class=AssetClass.CRYPTO)
    assert await house.call(house.trading.get_all_assets, none) == []


async def test_a_symbol_with_a_slash_arrives_raw(house: House) -> None:
    """alpaca-py does not quote it: the route must take the whole path."""
    unknown = await house.refused(house.trading.get_asset, "BTC/USD")
    assert (unknown.status_code, unknown.message) == (404, "asset not found for BTC/USD")
    async with house.world.database.connection() as connection:
        await connection.execute(
            "INSERT INTO instruments VALUES ('BTC/USD', 0.01, 0.0001, 0.0001, '24/7', 'USD')"
        )
    asset = await house.call(house.trading.get_asset, "BTC/USD")
    assert (asset.asset_class, asset.exchange) == (AssetClass.CRYPTO, AssetExchange.CRYPTO)
    assert asset.fractionable
    assert (await house.call(house.trading.get_asset, asset.id)).symbol == "BTC/USD"


async def _native(house: House, path: str) -> dict[str, str]:
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {house.key}"}) as client:
        found: dict[str, str] = (await client.get(house.url + path)).json()
        return found


async def test_the_page_of_the_surface_is_its_own(house: House) -> None:
    async with httpx.AsyncClient(base_url=house.url) as client:
        page = await client.get("/alpaca/docs")
        assert page.status_code == 200
        assert "/alpaca/openapi.json" in page.text
        schema = (await client.get("/alpaca/openapi.json")).json()
        assert "/v2/orders" in schema["paths"]
        assert set(schema["components"]["securitySchemes"]) == {"id", "secret"}
        native = (await client.get("/openapi.json")).json()
    assert not [path for path in native["paths"] if path.startswith("/alpaca")]


def test_the_error_is_the_clients_own() -> None:
    assert APIError.__module__ == "alpaca.common.exceptions"


async def test_configurations_are_shown_and_not_changed(house: House) -> None:
    found = await house.call(house.trading.get_account_configurations)
    assert found.suspend_trade is False
    error = await house.refused(house.trading.set_account_configurations, found)
    assert (error.status_code, error.code) == (405, 40510000)
