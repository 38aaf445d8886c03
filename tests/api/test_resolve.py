"""An operator's word on a child whose fate no evidence tells."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.domain.fact import (
    BecameUnknown,
    ChildCancelRequested,
    Fact,
    Filled,
    Intended,
    Moved,
    Purpose,
    Sent,
    TimeInForce,
)
from app.domain.identity import child_id
from app.domain.lifecycle import OrderStatus
from app.domain.quantity import Side
from app.engine.service import Service
from app.store import journal
from app.store.journal import Entry
from tests.api.conftest import NOW, MakeKey, client_for, order_body
from tests.store.seeds import fill

SAID = {"outcome": "absent", "reason": "confirmed by phone"}


@pytest.fixture
async def order(client: httpx.AsyncClient) -> str:
    order_id: str = (await client.post("/orders", json=order_body())).json()["id"]
    return order_id


async def record(service: Service, order_id: str, *facts: Fact) -> None:
    async with service.database.transaction() as connection:
        entries = [Entry(order_id, facts)]
        await journal.record(connection, account="main", broker="paper", entries=entries)


async def child(service: Service, order_id: str, *facts: Fact, qty: int = 200) -> str:
    """The first child of a working order, after these facts."""
    name = child_id(order_id, 1)
    amounts = (fill(name, "x", qty).qty, fill(name, "x", qty).price)
    made = Intended(NOW, name, 1, Side.BUY, *amounts, Purpose.CROSS, TimeInForce.IOC, NOW)
    await record(service, order_id, Moved(NOW, OrderStatus.WORKING), made, *facts)
    return name


def path(order_id: str, name: str) -> str:
    return f"/orders/{order_id}/children/{name}/resolve"


def unknown(order_id: str) -> BecameUnknown:
    return BecameUnknown(NOW, child_id(order_id, 1), "timed out")


@pytest.mark.parametrize(("outcome", "status"), [("absent", "rejected"), ("canceled", "canceled")])
async def test_an_unknown_child_ends_by_word_and_it_is_kept_whose(
    client: httpx.AsyncClient,
    service: Service,
    order: str,
    admin_key: str,
    outcome: str,
    status: str,
) -> None:
    name = await child(service, order, unknown(order))
    before = (await client.get(f"/orders/{order}")).json()
    assert before["unknown"] == "200"
    answer = await client.post(path(order, name), json=SAID | {"outcome": outcome})
    assert answer.status_code == 200, answer.text
    after = answer.json()
    assert (after["unknown"], after["unsent"]) == ("0", "500")
    assert answer.headers["etag"] == f'"v{before["version"] + 1}"'
    [told] = (await client.get(f"/orders/{order}/children")).json()["items"]
    said = f"operator: confirmed by phone (key {admin_key.split('_')[1]})"
    assert (told["status"], told["reason"]) == (status, said)
    event = (await client.get(f"/orders/{order}/events")).json()["items"][-1]
    assert (event["type"], event["data"]["reason"]) == (f"child.{status}", said)
    async with service.database.connection() as connection:
        assert await connection.fetchval("SELECT attention FROM orders")
    again = await client.post(path(order, name), json=SAID)
    assert (again.status_code, again.json()["code"]) == (409, "child_is_over")


async def test_a_late_fill_is_booked_all_the_same(
    client: httpx.AsyncClient, service: Service, order: str
) -> None:
    name = await child(service, order, unknown(order))
    await client.post(path(order, name), json=SAID)
    late: Filled = fill(name, "x-1", 200, price="100", at=NOW)
    await record(service, order, late)
    after = (await client.get(f"/orders/{order}")).json()
    assert (after["filled"], after["unsent"], after["excess"]) == ("200", "300", "0")
    [told] = (await client.get(f"/orders/{order}/children")).json()["items"]
    assert (told["status"], told["filled"]) == ("filled", "200")
    [position] = (await client.get("/positions")).json()["items"]
    assert position["qty"] == "200"


async def test_what_is_known_or_still_asked_is_not_decided(
    client: httpx.AsyncClient, service: Service, order: str
) -> None:
    name = await child(service, order, Sent(NOW, child_id(order, 1), "b-1"))
    for _ in range(2):
        refused = await client.post(path(order, name), json=SAID | {"outcome": "canceled"})
        assert (refused.status_code, refused.json()["code"]) == (409, "child_is_not_stuck")
        await record(service, order, ChildCancelRequested(NOW, name, "closing"))
    async with service.database.connection() as connection:
        await connection.execute("UPDATE children SET updated_at = updated_at - interval '11 s'")
    absent = await client.post(path(order, name), json=SAID)
    assert (absent.status_code, absent.json()["code"]) == (409, "child_was_seen")
    resolved = await client.post(path(order, name), json=SAID | {"outcome": "canceled"})
    assert (resolved.status_code, resolved.json()["working"]) == (200, "0")


async def test_a_child_with_a_fill_was_never_absent(
    client: httpx.AsyncClient, service: Service, order: str
) -> None:
    name = await child(service, order)
    await record(service, order, fill(name, "x-1", 50, price="100", at=NOW))
    async with service.database.connection() as connection:
        await connection.execute("UPDATE children SET status = 'unknown'")
        await connection.execute("UPDATE orders SET working = 0, unknown = 150")
    refused = await client.post(path(order, name), json=SAID)
    assert (refused.status_code, refused.json()["code"]) == (409, "child_was_seen")


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"outcome": "absent"},
        {"reason": "x"},
        {"outcome": "filled", "reason": "x"},
        {"outcome": "absent", "reason": ""},
        {"outcome": "absent", "reason": "a\nb"},
        SAID | {"by": "me"},
    ],
)
async def test_a_bad_word_changes_nothing(
    client: httpx.AsyncClient, service: Service, order: str, wrong: dict[str, Any]
) -> None:
    name = await child(service, order, unknown(order))
    before = (await client.get(f"/orders/{order}")).json()
    assert (await client.post(path(order, name), json=wrong)).status_code == 422
    assert (await client.get(f"/orders/{order}")).json() == before


async def test_it_takes_the_risk_scope_and_a_child_of_the_order(
    api: FastAPI, client: httpx.AsyncClient, service: Service, make_key: MakeKey, order: str
) -> None:
    name = await child(service, order, unknown(order))
    async with client_for(api, await make_key("trade", "cancel")) as trader:
        assert (await trader.post(path(order, name), json=SAID)).status_code == 403
    other = (await client.post("/orders", json=order_body())).json()["id"]
    for wrong in (path(order, "nobody"), path(other, name)):
        answer = await client.post(wrong, json=SAID)
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_child"), wrong
    assert (await client.post(path(order, "a%00b"), json=SAID)).status_code == 422
