"""What a person confirmed: with the order, and on the audit trail, as far as it was needed."""

from typing import Any

import httpx
import pytest

from app.api.bodies import checked
from app.api.order_bodies import OrderBody, given
from app.engine.given import Given
from app.engine.service import Service
from tests.api.conftest import order_body
from tests.api.test_limits import enter, put

ALL_NAMES = ["max_order_qty", "max_open_orders", "no_short"]


async def told(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    found = await client.get("/audit-trail", params={"action": "order.confirmed"})
    items: list[dict[str, Any]] = found.json()["items"]
    return items


async def test_only_what_was_needed_is_kept_and_told(
    client: httpx.AsyncClient, admin_key: str
) -> None:
    await put(client, "max_order_qty", soft="100")
    await put(client, "max_order_qty", scope="symbol", name="ACME", soft="90")
    await put(client, "max_open_orders", soft="1")
    plain = await enter(client, qty="50", confirm=["max_order_qty"])
    assert (plain.json()["confirmed"], plain.json()["limits_version"]) == ([], 3)
    entered = await enter(client, qty="500", confirm=ALL_NAMES)
    assert entered.status_code == 202, entered.text
    order = (await client.get(f"/orders/{entered.json()['id']}")).json()
    assert order == entered.json()
    assert order["confirmed"] == ["max_open_orders", "max_order_qty"]
    assert order["limits_version"] == 3
    [entry] = await told(client)
    assert (entry["actor"], entry["target"]) == (admin_key.split("_")[1], order["id"])
    assert entry["account"] == "main"
    assert entry["after"] == {"max_open_orders": "2", "max_order_qty": "500"}


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "k1"}])
async def test_an_order_that_was_there_is_not_told_again(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    await put(client, "max_order_qty", soft="100")
    body = order_body(qty="500", confirm=["max_order_qty"], client_order_id="mine")
    answers = [await client.post("/orders", json=body, headers=headers) for _ in range(2)]
    assert [a.status_code for a in answers] == [202, 202]
    assert answers[0].json() == answers[1].json()
    assert len(await told(client)) == 1


@pytest.mark.parametrize("slip", ["max_ordr_qty", "max_child_qty", "*"])
async def test_a_confirmation_of_what_is_no_limit_is_refused(
    client: httpx.AsyncClient, slip: str
) -> None:
    """`max_child_qty` is one that nobody is asked about."""
    entered = await enter(client, qty="50")
    path, version = entered.headers["Location"], {"If-Match": entered.headers["ETag"]}
    confirm = ["max_order_qty", slip]
    batch = await client.post("/orders/batch", json={"orders": [order_body(confirm=confirm)]})
    told = [
        (await enter(client, qty="50", confirm=confirm)).json(),
        (await client.post("/orders/preview", json=order_body(confirm=confirm))).json(),
        (await client.patch(path, json={"qty": "60", "confirm": confirm}, headers=version)).json(),
        batch.json()["results"][0]["problem"],
    ]
    for problem in told:
        assert (problem["status"], problem["code"]) == (422, "unknown_limit"), problem
        assert problem["errors"][0]["loc"] == ["confirm"]
        assert repr(slip) in problem["message"]
        assert "max_order_qty, max_order_notional" in problem["message"]
    assert (await client.get(path)).json()["qty"] == "50"
    assert len((await client.get("/orders")).json()["items"]) == 1


async def test_what_was_accepted_once_is_answered_again_whatever_it_confirmed(
    client: httpx.AsyncClient, service: Service
) -> None:
    entered = await enter(client, qty="50", client_order_id="mine")
    body = order_body(qty="50", client_order_id="mine", confirm=["of_an_earlier_release"])
    async with service.database.connection() as connection:
        await connection.execute(
            "UPDATE orders SET body_sha256 = $1",
            Given.of(given(checked(body, OrderBody))).digest,
        )
    again = await client.post("/orders", json=body)
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (202, "true"), again.text
    assert again.json()["id"] == entered.json()["id"]
    unlike = await client.post("/orders", json=body | {"qty": "60"})
    assert unlike.status_code in (409, 422)


async def test_each_order_of_a_batch_is_told(client: httpx.AsyncClient) -> None:
    await put(client, "max_order_qty", soft="100")
    orders = [order_body(qty=qty, confirm=["max_order_qty"]) for qty in ("50", "500", "700")]
    answer = await client.post("/orders/batch", json={"orders": orders})
    entered = [result["order"] for result in answer.json()["results"]]
    assert [o["confirmed"] for o in entered] == [[], ["max_order_qty"], ["max_order_qty"]]
    assert sorted((e["target"], e["after"]["max_order_qty"]) for e in await told(client)) == sorted(
        (o["id"], o["qty"]) for o in entered[1:]
    )
