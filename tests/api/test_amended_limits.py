"""Limits and orders that are changed while they are worked."""

import asyncio
from decimal import Decimal
from typing import Any

import httpx
import pytest

from app.api.app import create_api
from app.engine.service import Service
from tests.api.conftest import MakeKey, client_for, open_service
from tests.api.test_limits import enter, put


async def entered(client: httpx.AsyncClient, **fields: Any) -> str:
    answer = await enter(client, **fields)
    assert answer.status_code == 202, answer.text
    return f"/orders/{answer.json()['id']}"


async def amend(client: httpx.AsyncClient, path: str, **fields: Any) -> httpx.Response:
    tag = (await client.get(path)).headers["etag"]
    return await client.patch(path, json=fields, headers={"If-Match": tag})


async def kept(service: Service) -> dict[str, Any]:
    async with service.database.connection() as connection:
        row = await connection.fetchrow("SELECT qty, confirmed, limits_version, value FROM orders")
    assert row is not None
    return dict(row)


async def test_an_amendment_meets_the_same_limits(client: httpx.AsyncClient) -> None:
    path = await entered(client, qty="500")
    await put(client, "max_position_qty", hard="800")
    await put(client, "max_open_orders", hard="1")
    assert (await amend(client, path, qty="801")).json()["code"] == "risk.max_position_qty"
    assert (await amend(client, path, qty="800")).status_code == 200
    await put(client, "max_order_notional", hard="80000")
    dearer = await amend(client, path, limit_price="100.50")
    assert dearer.json()["code"] == "risk.max_order_notional"
    assert (await amend(client, path, qty="700")).status_code == 200


@pytest.mark.parametrize("kind", ["hard", "soft"])
@pytest.mark.parametrize(
    ("limit", "bound"),
    [("max_order_qty", "100"), ("max_order_notional", "10000"), ("max_daily_share", "0.00000001")],
)
async def test_an_order_may_become_smaller_however_little_is_allowed_by_now(
    client: httpx.AsyncClient, limit: str, bound: str, kind: str
) -> None:
    path = await entered(client, qty="500", limit_price="100.10")
    assert (await put(client, limit, **{kind: bound})).status_code == 200
    code = f"risk.{limit}" if kind == "hard" else "risk.confirmation_needed"
    assert (await enter(client, qty="499")).json()["code"] == code
    larger = await amend(client, path, qty="501")
    assert larger.json()["code"] == code, larger.text
    for fields in ({"qty": "400"}, {"limit_price": "100.00"}, {"qty": "399"}):
        smaller = await amend(client, path, **fields)
        assert smaller.status_code == 200, smaller.text
    assert (await amend(client, path, qty="400")).json()["code"] == code
    assert (await client.get(path)).json()["qty"] == "399"


async def test_smaller_and_dearer_is_no_smaller_for_what_counts_money(
    client: httpx.AsyncClient,
) -> None:
    path = await entered(client, qty="500", limit_price="100.10")
    await put(client, "max_order_notional", hard="10000")
    dearer = await amend(client, path, qty="499", limit_price="101.00")
    assert dearer.json()["code"] == "risk.max_order_notional"
    assert (await amend(client, path, qty="490", limit_price="101.00")).status_code == 200


async def test_what_came_on_the_restricted_list_may_only_become_less(
    client: httpx.AsyncClient,
) -> None:
    path = await entered(client, qty="500", limit_price="100.10")
    await put(client, "restricted", scope="symbol", name="ACME", hard="1")
    for fields in ({"qty": "501"}, {"limit_price": "100.11"}, {"qty": "9", "limit_price": "100.2"}):
        assert (await amend(client, path, **fields)).json()["code"] == "risk.restricted", fields
    assert (await amend(client, path, qty="400", limit_price="100.05")).status_code == 200


async def test_what_nobody_knows_any_more_keeps_no_order_large(
    client: httpx.AsyncClient, service: Service
) -> None:
    path = await entered(client, qty="500")
    await put(client, "max_daily_share", hard="0.5")
    async with service.database.connection() as connection:
        await connection.execute("UPDATE watches SET daily_volume = NULL")
    await asyncio.sleep(0.3)  # What is known of the market is looked at anew.
    larger = await amend(client, path, qty="501")
    assert larger.json()["code"] == "risk.max_daily_share"
    assert "nobody knows" in larger.json()["message"]
    assert (await amend(client, path, qty="499")).status_code == 200


