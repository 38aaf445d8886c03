"""WS /stream on real sockets: nothing lost, nothing twice, and every way it ends."""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from app.engine.service import Service
from app.store import event_log, keys
from app.store.database import Database
from tests.api.conftest import NOW, MakeKey, Served, order_body


@asynccontextmanager
async def listening(
    served: Served, key: str | None, **subscription: Any
) -> AsyncIterator[ClientConnection]:
    """A client that is subscribed (unless there is nothing to subscribe to)."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with connect(
        served.stream_url,
        additional_headers=headers,
        compression=None,
        max_queue=4,
        # A client that left its frames unread does not see the server's farewell.
        close_timeout=0.2,
    ) as socket:
        if subscription:
            await say(socket, action="subscribe", **subscription)
            assert (await answer(socket))["type"] == "subscribed"
        yield socket


async def say(socket: ClientConnection, **message: Any) -> None:
    await socket.send(json.dumps(message))


async def heard(socket: ClientConnection) -> dict[str, Any]:
    frame: dict[str, Any] = json.loads(await asyncio.wait_for(socket.recv(), 30))
    return frame


async def answer(socket: ClientConnection) -> dict[str, Any]:
    """The next frame that is no heartbeat."""
    while True:
        frame = await heard(socket)
        if frame["type"] != "heartbeat":
            return frame


async def events(socket: ClientConnection, count: int) -> list[dict[str, Any]]:
    return [await answer(socket) for _ in range(count)]


async def ended(socket: ClientConnection) -> tuple[int, str]:
    """How the server closes, reading on until it does."""
    with suppress(ConnectionClosed):
        async with asyncio.timeout(60):
            while True:
                await socket.recv()
    assert socket.close_code is not None
    return socket.close_code, socket.close_reason or ""


async def write_events(database: Database, count: int, *, name: str = "w", size: int = 0) -> None:
    """Alerts' events, each in a transaction of its own, some of them slow to commit."""
    chance = random.Random(name)
    for n in range(count):
        async with database.transaction() as connection:
            await event_log.write(
                connection,
                account="main",
                type="alert.raised",
                at=NOW,
                data={"n": n, "writer": name, "pad": "x" * size},
            )
            if chance.random() < 0.3:
                await asyncio.sleep(chance.random() * 0.02)


async def written(service: Service) -> int:
    async with service.database.connection() as connection:
        count: int = await connection.fetchval("SELECT count(*) FROM events")
        return count


async def test_an_order_is_told_as_it_is_entered(
    served: Served, admin_key: str, client: httpx.AsyncClient
) -> None:
    async with listening(served, admin_key, channels=["orders"]) as socket:
        order = (await client.post("/orders", json=order_body())).json()
        frame = await answer(socket)
    assert (frame["type"], frame["order_id"], frame["seq"]) == ("order.accepted", order["id"], 1)
    sums = frame["data"]["order"]
    assert (sums["qty"], sums["unsent"], sums["symbol"]) == ("500", "500", "ACME")
    assert frame["cursor"]


async def test_the_key_may_come_as_the_first_message(
    served: Served, make_key: MakeKey, client: httpx.AsyncClient
) -> None:
    async with listening(served, None) as socket:
        await say(socket, action="auth", key=await make_key("read"))
        assert await answer(socket) == {"type": "authorized"}
        await say(socket, action="subscribe", channels=["orders"])
        assert (await answer(socket))["type"] == "subscribed"
        await client.post("/orders", json=order_body())
        assert (await answer(socket))["type"] == "order.accepted"


async def test_nothing_is_said_before_the_key_is_known(
    served: Served, client: httpx.AsyncClient
) -> None:
    async with listening(served, None) as socket:
        await client.post("/orders", json=order_body())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(socket.recv(), 0.3)
        assert (await ended(socket))[0] == 4401


