"""Whose command it was: in the order's events, and on the audit trail."""

from decimal import Decimal
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.domain.fact import CancelRequested
from app.engine.service import Service
from app.store import journal
from app.store.journal import Entry
from tests.api.conftest import NOW, MakeKey, client_for, order_body


@pytest.fixture
async def other_key(make_key: MakeKey) -> str:
    return await make_key("trade", "read")


async def commanded(client: httpx.AsyncClient, order_id: str) -> list[tuple[str, str | None]]:
    items = (await client.get(f"/orders/{order_id}/events")).json()["items"]
    return [(event["type"], event["data"].get("by")) for event in items]


async def trail_of(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    items = (await client.get("/audit-trail")).json()["items"]
    return [entry for entry in items if entry["action"].startswith("order")]


async def entered(client: httpx.AsyncClient, **fields: Any) -> str:
    order_id: str = (await client.post("/orders", json=order_body(**fields))).json()["id"]
    return order_id


async def test_every_command_says_whose_it_is(
    client: httpx.AsyncClient, api: FastAPI, other_key: str
) -> None:
    order_id, by = await entered(client, algo="vwap"), other_key.split("_")[1]
    place = f"/orders/{order_id}"
    async with client_for(api, other_key) as other:
        for method, path, body in (
            ("PATCH", place, {"qty": "800", "max_participation": "0.2"}),
            ("POST", f"{place}/pause", None),
            ("POST", f"{place}/resume", None),
            ("DELETE", place, None),
        ):
            tag = (await other.get(place)).headers["etag"]
            told = await other.request(method, path, json=body, headers={"If-Match": tag})
            assert told.status_code in (200, 202), told.text
        # Asked again it changes nothing, and is nobody's deed.
        assert (await other.delete(place)).status_code == 202
    assert [c for c in await commanded(client, order_id) if c[1] is not None] == [
        ("order.amended", by),
        ("order.pause_requested", by),
        ("order.resume_requested", by),
        ("order.cancel_requested", by),
    ]
    trail = await trail_of(client)
    assert {(e["actor"], e["target"], e["account"]) for e in trail} == {(by, order_id, "main")}
    assert [(e["action"], e["before"], e["after"], e["reason"]) for e in trail] == [
        ("order.cancel_requested", None, None, "requested"),
        ("order.resume_requested", None, None, None),
        ("order.pause_requested", None, None, None),
        ("order.amended", {"qty": "500"}, {"qty": "800", "max_participation": "0.2"}, None),
    ]


async def test_an_amendment_of_params_tells_only_those(
    client: httpx.AsyncClient, admin_key: str
) -> None:
    order_id = await entered(client, algo="limit", limit_price="99.50", params={})
    tag = (await client.get(f"/orders/{order_id}")).headers["etag"]
    changes = {"limit_price": "99.60"}
    told = await client.patch(f"/orders/{order_id}", json=changes, headers={"If-Match": tag})
    assert told.status_code == 200, told.text
    [amended] = await trail_of(client)
    assert (amended["before"], amended["after"]) == ({"limit_price": "99.50"}, changes)
    assert amended["actor"] == admin_key.split("_")[1]


async def test_a_refused_command_leaves_no_trace(client: httpx.AsyncClient) -> None:
    order_id = await entered(client)
    tag = (await client.get(f"/orders/{order_id}")).headers["etag"]
    for body in ({"qty": "0.5"}, {"qty": "99999999"}):
        told = await client.patch(f"/orders/{order_id}", json=body, headers={"If-Match": tag})
        assert told.status_code == 422, told.text
    assert await trail_of(client) == []


async def test_a_sweep_stands_on_the_trail_once(
    client: httpx.AsyncClient, api: FastAPI, other_key: str
) -> None:
    orders, by = [await entered(client) for _ in range(3)], other_key.split("_")[1]
    async with client_for(api, other_key) as other:
        swept = await other.delete("/orders", params={"account": "main"})
        assert sorted(swept.json()["canceling"]) == sorted(orders)
        assert (await other.delete("/orders", params={"account": "other"})).status_code == 202
    for order_id in orders:
        assert ("order.cancel_requested", by) in await commanded(client, order_id)
    [entry] = await trail_of(client)
    assert (entry["actor"], entry["action"]) == (by, "orders.cancel_requested")
    assert (entry["account"], entry["after"]) == ("main", {"orders": 3})


async def test_clients_of_alpaca_are_told_as_well(
    client: httpx.AsyncClient, api: FastAPI, other_key: str
) -> None:
    first, second = await entered(client, algo="limit", limit_price="99.50"), await entered(client)
    by = other_key.split("_")[1]
    async with client_for(api, None) as other:
        other.headers.update({"APCA-API-KEY-ID": by, "APCA-API-SECRET-KEY": other_key})
        replaced = await other.patch(f"/alpaca/v2/orders/{first}", json={"qty": "600"})
        assert replaced.status_code == 200, replaced.text
        assert (await other.delete(f"/alpaca/v2/orders/{second}")).status_code == 204
    assert ("order.amended", by) in await commanded(client, first)
    assert ("order.cancel_requested", by) in await commanded(client, second)
    assert [(e["action"], e["actor"]) for e in await trail_of(client)] == [
        ("order.cancel_requested", by),
        ("order.amended", by),
    ]


async def test_what_the_house_does_by_itself_is_its_own(
    client: httpx.AsyncClient, service: Service
) -> None:
    order_id = await entered(client)
    async with service.database.transaction() as connection:
        [done] = await journal.record(
            connection,
            account="main",
            broker="paper",
            entries=[Entry(order_id, [CancelRequested(NOW, "on_restart")])],
        )
    assert done.execution.unsent == Decimal(500)
    assert ("order.cancel_requested", "slipstream") in await commanded(client, order_id)
