"""Too many requests of one key, too many wrong keys of one address, and clients that are slow."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from app.api import slow_clients
from app.api.app import create_api
from app.api.errors import Problem
from app.api.rates import Buckets, RateRules, Rates
from app.engine.service import Service
from tests.api.conftest import MakeKey, Served, client_for, order_body


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_fills_again() -> None:
    clock = Clock()
    bucket = Buckets(2, 3, clock)
    assert [bucket.take("a") for _ in range(4)] == [0, 0, 0, 0.5]
    clock.now += 0.5
    assert bucket.take("a") == 0
    assert bucket.take("a") == 0.5
    assert bucket.take("b") == 0
    clock.now += 1_000
    assert [bucket.take("a") for _ in range(4)] == [0, 0, 0, 0.5]


def test_many_at_once_are_paid_for_later() -> None:
    clock = Clock()
    bucket = Buckets(10, 20, clock)
    assert bucket.take("a", 120) == 0
    assert bucket.take("a") == pytest.approx(10.1)


def test_names_without_end_take_no_memory_without_end() -> None:
    bucket = Buckets(1, 2, Clock())
    for number in range(25_000):
        bucket.take(str(number))
    assert len(bucket._left) <= 10_000


def test_cancels_are_never_refused() -> None:
    rates = Rates(RateRules(1, 1, 0), Clock())
    rates.charge("k", "trade", "POST", "/orders")
    with pytest.raises(Problem) as refused:
        rates.charge("k", "trade", "POST", "/orders")
    assert (refused.value.status, refused.value.headers) == (429, {"Retry-After": "1"})
    for _ in range(100):
        rates.charge("k", "cancel", "DELETE", "/orders/{order_id}")
    rates.charge("k", "read", "GET", "/orders")


async def test_too_many_orders_are_refused_and_can_still_be_canceled(
    service: Service, admin_key: str
) -> None:
    api = create_api(service, rates=RateRules(per_key=0.01, burst=3))
    async with client_for(api, admin_key) as client:
        answers = [await client.post("/orders", json=order_body()) for _ in range(5)]
        assert [a.status_code for a in answers] == [202, 202, 202, 429, 429]
        refused = answers[-1]
        assert refused.json()["code"] == "rate_limited"
        assert 1 <= int(refused.headers["retry-after"]) <= 100
        listed = await client.get("/orders")
        assert len(listed.json()["items"]) == 3
        for order in listed.json()["items"]:
            assert (await client.delete(f"/orders/{order['id']}")).status_code == 202
        thrown = {"scope": "all", "level": "cancel", "reason": "too fast"}
        assert (await client.post("/risk/kill-switches", json=thrown)).status_code == 200
        assert (await client.get("/risk/kill-switches")).status_code == 200


async def test_a_batch_is_no_way_around(service: Service, admin_key: str) -> None:
    api = create_api(service, rates=RateRules(per_key=0.01, burst=3))
    async with client_for(api, admin_key) as client:
        orders = [order_body(qty="1") for _ in range(10)]
        first = await client.post("/orders/batch", json={"orders": orders})
        assert first.status_code == 200
        refused = await client.post("/orders", json=order_body())
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) > 500


async def test_one_keys_haste_is_not_anothers(
    service: Service, admin_key: str, make_key: MakeKey
) -> None:
    api = create_api(service, rates=RateRules(per_key=0.01, burst=1))
    async with client_for(api, admin_key) as hasty, client_for(api, await make_key("read")) as calm:
        assert [(await hasty.get("/fills")).status_code for _ in range(2)] == [200, 429]
        assert (await calm.get("/fills")).status_code == 200


async def test_alpacas_clients_are_told_in_their_words(service: Service, admin_key: str) -> None:
    api = create_api(service, rates=RateRules(per_key=0.01, burst=1))
    pair = {"APCA-API-KEY-ID": admin_key.split("_")[1], "APCA-API-SECRET-KEY": admin_key}
    async with client_for(api, None) as client:
        for status in (200, 429):
            answer = await client.get("/alpaca/v2/account", headers=pair)
            assert answer.status_code == status, answer.text
        assert (answer.json()["code"], answer.json()["reason"]) == (42910000, "rate_limited")
        assert int(answer.headers["retry-after"]) >= 1
        order = {"symbol": "ACME", "qty": "1", "side": "buy", "type": "market"}
        order["time_in_force"] = "day"
        refused = await client.post("/alpaca/v2/orders", json=order, headers=pair)
        assert refused.status_code == 429
        canceled = await client.delete("/alpaca/v2/orders", headers=pair)
        assert canceled.status_code == 207, canceled.text
    async with service.database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM orders") == 0


async def test_wrong_keys_are_counted_by_address(service: Service, admin_key: str) -> None:
    api = create_api(service, rates=RateRules(failures=5))
    async with client_for(api, admin_key) as known, client_for(api, None) as guessing:
        assert (await known.get("/orders")).status_code == 200
        wrong = {"Authorization": "Bearer slip_0000_wrong"}
        codes = [(await guessing.get("/orders", headers=wrong)).status_code for _ in range(7)]
        assert codes == [401] * 5 + [429] * 2
        # Who was known before is not locked out by a neighbour.
        assert (await known.get("/orders")).status_code == 200
        assert (await guessing.get("/orders")).status_code == 401


@asynccontextmanager
async def connection(
    served: Served,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    yield reader, writer
    writer.close()


async def test_who_sends_a_byte_at_a_time_is_cut_off(
    served: Served, admin_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slow_clients, "HEAD_SECONDS", 0.5)
    monkeypatch.setattr(slow_clients, "BODY_SECONDS", 0.5)
    head = f"POST /orders HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {admin_key}\r\n"
    for begun in (b"", b"GET / HT", head.encode(), f"{head}Content-Length: 90\r\n\r\n{{".encode()):
        async with connection(served) as (reader, writer):
            began = time.monotonic()
            cut = asyncio.ensure_future(reader.read())
            writer.write(begun)
            while not cut.done() and time.monotonic() < began + 9:
                if begun:
                    writer.write(b"a")
                await asyncio.wait({cut}, timeout=0.1)
            assert cut.done(), begun
            assert time.monotonic() - began < 9, "by itself it would be ten"


async def test_an_answer_may_take_its_time(
    served: Served, admin_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slow_clients, "HEAD_SECONDS", 0.3)
    monkeypatch.setattr(slow_clients, "BODY_SECONDS", 0.3)
    headers = {"Authorization": f"Bearer {admin_key}"}
    began, told = time.monotonic(), 0
    async with (
        httpx.AsyncClient(headers=headers, timeout=30) as client,
        client.stream("GET", f"{served.url}/events") as answer,
    ):
        async for line in answer.aiter_lines():
            told += bool(line)
            if told > 2 and time.monotonic() > began + 1:
                break
    assert told > 2
    async with httpx.AsyncClient(headers=headers, base_url=served.url) as client:
        for _ in range(3):
            assert (await client.get("/orders")).status_code == 200
            await asyncio.sleep(0.5)


@pytest.mark.parametrize("depth", [10, 400, 5_000, 100_000])
async def test_depth_is_no_weapon(client: httpx.AsyncClient, depth: int) -> None:
    deep = b'{"params": {"x": ' + b"[" * depth + b"]" * depth + b"}}"
    for path in ("/orders", "/signals", "/keys", "/backtests"):
        answer = await client.post(path, content=deep)
        assert answer.status_code in (400, 422), answer.text
        assert json.loads(answer.content)["code"] in ("invalid_json", "invalid_request")