@pytest.mark.parametrize(
    "first", [{"action": "auth", "key": "slip_x_y"}, {"action": "subscribe"}, {"action": "ping"}]
)
async def test_a_wrong_first_message_ends_it(served: Served, first: dict[str, str]) -> None:
    async with listening(served, None) as socket:
        await say(socket, **first)
        assert (await ended(socket))[0] == 4401


async def test_a_wrong_key_in_the_handshake_ends_it(served: Served) -> None:
    async with listening(served, "slip_0000_nothing") as socket:
        assert (await ended(socket))[0] == 4401


async def test_a_key_without_the_scope_is_not_allowed(served: Served, make_key: MakeKey) -> None:
    async with listening(served, await make_key("trade")) as socket:
        assert (await ended(socket))[0] == 4403


async def test_a_foreign_account_is_not_allowed(served: Served, make_key: MakeKey) -> None:
    async with listening(served, await make_key("read", accounts=["other"])) as socket:
        await say(socket, action="subscribe", account="main")
        assert (await ended(socket))[0] == 4403


async def test_a_bound_key_hears_its_own_accounts_only(
    served: Served, make_key: MakeKey, client: httpx.AsyncClient
) -> None:
    key = await make_key("read", accounts=["other"])
    async with listening(served, key, after="start") as socket:
        await client.post("/orders", json=order_body())
        await client.post("/orders", json=order_body(account="other"))
        assert (await answer(socket))["account"] == "other"


async def test_filters_hold_back_what_was_not_asked_for(
    served: Served, admin_key: str, client: httpx.AsyncClient, service: Service
) -> None:
    one = (await client.post("/orders", json=order_body())).json()
    two = (await client.post("/orders", json=order_body())).json()
    await write_events(service.database, 1)
    async with listening(served, admin_key, after="start", orders=[two["id"]]) as socket:
        assert (await answer(socket))["order_id"] == two["id"]
        # A second subscription replaces the first.
        await say(socket, action="subscribe", after="start", channels=["alerts"])
        assert (await answer(socket))["channels"] == ["alerts"]
        assert (await answer(socket))["type"] == "alert.raised"
        await say(socket, action="subscribe", after="start", symbols=["ACME"])
        assert (await answer(socket))["type"] == "subscribed"
        assert [e["order_id"] for e in await events(socket, 2)] == [one["id"], two["id"]]
        await say(socket, action="unsubscribe")
        assert (await answer(socket))["type"] == "unsubscribed"
        await client.post("/orders", json=order_body())
        await say(socket, action="ping")
        assert (await answer(socket))["type"] == "pong"


async def test_a_second_subscription_replaces_the_first(
    served: Served, admin_key: str, client: httpx.AsyncClient
) -> None:
    async with listening(served, admin_key, channels=["orders"]) as socket:
        await say(socket, action="subscribe", channels=["orders"])
        assert (await answer(socket))["type"] == "subscribed"
        for _ in range(2):
            order = (await client.post("/orders", json=order_body())).json()
            assert (await answer(socket))["order_id"] == order["id"]


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("{", "invalid_json"),
        ("[]", "invalid_json"),
        ('{"action":"dance"}', "invalid_request"),
        ('{"action":"subscribe","chanels":[]}', "invalid_request"),
        ('{"action":"subscribe","channels":["weather"]}', "unknown_channel"),
        ('{"action":"subscribe","after":"yesterday"}', "bad_cursor"),
        ('{"action":"auth","key":"again"}', "already_authorized"),
    ],
)
async def test_a_bad_message_is_answered_and_forgiven(
    served: Served, admin_key: str, message: str, code: str
) -> None:
    async with listening(served, admin_key) as socket:
        await socket.send(message)
        error = await answer(socket)
        assert (error["type"], error["code"]) == ("error", code)
        await say(socket, action="ping")
        assert (await answer(socket))["type"] == "pong"


async def test_a_message_too_large_ends_it(served: Served, admin_key: str) -> None:
    async with listening(served, admin_key) as socket:
        await socket.send("x" * (64 * 1024 + 1))
        assert (await ended(socket))[0] == 1009


