"""Every route of the API page × every scope × keys that open nothing × objects of another account.

Everything that an account can hold is marked with a word of its own; no answer to a stranger may
have it, whatever the route, whether it refuses or not.
"""

import json
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from websockets.asyncio.client import connect

from app.api import tradingview
from app.api.alpaca.app import PREFIX
from app.api.health import PUBLIC as OPEN_PAGES
from app.domain.alert import Alert, Severity
from app.engine.access import SCOPES
from app.engine.service import Service
from app.store import alerts
from tests.api.conftest import NOW, MakeKey, Served, client_for, order_body
from tests.api.test_access import MAY, declared

PUBLIC = OPEN_PAGES | tradingview.PUBLIC

CANARY = "zqcanary"
STREAMS = {"/events"}

Asked = tuple[str, str, dict[str, Any] | None]


def operations(page: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in page["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def body_for(operation: dict[str, Any]) -> dict[str, Any] | None:
    """A good body, where the page has one, else an empty one."""
    if "requestBody" not in operation:
        return None
    examples = operation["requestBody"]["content"]["application/json"].get("examples", {})
    return next((dict(e["value"]) for e in examples.values()), {})


def test_no_operation_is_without_a_scope(api: FastAPI) -> None:
    scopes = {(m, p.replace(":path", "")): scope for m, p, scope in declared(api)}
    for method, path, _ in operations(api.openapi()):
        assert (scopes[method, path] in SCOPES) != (path in PUBLIC), f"{method} {path}"


@pytest.mark.parametrize("held", SCOPES)
async def test_a_scope_opens_its_routes_and_no_other(
    api: FastAPI, make_key: MakeKey, held: str
) -> None:
    scopes = {(m, p.replace(":path", "")): scope for m, p, scope in declared(api)}
    async with client_for(api, await make_key(held)) as client:
        for method, path, operation in operations(api.openapi()):
            scope = scopes[method, path]
            if scope is None or path in STREAMS:
                continue
            # What has no body of its own must not throw a switch or end what another test needs.
            place = filled(path, {})
            answer = await client.request(method, place, json=body_for(operation))
            refused = answer.status_code == 403 and answer.json()["code"] == "scope_missing"
            assert refused == (scope not in MAY[held]), f"{held}: {method} {path} {answer.text}"


async def test_a_key_that_ended_or_expired_opens_nothing(
    api: FastAPI, client: httpx.AsyncClient, service: Service
) -> None:
    soon = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
    made = {}
    for name, more in (("ended", {}), ("expired", {"expires_at": soon})):
        body = {"name": name, "scopes": ["admin"], **more}
        made[name] = (await client.post("/keys", json=body)).json()
    assert (await client.delete(f"/keys/{made['ended']['id']}")).status_code == 204
    async with service.database.connection() as connection:
        await connection.execute(
            "UPDATE api_keys SET expires_at = clock_timestamp() WHERE id = $1",
            made["expired"]["id"],
        )
    shown = [made["ended"]["key"], made["expired"]["key"], "garbage", "slip_0_0", "x" * 300, "§"]
    async with client_for(api, None) as stranger:
        for method, path, operation in operations(api.openapi()):
            if path in PUBLIC:
                continue
            for key in shown:
                headers = {"Authorization": f"Bearer {key}".encode()}
                answer = await stranger.request(
                    method,
                    filled(path, {}),
                    json=body_for(operation),
                    headers=headers,  # type: ignore[arg-type]
                )
                assert answer.status_code == 401, f"{method} {path} {key[:12]} {answer.text}"


@pytest.fixture
async def theirs(client: httpx.AsyncClient, service: Service) -> dict[str, str]:
    """One of each thing that `main` can hold, marked in every text that it may write."""
    label = f"{CANARY}-strategy"
    order = await client.post(
        "/orders",
        json=order_body(
            client_order_id=f"{CANARY}-id", strategy=label, tags=[f"{CANARY}-tag"], account="main"
        ),
    )
    assert order.status_code == 202, order.text
    signal = await client.post(
        "/signals",
        json={
            "action": "BUY",
            "symbol": "ACME",
            "size": "5",
            "id": f"{CANARY}-signal",
            "source": f"{CANARY}-source",
            "strategy": label,
        },
    )
    settings = {"kind": "momentum", "reason": f"{CANARY}-reason"}
    assert (await client.put(f"/strategies/{label}", json=settings)).status_code == 200
    limit = {
        "scope": "account",
        "name": "main",
        "limit": "max_order_qty",
        "hard": "777777",
        "reason": f"{CANARY}-reason",
    }
    assert (await client.put("/risk/limits", json=limit)).status_code == 200
    switch = {"scope": "account", "name": "main", "reason": f"{CANARY}-reason"}
    assert (await client.post("/risk/kill-switches", json=switch)).status_code == 200
    key = {"name": f"{CANARY}-key", "scopes": ["read"], "accounts": ["main"]}
    made = (await client.post("/keys", json=key)).json()
    order_id = order.json()["id"]
    raised = Alert("stalled_order", order_id, Severity.WARNING, f"{CANARY} slow", {"x": CANARY})
    async with service.database.transaction() as connection:
        await alerts.raise_alerts(connection, account="main", alerts=[raised], at=NOW)
        alert = await connection.fetchval("SELECT id FROM alerts")
    return {
        "order_id": order_id,
        "child_id": f"{order_id[:8]}-1",
        "signal_id": signal.json()["id"],
        "alert_id": alert,
        "key_id": made["id"],
        "name": label,
        "limit": "max_order_qty",
        "scope": "account",
        "backtest_id": str(uuid.uuid4()),
    }


def filled(path: str, places: dict[str, str]) -> str:
    for name in set(part.split("}")[0] for part in path.split("{")[1:]):
        path = path.replace(f"{{{name}}}", places.get(name, str(uuid.uuid4())))
    return path


async def test_no_route_tells_a_stranger_of_another_account(
    api: FastAPI, make_key: MakeKey, theirs: dict[str, str], client: httpx.AsyncClient
) -> None:
    key = await make_key(*SCOPES, accounts=["other"])
    before = (await client.get(f"/orders/{theirs['order_id']}")).json()
    async with client_for(api, key) as stranger:
        for method, path, operation in operations(api.openapi()):
            if path in STREAMS:
                continue
            places = theirs | ({"name": "main"} if "{scope}" in path else {})
            for query in ("", "?account=main", "?account=other", f"?strategy={places['name']}"):
                answer = await stranger.request(
                    method,
                    filled(path, places) + query,
                    json=body_for(operation),
                    headers={"If-Match": '"v1"'},
                )
                told = f"{method} {path}{query}: {answer.status_code} {answer.text[:300]}"
                mirrored = answer.text.replace(places["name"], "")
                assert CANARY not in mirrored, told
                assert theirs["order_id"] not in answer.text.replace(
                    f"order {theirs['order_id']}", ""
                ), told
                if "{" in path and "{name}" not in path and method != "GET":
                    assert answer.status_code in (403, 404, 422), told
    after = (await client.get(f"/orders/{theirs['order_id']}")).json()
    assert after == before
    assert len((await client.get("/risk/kill-switches")).json()["items"]) >= 1


HELD = "424242"
"""Of a share, in `main` alone."""


@pytest.fixture
async def alpaca(theirs: dict[str, str], service: Service) -> dict[str, str]:
    """What stands in the places of the Alpaca surface; `main` holds a position as well."""
    async with service.database.connection() as connection:
        await connection.execute(
            "INSERT INTO positions (account, symbol, qty, average_price)"
            " VALUES ('main', 'ACME', $1::text::numeric, 99)",
            HELD,
        )
    return theirs | {"symbol": "ACME", "symbol_or_id": "ACME"}


async def test_no_route_of_the_alpaca_surface_tells_a_stranger_of_another_account(
    api: FastAPI, make_key: MakeKey, alpaca: dict[str, str], client: httpx.AsyncClient
) -> None:
    [mounted] = [route for route in api.routes if getattr(route, "path", "") == PREFIX]
    page = mounted.app.openapi()  # type: ignore[attr-defined]
    before = await all_of_main(client, alpaca)
    assert CANARY in str(before)
    assert HELD in str(before)
    asked = 0
    async with client_for(api, await make_key(*SCOPES, accounts=["other"])) as stranger:
        for method, path, operation in operations(page):
            for query in ("", "?status=all", f"?client_order_id={CANARY}-id", "?symbols=ACME"):
                answer = await stranger.request(
                    method,
                    PREFIX + filled(path, alpaca) + query,
                    json={"qty": "1"} if "requestBody" in operation else None,
                )
                told = f"{method} {path}{query}: {answer.status_code} {answer.text[:300]}"
                mirrored = answer.text.replace(f"order not found for {CANARY}-id", "")
                assert CANARY not in mirrored, told
                assert HELD not in answer.text, told
                seen = answer.text.replace(f"order not found for {alpaca['order_id']}", "")
                assert alpaca["order_id"] not in seen, told
                if "{order_id}" in path and not query:
                    assert answer.status_code == 404, told
                asked += answer.status_code < 400
    assert asked > 15, "hardly anything was let in"
    assert await all_of_main(client, alpaca) == before


async def all_of_main(client: httpx.AsyncClient, places: dict[str, str]) -> list[Any]:
    """What its owner sees of an account, natively and in Alpaca's words."""
    seen = []
    for path in (f"/orders/{places['order_id']}", "/alpaca/v2/orders", "/alpaca/v2/positions"):
        answer = await client.get(path)
        assert answer.status_code == 200, answer.text
        seen.append(answer.json())
    return seen


async def test_streams_tell_a_stranger_nothing(
    served: Served, make_key: MakeKey, theirs: dict[str, str]
) -> None:
    key = await make_key("read", accounts=["other"])
    headers = {"Authorization": f"Bearer {key}"}
    url = f"{served.url}/events?after=start"
    async with httpx.AsyncClient(headers=headers, timeout=5) as listener:
        async with listener.stream("GET", url) as answer:
            assert CANARY not in await heard(answer)
        refused = await listener.get(f"{served.url}/events?account=main")
        assert refused.status_code == 403
    async with connect(served.stream_url, additional_headers=headers) as socket:
        wish = {"action": "subscribe", "after": "start", "orders": [theirs["order_id"]]}
        await socket.send(json.dumps(wish))
        until, told = time.monotonic() + 1.5, ""
        while time.monotonic() < until:
            told += str(await socket.recv())
    assert "subscribed" in told
    assert CANARY not in told


async def heard(answer: httpx.Response) -> str:
    until, told = time.monotonic() + 1.5, ""
    async for line in answer.aiter_text():
        told += line
        if time.monotonic() > until:
            break
    return told
