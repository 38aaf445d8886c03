"""Every route × every scope × foreign accounts."""

import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, APIWebSocketRoute, iter_route_contexts

from app.api import stream, tradingview
from app.api.auth import Needs
from app.api.health import PUBLIC as OPEN_PAGES
from app.domain.alert import Alert, Severity
from app.engine.access import SCOPES
from app.engine.service import Service
from app.store import alerts
from tests.api.conftest import NOW, MakeKey, client_for, order_body

PUBLIC = OPEN_PAGES | tradingview.PUBLIC
PAGES = {"/openapi.json", "/docs", "/docs/static", "/alpaca"}
"""Without a scope; what is mounted has scopes of its own: tests/compat/test_scopes.py."""

ID = str(uuid.uuid4())


def declared(api: FastAPI) -> Iterator[tuple[str, str, str | None]]:
    """Method, path and scope of every route."""
    for context in iter_route_contexts(api.routes):
        route = context.original_route
        assert isinstance(route, APIRoute | APIWebSocketRoute) or context.path in PAGES
        if isinstance(route, APIRoute) and context.path not in PAGES:
            needs = [
                d.call.scope for d in route.dependant.dependencies if isinstance(d.call, Needs)
            ]
            for method in route.methods:
                yield method, route.path, needs[0] if needs else None


def test_every_route_declares_its_scope(api: FastAPI) -> None:
    routes = list(declared(api))
    assert len(routes) > 25
    for method, path, scope in routes:
        assert (scope in SCOPES) != (path in PUBLIC), f"{method} {path} declares no scope"
    assert stream.SCOPE in SCOPES


BEYOND_READING = {
    ("POST", "/orders"): "trade",
    ("POST", "/orders/batch"): "trade",
    ("PATCH", "/orders/{order_id}"): "trade",
    ("POST", "/orders/{order_id}/resume"): "trade",
    ("POST", "/orders/{order_id}/what-if"): "trade",
    ("POST", "/backtests"): "trade",
    ("DELETE", "/backtests/{backtest_id}"): "trade",
    ("POST", "/backtests/{backtest_id}/restart"): "trade",
    ("POST", "/signals"): "trade",
    ("POST", "/alerts/{alert_id}/ack"): "trade",
    # What makes risk smaller never needs more than canceling.
    ("DELETE", "/orders"): "cancel",
    ("DELETE", "/orders/{order_id}"): "cancel",
    ("POST", "/orders/{order_id}/pause"): "cancel",
    ("POST", "/risk/kill-switches"): "cancel",
    ("DELETE", "/risk/kill-switches/{scope}/{name:path}"): "risk",
    ("PUT", "/risk/limits"): "risk",
    ("DELETE", "/risk/limits/{scope}/{limit}/{name:path}"): "risk",
    ("GET", "/risk/limits/changes"): "risk",
    ("GET", "/audit-trail"): "risk",
    ("PUT", "/strategies/{name}"): "risk",
    ("POST", "/orders/{order_id}/children/{child_id}/resolve"): "risk",
    ("PUT", "/clock"): "admin",
    ("GET", "/keys"): "admin",
    ("POST", "/keys"): "admin",
    ("POST", "/keys/{key_id}/rotate"): "admin",
    ("DELETE", "/keys/{key_id}"): "admin",
    ("GET", "/hooks"): "risk",
    ("POST", "/hooks"): "admin",
    ("POST", "/hooks/{hook_id}/rotate"): "admin",
    ("DELETE", "/hooks/{hook_id}"): "risk",
}


def test_reading_is_all_that_a_reader_may(api: FastAPI) -> None:
    beyond = {(m, p): scope for m, p, scope in declared(api) if scope not in ("read", None)}
    assert beyond == BEYOND_READING
    reading = {(m, p) for m, p, scope in declared(api) if scope == "read"}
    assert {m for m, p in reading if p != "/orders/preview"} == {"GET"}


MAY = {
    "read": {"read"},
    "trade": {"trade", "cancel"},
    "cancel": {"cancel"},
    "risk": {"risk", "cancel"},
    "admin": set(SCOPES),
}


@pytest.mark.parametrize("held", SCOPES)
async def test_a_key_opens_what_its_scope_says(api: FastAPI, make_key: MakeKey, held: str) -> None:
    async with client_for(api, await make_key(held)) as client:
        for method, path, scope in declared(api):
            if scope is None or path == "/events":
                continue
            answer = await call(client, method, path)
            refused = answer.status_code == 403
            assert refused == (scope not in MAY[held]), f"{held}: {method} {path} {answer.text}"
            if refused:
                assert answer.json()["code"] == "scope_missing"