async def test_heartbeats_carry_the_head(served: Served, admin_key: str, service: Service) -> None:
    async with listening(served, admin_key) as socket:
        await write_events(service.database, 1)
        async with asyncio.timeout(30):
            while (beat := await heard(socket))["cursor"] != str(service.hub.head) or (
                service.hub.head.xid == 0
            ):
                assert beat["type"] == "heartbeat"


async def test_heartbeats_carry_the_place_of_a_subscription(
    served: Served, admin_key: str, service: Service
) -> None:
    """Never the head: what lies between is still to be told, and would be lost by coming back."""
    await write_events(service.database, 3)
    async with listening(served, admin_key, after="start") as socket:
        told = await events(socket, 3)
        service.hub.head = replace(service.hub.head, xid=10**12)
        frame = await heard(socket)
    assert (frame["type"], frame["cursor"]) == ("heartbeat", told[-1]["cursor"])


async def test_start_means_the_oldest_that_is_kept(
    served: Served, admin_key: str, service: Service
) -> None:
    await write_events(service.database, 4)
    async with service.database.connection() as connection:
        kept = await event_log.read(connection, await event_log.oldest(connection), limit=10)
        floor = str(kept[1].cursor)
        await connection.execute("INSERT INTO meta (key, value) VALUES ('events_floor', $1)", floor)
    while service.hub.head < kept[-1].cursor:
        await asyncio.sleep(0.01)
    async with listening(served, admin_key, after="start") as socket:
        told = await events(socket, 2)
    assert [e["cursor"] for e in told] == [str(e.cursor) for e in kept[2:]]


async def test_replay_and_live_meet_without_gap_or_repetition(
    served: Served, admin_key: str, service: Service
) -> None:
    """Clients come and go with their last cursor while several writers commit out of order."""
    writers = 4
    writing = [
        asyncio.create_task(write_events(service.database, 100, name=f"w{n}"))
        for n in range(writers)
    ]
    seen: list[dict[str, Any]] = []
    while len(seen) < writers * 100:
        after = seen[-1]["cursor"] if seen else "start"
        async with listening(served, admin_key, after=after, channels=["alerts"]) as socket:
            seen += await events(socket, min(37, writers * 100 - len(seen)))
    await asyncio.gather(*writing)
    told = [(e["data"]["writer"], e["data"]["n"]) for e in seen]
    assert len(set(told)) == len(told)
    assert set(told) == {(f"w{w}", n) for w in range(writers) for n in range(100)}
    async with listening(served, admin_key, after=seen[-1]["cursor"]) as socket:
        await say(socket, action="ping")
        assert (await answer(socket))["type"] == "pong"


async def test_from_now_on_means_from_the_head_that_is_told(
    served: Served, admin_key: str, service: Service
) -> None:
    await write_events(service.database, 3, name="before")
    await asyncio.sleep(0.5)
    writing = asyncio.create_task(write_events(service.database, 50, name="now"))
    async with listening(served, admin_key) as socket:
        await say(socket, action="subscribe")
        head = (await answer(socket))["head"]
        await writing
        async with service.database.connection() as connection:
            rest = await event_log.read(connection, event_log.Cursor.parse(head), limit=1000)
        told = await events(socket, len(rest))
    assert [e["cursor"] for e in told] == [str(e.cursor) for e in rest]


async def test_a_cursor_ahead_of_this_server_is_told_nothing_twice(
    served: Served, admin_key: str, service: Service
) -> None:
    """Another server was faster: the hub of this one has yet to read what the client knows."""
    await write_events(service.database, 2)
    async with service.database.connection() as connection:
        oldest = await event_log.oldest(connection)
        one, two = await event_log.read(connection, oldest, limit=10)
    service.hub.head = oldest
    async with listening(served, admin_key, after=str(one.cursor)) as socket:
        assert (await answer(socket))["cursor"] == str(two.cursor)