async def test_a_change_beyond_what_is_soft_takes_a_word_and_is_kept_by_name(
    client: httpx.AsyncClient, service: Service, make_key: MakeKey
) -> None:
    await put(client, "max_order_notional", soft="1000")
    path = await entered(client, qty="500", confirm=["max_order_notional", "max_order_qty"])
    gone = await client.delete("/risk/limits/all/max_order_notional/%2A?reason=drill")
    assert gone.is_success, gone.text
    await put(client, "max_order_qty", soft="100", hard="1000")
    asked = await amend(client, path, qty="600")
    assert (asked.status_code, asked.json()["code"]) == (422, "risk.confirmation_needed")
    assert asked.json()["confirm"] == "max_order_qty"
    wrong = await amend(client, path, qty="600", confirm=["max_order_notional"])
    assert wrong.json()["code"] == "risk.confirmation_needed"
    assert (await kept(service))["confirmed"] == ["max_order_notional"]
    trader = await make_key("trade", "read")
    async with client_for(create_api(service), trader) as other:
        told = await amend(other, path, qty="600", confirm=["max_order_qty"])
    assert told.status_code == 200, told.text
    row = await kept(service)
    assert row["confirmed"] == ["max_order_notional", "max_order_qty"]
    assert (row["qty"], row["limits_version"], row["value"]) == (600, 3, Decimal(50000))
    trail = (await client.get("/audit-trail", params={"action": "order.confirmed"})).json()
    entry = max(trail["items"], key=lambda one: one["id"])
    assert entry["actor"] == trader.split("_")[1]
    assert (entry["target"], entry["after"]) == (path.split("/")[-1], {"max_order_qty": "600"})
    # That word was for this once, and no word opens what is hard.
    again = await amend(client, path, qty="700")
    assert again.json()["code"] == "risk.confirmation_needed"
    hard = await amend(client, path, qty="1001", confirm=["max_order_qty"])
    assert hard.json()["code"] == "risk.max_order_qty"
    assert (await amend(client, path, confirm=["max_order_qty"])).status_code == 422


async def test_what_counts_with_others_is_confirmed_as_well(client: httpx.AsyncClient) -> None:
    path = await entered(client, qty="500")
    await put(client, "max_position_qty", soft="500", scope="account", name="main")
    asked = await amend(client, path, qty="501")
    assert asked.json()["confirm"] == "max_position_qty"
    assert (await amend(client, path, qty="501", confirm=["max_position_qty"])).status_code == 200


async def test_a_larger_order_is_counted_once_in_a_window_of_money(
    client: httpx.AsyncClient,
) -> None:
    path = await entered(client, qty="500")
    await put(client, "max_notional_1d", hard="60000")
    beyond = await amend(client, path, qty="601")
    assert beyond.json()["code"] == "risk.max_notional_1d"
    assert (await amend(client, path, qty="600")).status_code == 200


async def test_changes_and_new_orders_at_once_never_exceed_one_budget(
    service: Service, admin_key: str
) -> None:
    """Each of ten orders wants 50 more while ten more want in: 300 are left."""
    async with (
        open_service(service.database.url) as second,
        client_for(create_api(service), admin_key) as one,
        client_for(create_api(second), admin_key) as other,
    ):
        paths = [await entered(one, qty="100") for _ in range(10)]
        await put(one, "max_position_qty", scope="account", name="main", hard="1300")
        tags = [(await one.get(path)).headers["etag"] for path in paths]
        changes = [
            (one, other)[n % 2].patch(path, json={"qty": "150"}, headers={"If-Match": tag})
            for n, (path, tag) in enumerate(zip(paths, tags, strict=True))
        ]
        fresh = [enter((other, one)[n % 2], qty="50") for n in range(10)]
        answers = await asyncio.gather(*changes, *fresh)
        assert sum(answer.is_success for answer in answers) == 6
        refused = {a.json()["code"] for a in answers if not a.is_success}
        assert refused == {"risk.max_position_qty"}
        async with service.database.connection() as connection:
            assert await connection.fetchval("SELECT sum(qty) FROM orders") == 1300


async def long_ago(service: Service) -> None:
    async with service.database.connection() as connection:
        for table, column in (("orders", "created_at"), ("increases", "at")):
            await connection.execute(f"UPDATE {table} SET {column} = {column} - interval '2 min'")


async def test_what_changes_add_counts_in_the_window_in_which_they_add_it(
    client: httpx.AsyncClient, service: Service
) -> None:
    path = await entered(client, qty="100", limit_price="100.00")
    await put(client, "max_notional_1m", hard="100000")
    await long_ago(service)
    assert (await amend(client, path, qty="1000")).status_code == 200
    # Nothing is given back by making it smaller, and nothing counts twice.
    assert (await amend(client, path, qty="100")).status_code == 200
    assert (await amend(client, path, qty="201")).json()["code"] == "risk.max_notional_1m"
    assert (await enter(client, qty="101")).json()["code"] == "risk.max_notional_1m"
    assert (await amend(client, path, qty="190")).status_code == 200
    await long_ago(service)
    assert (await amend(client, path, qty="201")).status_code == 200


async def test_a_dearer_limit_alone_counts_as_well(
    client: httpx.AsyncClient, service: Service
) -> None:
    path = await entered(client, qty="1000", limit_price="100.20")
    await long_ago(service)
    await put(client, "max_notional_1m", hard="500")
    assert (await amend(client, path, limit_price="100.80")).json()[
        "code"
    ] == "risk.max_notional_1m"
    assert (await amend(client, path, limit_price="100.60")).status_code == 200
    assert (await amend(client, path, limit_price="100.80")).json()[
        "code"
    ] == "risk.max_notional_1m"
    assert (await amend(client, path, limit_price="100.10")).status_code == 200


async def test_who_changes_an_order_of_another_key_stays_within_its_own_limits(
    client: httpx.AsyncClient, service: Service, make_key: MakeKey
) -> None:
    path = await entered(client, qty="5")
    small = await make_key("trade", "read")
    await put(client, "max_order_qty", scope="key", name=small.split("_")[1], hard="10")
    async with client_for(create_api(service), small) as other:
        assert (await amend(other, path, qty="11")).json()["code"] == "risk.max_order_qty"
        assert (await amend(other, path, qty="10")).status_code == 200
    assert (await amend(client, path, qty="500")).status_code == 200
