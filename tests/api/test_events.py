"""GET /events on real sockets: the stream for curl and EventSource."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from app.engine.service import Service
from app.store import event_log
from tests.api.conftest import MakeKey, Served, order_body
from tests.api.test_stream import write_events


@asynccontextmanager
async def listening(
    served: Served, key: str, *, last: str | None = None, **query: str
) -> AsyncIterator[AsyncIterator[dict[str, str]]]:
    headers = {"Authorization": f"Bearer {key}"} | ({"Last-Event-ID": last} if last else {})
    async with (
        httpx.AsyncClient(timeout=10) as client,
        client.stream("GET", f"{served.url}/events", params=query, headers=headers) as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-cache"
        yield messages(answer.aiter_lines())


async def messages(lines: AsyncIterator[str]) -> AsyncIterator[dict[str, str]]:
    """What an EventSource would dispatch."""
    message: dict[str, str] = {}
    async for line in lines:
        if not line:
            if "data" in message:
                yield message
            message = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(": ")
            message[name] = value


async def take(told: AsyncIterator[dict[str, str]], count: int) -> list[dict[str, str]]:
    async with asyncio.timeout(60):
        return [await anext(told) for _ in range(count)]


async def test_events_come_live_with_their_cursor(
    served: Served, admin_key: str, client: httpx.AsyncClient
) -> None:
    async with listening(served, admin_key) as told:
        order = (await client.post("/orders", json=order_body())).json()
        [message] = await take(told, 1)
    frame = json.loads(message["data"])
    assert (message["event"], frame["order_id"]) == ("order.accepted", order["id"])
    assert message["id"] == frame["cursor"]


async def test_last_event_id_resumes_without_gap_or_repetition(
    served: Served, admin_key: str, service: Service
) -> None:
    writing = asyncio.create_task(write_events(service.database, 120))
    seen: list[dict[str, str]] = []
    while len(seen) < 120:
        last = seen[-1]["id"] if seen else None
        # Like EventSource, which keeps the address it was given: the header goes first.
        async with listening(served, admin_key, last=last, after="start") as told:
            seen += await take(told, min(17, 120 - len(seen)))
    await writing
    assert [json.loads(m["data"])["data"]["n"] for m in seen] == list(range(120))


async def test_channels_and_accounts_filter(
    served: Served, make_key: MakeKey, client: httpx.AsyncClient, service: Service
) -> None:
    await client.post("/orders", json=order_body())
    await write_events(service.database, 1)
    await client.post("/orders", json=order_body(account="other"))
    key = await make_key("read")
    async with listening(served, key, after="start", channels="alerts") as told:
        assert [m["event"] for m in await take(told, 1)] == ["alert.raised"]
    bound = await make_key("read", accounts=["other"])
    async with listening(served, bound, after="start") as told:
        [message] = await take(told, 1)
    assert json.loads(message["data"])["account"] == "other"


async def test_a_gap_is_told(served: Served, admin_key: str, service: Service) -> None:
    await write_events(service.database, 3)
    async with service.database.connection() as connection:
        oldest = await event_log.oldest(connection)
        kept = await event_log.read(connection, oldest, limit=10)
    async with listening(served, admin_key, after="9-1-1") as told:
        gap, *rest = await take(told, 4)
    assert json.loads(gap["data"]) == {"type": "gap", "oldest": str(oldest)}
    assert [m["id"] for m in rest] == [str(e.cursor) for e in kept]


async def test_a_revoked_key_ends_it(
    served: Served, make_key: MakeKey, client: httpx.AsyncClient
) -> None:
    key = await make_key("read")
    async with listening(served, key) as told:
        await client.delete(f"/keys/{key.split('_')[1]}")
        with pytest.raises(StopAsyncIteration):
            await take(told, 1)


async def test_the_server_can_stop(served: Served, admin_key: str) -> None:
    async with listening(served, admin_key) as told:
        served.api.state.streams.close()
        with pytest.raises(StopAsyncIteration):
            await take(told, 1)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"after": "yesterday"}, "after"),
        ({"channels": "weather"}, "channels"),
        ({"chanels": "orders"}, "chanels"),
    ],
)
async def test_what_cannot_be_followed_is_refused_before_it_begins(
    client: httpx.AsyncClient, query: dict[str, Any], field: str
) -> None:
    answer = await client.get("/events", params=query)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == [field]


async def test_who_leaves_is_forgotten(served: Served, admin_key: str, service: Service) -> None:
    async with listening(served, admin_key, after="start"):
        await asyncio.sleep(0.2)
        assert service.hub.subscribers == 1
    await asyncio.sleep(0.5)
    assert service.hub.subscribers == 0
