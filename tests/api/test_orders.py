"""Orders over HTTP: entered, repeated, listed, shown."""

import asyncio
from dataclasses import replace
from decimal import Decimal

import httpx
import pytest

from app.api.app import create_api
from app.domain.instant import SECOND
from app.engine.service import Service
from app.store import market_state
from tests.api.conftest import (
    NOW,
    SESSION,
    MakeKey,
    Served,
    client_for,
    order_body,
    pass_time,
    row_counts,
    silence,
    with_limits,
)


async def test_an_order_is_committed_when_it_is_answered(
    client: httpx.AsyncClient, service: Service
) -> None:
    answer = await client.post("/orders", json=order_body(client_order_id="a-1"))
    assert answer.status_code == 202
    order = answer.json()
    assert answer.headers["location"] == f"/orders/{order['id']}"
    assert answer.headers["etag"] == '"v1"'
    assert (order["status"], order["qty"], order["unsent"]) == ("accepted", "500", "500")
    async with service.database.connection() as connection:
        qty = await connection.fetchval("SELECT qty FROM orders WHERE id = $1", order["id"])
    assert qty == Decimal(500)
    assert (await client.get(f"/orders/{order['id']}")).json() == order
    found = await client.get("/orders:by_client_order_id", params={"client_order_id": "a-1"})
    assert found.json() == order


async def test_numbers_never_pass_through_a_float(client: httpx.AsyncClient) -> None:
    body = (
        b'{"symbol":"ACME","side":"buy","qty":1234567890123456,"algo":"twap","duration":"1h30m",'
        b'"max_participation":0.1000000000000000055511151}'
    )
    limited = await client.post("/orders", content=body)
    assert limited.json()["order_value"] == format(Decimal(1234567890123456) * 100, "f") + ".00"
    small = await client.post("/orders", content=body.replace(b"1234567890123456", b"7"))
    assert small.json()["max_participation"] == "0.1000000000000000055511151"
    assert small.json()["end_time"] == "2026-01-05T17:00:00.000000Z"


@pytest.mark.parametrize("quote", ['"', ""])
async def test_the_same_key_and_body_get_the_same_order(
    client: httpx.AsyncClient, service: Service, quote: str
) -> None:
    headers = {"Idempotency-Key": f"{quote}k 1{quote}"}
    first = await client.post("/orders", json=order_body(), headers=headers)
    again = await client.post("/orders", json=order_body(), headers={"Idempotency-Key": "k 1"})
    assert "idempotency-replayed" not in first.headers
    assert (again.status_code, again.headers["idempotency-replayed"]) == (202, "true")
    assert again.json() == first.json()
    assert again.headers["location"] == first.headers["location"]
    assert (await row_counts(service))["orders"] == 1


async def test_a_repetition_is_answered_when_the_order_could_no_longer_be_entered(
    client: httpx.AsyncClient, service: Service
) -> None:
    body = order_body(duration=None, end_time="2026-01-05T16:00:00Z", client_order_id="late")
    headers = {"Idempotency-Key": "late"}
    first = await client.post("/orders", json=body, headers=headers)
    async with service.database.connection() as connection:
        late = SESSION.closes_at - 1
        await market_state.tell_clock(connection, late)
        await connection.execute("UPDATE watches SET bid_at = $1, ask_at = $1", late)
    by_key = await client.post("/orders", json=body, headers=headers)
    assert (by_key.status_code, by_key.json()["id"]) == (202, first.json()["id"])
    by_id = await client.post("/orders", json=body)
    assert (by_id.status_code, by_id.json()["id"]) == (202, first.json()["id"])
    other = await client.post("/orders", json=body | {"qty": "501"}, headers=headers)
    assert other.status_code == 422


