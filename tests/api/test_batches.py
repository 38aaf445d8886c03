"""POST /orders/batch: a verdict for each order, whatever becomes of its neighbours."""

import asyncio
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.engine.service import Service
from tests.api.conftest import MakeKey, client_for, order_body, row_counts, silence


async def batch(client: httpx.AsyncClient, *orders: Any) -> list[dict[str, Any]]:
    answer = await client.post("/orders/batch", json={"orders": list(orders)})
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    assert len(results) == len(orders)
    return results


def without_id(problem: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in problem.items() if name != "request_id"}


async def test_every_order_gets_what_it_would_have_got_alone(
    client: httpx.AsyncClient, service: Service
) -> None:
    await client.post("/orders", json=order_body(client_order_id="old"))
    results = await batch(
        client,
        order_body(client_order_id="a"),
        order_body(client_order_id="old"),
        order_body(client_order_id="old", qty="7"),
        order_body(qty="-1"),
        order_body(symbol="NOPE?"),
        order_body(qty="1000000000"),
        "no order at all",
        order_body(client_order_id="b", account="other"),
    )
    assert [r["status"] for r in results] == [202, 202, 409, 422, 422, 422, 422, 202]
    assert [r.get("replayed", False) for r in results] == [False, True, *[False] * 6]
    first, last = results[0]["order"], results[-1]["order"]
    assert (await client.get(f"/orders/{first['id']}")).json() == first
    assert (first["client_order_id"], last["account"]) == ("a", "other")
    codes = [r["problem"]["code"] for r in results[2:7]]
    assert codes[0] == "duplicate_client_order_id"
    assert codes[1:] == ["not_positive", "invalid_request", "risk.max_order_notional", codes[4]]
    alone = await client.post("/orders", json=order_body(qty="-1"))
    assert without_id(results[3]["problem"]) == without_id(alone.json())
    assert (await row_counts(service))["orders"] == 3


async def test_what_is_accepted_is_committed_together(
    client: httpx.AsyncClient, service: Service
) -> None:
    results = await batch(client, *(order_body(client_order_id=f"n{n}") for n in range(300)))
    assert {r["status"] for r in results} == {202}
    assert [r["order"]["client_order_id"] for r in results] == [f"n{n}" for n in range(300)]
    async with service.database.connection() as connection:
        commits = await connection.fetchval("SELECT count(DISTINCT xmin::text) FROM orders")
        told = await connection.fetchval("SELECT count(*) FROM events WHERE seq = 1")
    assert (commits, told) == (1, 300)


async def test_a_name_that_comes_twice_is_decided_as_if_one_came_after_the_other(
    client: httpx.AsyncClient, service: Service
) -> None:
    same, other = order_body(client_order_id="x"), order_body(client_order_id="x", qty="7")
    results = await batch(client, same, same, other, order_body(client_order_id="y"))
    assert [r["status"] for r in results] == [202, 202, 409, 202]
    assert results[1]["order"] == results[0]["order"]
    assert [r.get("replayed", False) for r in results] == [False, True, False, False]
    assert (await row_counts(service))["orders"] == 2


async def test_a_batch_that_is_sent_again_enters_nothing_twice(
    client: httpx.AsyncClient, service: Service
) -> None:
    orders = [order_body(client_order_id=f"n{n}") for n in range(40)]
    once, again = await asyncio.gather(batch(client, *orders), batch(client, *orders))
    ids = [[r["order"]["id"] for r in results] for results in (once, again)]
    assert ids[0] == ids[1]
    assert all(
        a.get("replayed", False) != b.get("replayed", False)
        for a, b in zip(once, again, strict=True)
    )
    assert (await row_counts(service))["orders"] == 40


async def test_an_account_that_the_key_may_not_use_is_refused_for_its_orders_only(
    api: FastAPI, make_key: MakeKey, service: Service
) -> None:
    async with client_for(api, await make_key("trade", accounts=["other"])) as client:
        results = await batch(
            client, order_body(account="main"), order_body(), order_body(account="other")
        )
    assert [r["status"] for r in results] == [403, 202, 202]
    assert results[0]["problem"]["code"] == "account_not_allowed"
    assert {r["order"]["account"] for r in results[1:]} == {"other"}


@pytest.mark.parametrize(
    "body", [{}, {"orders": []}, {"orders": {}}, {"orders": [{}], "more": 1}, {"orders": None}]
)
async def test_what_is_no_batch_is_refused_whole(client: httpx.AsyncClient, body: Any) -> None:
    answer = await client.post("/orders/batch", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


async def test_a_thousand_orders_and_not_one_more(
    client: httpx.AsyncClient, service: Service
) -> None:
    orders = [order_body(client_order_id=f"n{n}") for n in range(1001)]
    answer = await client.post("/orders/batch", json={"orders": orders})
    assert (answer.status_code, answer.json()["errors"][0]["loc"]) == (422, ["orders"])
    assert (await row_counts(service))["orders"] == 0
    results = await batch(client, *orders[:1000])
    assert {r["status"] for r in results} == {202}


async def test_a_key_for_the_whole_batch_is_refused_not_ignored(
    client: httpx.AsyncClient, service: Service
) -> None:
    answer = await client.post(
        "/orders/batch", json={"orders": [order_body()]}, headers={"Idempotency-Key": "k"}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "no_key_for_batches")
    assert (await row_counts(service))["orders"] == 0


async def test_a_batch_may_be_larger_than_an_order_but_has_a_bound(
    client: httpx.AsyncClient,
) -> None:
    pad = ["x" * 60] * 20
    results = await batch(client, *(order_body(tags=pad) for _ in range(250)))
    assert {r["status"] for r in results} == {202}
    answer = await client.post("/orders/batch", content=b" " * (1024 * 1024 + 1))
    assert answer.status_code == 413


async def test_without_a_worker_every_order_is_told_so(
    client: httpx.AsyncClient, service: Service
) -> None:
    await silence(service)
    results = await batch(client, order_body(), order_body())
    assert [(r["status"], r["problem"]["code"]) for r in results] == [(503, "no_market_time")] * 2