@pytest.mark.parametrize("after", ["7-5-5", "{era}-1-1", "{era}-999999999999-1"])
async def test_a_cursor_that_is_gone_gets_a_gap_and_goes_on(
    served: Served, admin_key: str, service: Service, after: str
) -> None:
    await write_events(service.database, 5)
    async with service.database.connection() as connection:
        kept = await event_log.read(connection, await event_log.oldest(connection), limit=10)
        floor = str(kept[1].cursor)
        await connection.execute("INSERT INTO meta (key, value) VALUES ('events_floor', $1)", floor)
    after = after.format(era=kept[0].cursor.era)
    async with listening(served, admin_key, after=after) as socket:
        assert await answer(socket) == {"type": "gap", "oldest": floor}
        told = await events(socket, 3)
    assert [e["cursor"] for e in told] == [str(e.cursor) for e in kept[2:]]


async def test_a_reader_that_stops_is_let_go_and_comes_back(
    served: Served, admin_key: str, service: Service
) -> None:
    count, size = 1500, 8_000
    seen: list[dict[str, Any]] = []
    reasons = []
    writing = asyncio.create_task(write_events(service.database, count, size=size))
    while len(seen) < count:
        after = seen[-1]["cursor"] if seen else "start"
        async with listening(served, admin_key, after=after, channels=["alerts"]) as socket:
            if not reasons:
                await asyncio.sleep(3)  # Reads nothing; frames pile up between the two.
            try:
                while len(seen) < count:
                    seen.append(await answer(socket))
            except ConnectionClosed:
                reasons.append((socket.close_code, socket.close_reason))
    await writing
    assert [e["data"]["n"] for e in seen] == list(range(count))
    assert [code for code, _ in reasons] == [1013]
    # The cursor it was let go with is the last one it got.
    assert reasons[0][1] in {e["cursor"] for e in seen}


async def test_a_slow_reader_does_not_hold_up_the_others(
    served: Served, admin_key: str, service: Service
) -> None:
    async with (
        listening(served, admin_key, channels=["alerts"]),
        listening(served, admin_key, channels=["alerts"]) as quick,
    ):
        began = time.monotonic()
        writing = asyncio.create_task(write_events(service.database, 300, size=20_000))
        told = await events(quick, 300)
        await writing
    assert [e["data"]["n"] for e in told] == list(range(300))
    assert time.monotonic() - began < 30


async def test_a_revoked_key_stops_within_five_seconds(
    served: Served, make_key: MakeKey, client: httpx.AsyncClient
) -> None:
    key = await make_key("read")
    async with listening(served, key, channels=["orders"]) as socket:
        ended_at = asyncio.create_task(ended(socket))
        await asyncio.sleep(0.3)
        began = time.monotonic()
        assert (await client.delete(f"/keys/{key.split('_')[1]}")).status_code == 204
        assert (await ended_at)[0] == 4401
    assert time.monotonic() - began < 5
    # And by then no request gets through either.
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {key}"}) as revoked:
        assert (await revoked.get(f"{served.url}/orders")).status_code == 401


async def test_a_restart_is_told(served: Served, admin_key: str) -> None:
    async with listening(served, admin_key, channels=["orders"]) as socket:
        served.api.state.streams.close()
        assert (await ended(socket))[0] == 1012


async def test_who_leaves_is_forgotten(served: Served, admin_key: str, service: Service) -> None:
    async with listening(served, admin_key, after="start") as socket:
        await say(socket, action="ping")
        await answer(socket)
        assert service.hub.subscribers == 1
    await asyncio.sleep(0.3)
    assert service.hub.subscribers == 0


async def test_the_key_is_in_no_frame(served: Served, admin_key: str) -> None:
    async with listening(served, None) as socket:
        await say(socket, action="auth", key=admin_key, extra=admin_key)
        _, reason = await ended(socket)
    assert admin_key not in reason
    assert keys.SCOPES