async def call(client: httpx.AsyncClient, method: str, path: str) -> httpx.Response:
    """A request that may be wrong in every way but its key."""
    path = path.replace("{order_id}", ID).replace("{alert_id}", ID).replace("{signal_id}", ID)
    return await client.request(method, path.replace("{key_id}", "nobody"))


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer slip_0000_wrong",
        "Bearer slip__",
        "Basic c2xpcA==",
        "Bearer slip_a\x01b_c",
        "Bearer " + "x" * 5000,
    ],
)
async def test_without_a_living_key_every_route_is_closed(api: FastAPI, header: str | None) -> None:
    headers = {"Authorization": header} if header is not None else {}
    async with client_for(api, None) as client:
        client.headers.update(headers)
        for method, path, scope in declared(api):
            if scope is not None:
                answer = await call(client, method, path)
                assert answer.status_code == 401, f"{method} {path}"
                assert answer.headers["www-authenticate"].startswith("Bearer")
                assert answer.json()["code"] == "not_authenticated"


async def test_a_wrong_secret_of_a_known_key_is_refused(api: FastAPI, make_key: MakeKey) -> None:
    key = await make_key("read")
    async with client_for(api, key) as client:
        assert (await client.get("/orders")).status_code == 200
    async with client_for(api, key[:-1] + ("A" if key[-1] != "A" else "B")) as client:
        assert (await client.get("/orders")).status_code == 401


@pytest.fixture
async def foreign(client: httpx.AsyncClient, service: Service) -> dict[str, str]:
    """An order, a signal and an alert of `main`, for those who may not see them."""
    order = (await client.post("/orders", json=order_body(client_order_id="theirs"))).json()
    signal = await client.post("/signals", json={"action": "BUY", "market": "ACME", "size": "5"})
    raised = Alert("stalled_order", order["id"], Severity.WARNING, "slow", {})
    async with service.database.transaction() as connection:
        await alerts.raise_alerts(connection, account="main", alerts=[raised], at=NOW)
        alert = await connection.fetchval("SELECT id FROM alerts")
    return {
        "child_id": "c",
        "order_id": order["id"],
        "signal_id": signal.json()["id"],
        "alert_id": alert,
    }


async def test_objects_of_another_account_are_not_there(
    api: FastAPI, make_key: MakeKey, foreign: dict[str, str], client: httpx.AsyncClient
) -> None:
    key = await make_key("read", "trade", "cancel", "risk", accounts=["other"])
    async with client_for(api, key) as bound:
        for method, path, _ in declared(api):
            if "{" not in path or "{key_id}" in path or "{scope}" in path:
                continue
            if path.startswith(("/backtests", "/strategies", "/hooks", "/webhooks")):
                continue  # Those of other accounts: test_backtests.py, test_signals.py, …
            bodies: dict[str, dict[str, Any]] = {
                "resolve": {"outcome": "absent", "reason": "gone"},
                "what-if": {"set": {}},
            }
            body = bodies.get(path.rsplit("/", 1)[-1], {"qty": "1"})
            answer = await bound.request(
                method, path.format(**foreign), json=body, headers={"If-Match": '"v1"'}
            )
            assert answer.status_code == 404, f"{method} {path} {answer.text}"
        for path in ("/orders", "/fills", "/positions", "/alerts"):
            assert (await bound.get(path)).json()["items"] == [], path
        found = await bound.get("/orders:by_client_order_id?client_order_id=theirs")
        assert found.status_code == 404
        assert [a["account"] for a in (await bound.get("/accounts")).json()["items"]] == ["other"]
        counts = (await bound.get("/status")).json()["counts"]
        assert (counts["orders"], counts["fills"]) == ({}, 0)
    order = (await client.get(f"/orders/{foreign['order_id']}")).json()
    assert order["version"] == 1


async def test_nothing_is_created_in_another_account(api: FastAPI, make_key: MakeKey) -> None:
    key = await make_key("read", "trade", accounts=["other"])
    signal = {"action": "BUY", "market": "ACME", "size": "5", "account": "main"}
    async with client_for(api, key) as bound:
        for answer in (
            await bound.post("/orders", json=order_body(account="main")),
            await bound.post("/orders/preview", json=order_body(account="main")),
            await bound.post("/signals", json=signal),
            await bound.delete("/orders?account=main"),
            await bound.get("/events?account=main"),
        ):
            assert answer.status_code == 403, answer.text
            assert answer.json()["code"] == "account_not_allowed"