async def test_a_key_with_another_body_is_refused(
    client: httpx.AsyncClient, service: Service
) -> None:
    headers = {"Idempotency-Key": "k"}
    await client.post("/orders", json=order_body(), headers=headers)
    before = await row_counts(service)
    answer = await client.post("/orders", json=order_body(qty="501"), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert answer.json()["errors"][0]["loc"] == ["Idempotency-Key"]
    assert await row_counts(service) == before


async def test_a_client_id_with_another_body_is_a_conflict(
    client: httpx.AsyncClient, service: Service
) -> None:
    await client.post("/orders", json=order_body(client_order_id="one"))
    before = await row_counts(service)
    answer = await client.post("/orders", json=order_body(client_order_id="one", qty="501"))
    assert (answer.status_code, answer.json()["code"]) == (409, "duplicate_client_order_id")
    assert answer.json()["errors"][0]["loc"] == ["client_order_id"]
    assert await row_counts(service) == before


async def test_fifty_at_once_make_one_order(client: httpx.AsyncClient, service: Service) -> None:
    headers = {"Idempotency-Key": "storm"}
    answers = await asyncio.gather(
        *(client.post("/orders", json=order_body(), headers=headers) for _ in range(50))
    )
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1
    counts = await row_counts(service)
    assert (counts["orders"], counts["events"], counts["idempotency"]) == (1, 1, 1)


async def test_keys_are_private_to_the_api_key(
    client: httpx.AsyncClient, api: object, make_key: MakeKey
) -> None:
    headers = {"Idempotency-Key": "mine"}
    first = await client.post("/orders", json=order_body(), headers=headers)
    async with client_for(api, await make_key("trade")) as other:  # type: ignore[arg-type]
        second = await other.post("/orders", json=order_body(), headers=headers)
    assert second.json()["id"] != first.json()["id"]


async def test_who_hangs_up_while_sending_enters_nothing(
    served: Served, service: Service, admin_key: str
) -> None:
    before = await row_counts(service)
    _, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(
        b"POST /orders HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n"
        b"Authorization: Bearer " + admin_key.encode() + b'\r\n\r\n{"symbol":"ACME","side":'
    )
    await writer.drain()
    await asyncio.sleep(0.1)
    writer.close()
    await writer.wait_closed()
    await asyncio.sleep(0.2)
    assert await row_counts(service) == before


async def test_who_hangs_up_after_sending_has_an_order(
    served: Served, service: Service, admin_key: str
) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", served.port)
    body = b'{"symbol":"ACME","side":"buy","qty":"5","client_order_id":"gone"}'
    writer.write(
        b"POST /orders HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n"
        b"Authorization: Bearer %s\r\n\r\n%s" % (len(body), admin_key.encode(), body)
    )
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    await asyncio.sleep(0.5)
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {admin_key}"}) as client:
        again = await client.post(f"{served.url}/orders", content=body)
    assert again.status_code == 202
    assert (await row_counts(service))["orders"] == 1


async def test_a_refusal_by_risk_says_by_how_much(service: Service, admin_key: str) -> None:
    limited = with_limits(service, max_order_notional=Decimal(10_000))
    async with client_for(create_api(limited), admin_key) as client:
        answer = await client.post("/orders", json=order_body())
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["code"] == "risk.max_order_notional"
    assert problem["limit"] == "max_order_notional"
    assert (problem["limit_value"], problem["order_value"]) == ("10000", "50000.00")
    assert (await row_counts(service))["orders"] == 0


async def test_lists_are_paged_newest_first_without_gap_or_repetition(
    client: httpx.AsyncClient,
) -> None:
    entered = [
        (await client.post("/orders", json=order_body(strategy="s" if n % 2 else None))).json()
        for n in range(7)
    ]
    seen: list[str] = []
    path: str | None = "/orders?limit=3&status=open"
    while path is not None:
        page = await client.get(path)
        seen += [order["id"] for order in page.json()["items"]]
        link = page.headers.get("link")
        assert (link is None) == (page.json()["next_cursor"] is None)
        path = link.split(">")[0][1:] if link else None
        if path:
            # What arrives meanwhile is newer than every later page.
            await client.post("/orders", json=order_body())
    assert seen == [order["id"] for order in reversed(entered)]
    mine = (await client.get("/orders", params={"strategy": "s"})).json()["items"]
    assert len(mine) == 3
    assert (await client.get("/orders?symbol=GLOBEX")).json() == {"items": [], "next_cursor": None}
    assert (await client.get("/orders?status=closed")).json()["items"] == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("cursor=x", "cursor"),
        ("stauts=open", "stauts"),
        ("status=cooking", "status"),
        ("symbol=%00", "symbol"),
        ("strategy=%00", "strategy"),
    ],
)
async def test_a_bad_filter_is_named(client: httpx.AsyncClient, query: str, field: str) -> None:
    answer = await client.get(f"/orders?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == [field]


async def test_what_is_known_is_not_sent_again(client: httpx.AsyncClient) -> None:
    order = (await client.post("/orders", json=order_body())).json()
    known = await client.get(f"/orders/{order['id']}", headers={"If-None-Match": 'W/"v0", "v1"'})
    assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", '"v1"')
    await client.post(f"/orders/{order['id']}/pause")
    changed = await client.get(f"/orders/{order['id']}", headers={"If-None-Match": '"v1"'})
    assert (changed.status_code, changed.headers["etag"]) == (200, '"v2"')


async def test_without_a_worker_the_answer_is_503(service: Service, admin_key: str) -> None:
    async with client_for(create_api(service), admin_key) as client:
        answer = await client.post("/orders", json=order_body(symbol="GLOBEX"))
        assert (answer.status_code, answer.json()["code"]) == (503, "no_market_data")
        assert answer.headers["retry-after"] == "1"


async def test_an_only_account_is_the_usual_one(
    service: Service, api: object, make_key: MakeKey
) -> None:
    async with client_for(api, await make_key("trade", accounts=["other"])) as client:  # type: ignore[arg-type]
        answer = await client.post("/orders", json=order_body())
    assert answer.json()["account"] == "other"


async def test_an_unknown_account_is_named(client: httpx.AsyncClient, service: Service) -> None:
    answer = await client.post("/orders", json=order_body(account="nowhere"))
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_account")
    assert answer.json()["errors"][0]["loc"] == ["account"]


async def test_a_preview_shows_all_and_changes_nothing(service: Service, admin_key: str) -> None:
    before = await row_counts(service)
    limited = with_limits(service, max_order_qty=Decimal(300), max_order_notional=Decimal(10**6))
    async with client_for(create_api(limited), admin_key) as client:
        body = order_body(algo="auto", params={})
        shown = (await client.post("/orders/preview", json=body)).json()
        refused = await client.post("/orders/preview", json=order_body(qty="0.5"))
    assert (shown["algo"], shown["route_reason"]) == ("twap", "notional up to 100000")
    assert sum(Decimal(part["qty"]) for part in shown["schedule"]) == 500
    assert shown["schedule"][-1]["cumulative"] == "500"
    assert shown["cost"]["half_spread_bps"] == "1"
    assert shown["cost"]["half_spread_money"] == "5"
    assert shown["cost"]["assumptions"]
    verdicts = {verdict["gate"]: verdict for verdict in shown["verdicts"]}
    assert verdicts["max_order_qty"]["verdict"] == "reject"
    assert verdicts["max_order_qty"]["order_value"] == "500"
    assert verdicts["max_order_notional"]["verdict"] == "pass"
    assert verdicts["kill_switch"]["verdict"] == "pass"
    assert shown["would_be_accepted"] is False
    assert refused.status_code == 422
    assert await row_counts(service) == before


async def test_a_preview_says_what_the_order_then_becomes(client: httpx.AsyncClient) -> None:
    body = order_body(params={"slices": 4, "jitter": 0})
    shown = (await client.post("/orders/preview", json=body)).json()
    order = (await client.post("/orders", json=body)).json()
    planned = (await client.get(f"/orders/{order['id']}/schedule")).json()
    assert shown["schedule"] == planned["slices"]
    assert len(planned["slices"]) == 4


async def test_a_clock_that_nobody_told_refuses_orders(service: Service, admin_key: str) -> None:
    async with service.database.connection() as connection:
        await connection.execute("DELETE FROM market_clock")
    async with client_for(create_api(replace(service)), admin_key) as client:
        answer = await client.post("/orders", json=order_body())
        clock = await client.get("/clock")
    assert (answer.status_code, answer.json()["code"]) == (503, "no_market_time")
    assert clock.status_code == 503
    assert NOW  # What the fixture told is gone.


async def test_an_order_needs_a_worker_and_a_fresh_price(
    client: httpx.AsyncClient, service: Service
) -> None:
    known = order_body(client_order_id="known")
    first = (await client.post("/orders", json=known)).json()
    await pass_time(service, 120 * SECOND)
    assert (await client.post("/orders", json=order_body())).status_code == 202
    await pass_time(service, 120 * SECOND + 1)
    before = await row_counts(service)
    for path in ("/orders", "/orders/preview"):
        old = await client.post(path, json=order_body())
        assert (old.status_code, old.json()["code"]) == (503, "no_reference_price")
    await silence(service)
    for path in ("/orders", "/orders/preview"):
        silent = await client.post(path, json=order_body())
        assert (silent.status_code, silent.json()["code"]) == (503, "no_market_time")
    assert (await client.post("/orders", json=known)).json()["id"] == first["id"]
    assert await row_counts(service) == before