async def test_a_new_key_is_shown_once_and_works(
    client: httpx.AsyncClient, api: FastAPI, service: Service
) -> None:
    made = await client.post("/keys", json={"name": "desk", "scopes": ["read"]})
    assert made.status_code == 201
    assert made.headers["cache-control"] == "no-store"
    key, key_id = made.json()["key"], made.json()["id"]
    async with client_for(api, key) as reader:
        assert (await reader.get("/orders")).status_code == 200
    listed = (await client.get("/keys")).text
    assert key_id in listed
    assert key.split("_", 2)[2] not in listed
    assert (await client.delete(f"/keys/{key_id}")).status_code == 204
    assert (await client.delete(f"/keys/{key_id}")).status_code == 404
    async with service.database.connection() as connection:
        dump = str(await connection.fetch("SELECT * FROM api_keys"))
    assert key.split("_", 2)[2] not in dump


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "x", "scopes": ["root"]}, "scopes"),
        ({"name": "x", "scopes": []}, "scopes"),
        ({"name": "", "scopes": ["read"]}, "name"),
        ({"name": "x", "scopes": ["read"], "accounts": ["nowhere"]}, "accounts"),
        ({"name": "x", "scopes": ["read"], "accounts": []}, "accounts"),
        ({"scopes": ["read"]}, "name"),
    ],
)
async def test_a_bad_key_is_not_made(
    client: httpx.AsyncClient, body: dict[str, Any], field: str
) -> None:
    before = (await client.get("/keys")).json()
    answer = await client.post("/keys", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"][0] == field
    assert len((await client.get("/keys")).json()["items"]) == len(before["items"])


async def test_a_bound_admin_makes_and_ends_bound_keys_only(
    client: httpx.AsyncClient, api: FastAPI, make_key: MakeKey, admin_key: str
) -> None:
    async with client_for(api, await make_key("admin", accounts=["other"])) as bound:
        for accounts in (None, ["main"], ["main", "other"]):
            body = {"name": "more", "scopes": ["admin"], "accounts": accounts}
            assert (await bound.post("/keys", json=body)).status_code == 403
        body = {"name": "same", "scopes": ["trade"], "accounts": ["other"]}
        assert (await bound.post("/keys", json=body)).status_code == 201
        root = admin_key.split("_")[1]
        assert (await bound.delete(f"/keys/{root}")).status_code == 404
        assert root not in (await bound.get("/keys")).text
    assert (await client.get("/keys")).status_code == 200


async def test_no_answer_echoes_a_secret(
    client: httpx.AsyncClient, admin_key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = admin_key.split("_", 2)[2]
    for answer in (
        await client.get("/orders/" + admin_key),
        await client.post("/keys", json={"name": "x", "scopes": [admin_key]}),
        await client.post("/orders", json=order_body(side=admin_key)),
        await client.get("/status"),
        await client.get("/keys"),
    ):
        assert secret not in answer.text.replace(f"/orders/{admin_key}", "")
        assert secret not in str(answer.headers)
    logged = capsys.readouterr().out
    assert secret not in logged.replace(f"/orders/{admin_key}", "")


async def test_what_concerns_all_accounts_is_not_for_a_bound_key(
    api: FastAPI, make_key: MakeKey, client: httpx.AsyncClient, service: Service
) -> None:
    async with service.database.connection() as connection:
        await connection.execute(
            "INSERT INTO leases (name, owner, epoch) VALUES"
            " ('desk:main', 'w', 1), ('desk:other', 'w', 1), ('market', 'w', 1)"
        )
    async with client_for(api, await make_key("admin", accounts=["other"])) as bound:
        for method, path in (("GET", "/metrics"), ("PUT", "/clock")):
            answer = await bound.request(method, path, json={"speed": "60"})
            assert (answer.status_code, answer.json()["code"]) == (403, "account_not_allowed"), path
        leases = (await bound.get("/status")).json()["leases"]
    assert [lease["name"] for lease in leases] == ["desk:other", "market"]
    assert (await client.get("/clock")).json()["speed"] == "1"
    assert len((await client.get("/status")).json()["leases"]) == 3
    assert (await client.get("/metrics")).status_code == 200
