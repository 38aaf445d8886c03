"""Keys that end, keys for some symbols, and keys that take another's place."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.engine.service import Service
from tests.api.conftest import MakeKey, client_for, order_body


def later(**by: float) -> str:
    return (datetime.now(UTC) + timedelta(**by)).isoformat()


async def make(client: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    body = {"name": "desk", "scopes": ["read", "trade"], **fields}
    answer = await client.post("/keys", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def run_out(service: Service, key_id: str) -> None:
    async with service.database.connection() as connection:
        await connection.execute(
            "UPDATE api_keys SET expires_at = clock_timestamp() WHERE id = $1", key_id
        )


async def test_a_key_opens_until_it_expires(
    client: httpx.AsyncClient, api: FastAPI, service: Service
) -> None:
    made = await make(client, expires_at=later(hours=1))
    assert made["expires_at"] is not None
    await run_out(service, made["id"])
    async with client_for(api, made["key"]) as late:
        assert (await late.get("/orders")).status_code == 401


@pytest.mark.parametrize("at", ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00", "never"])
async def test_a_key_cannot_end_before_it_begins(client: httpx.AsyncClient, at: str) -> None:
    body = {"name": "desk", "scopes": ["read"], "expires_at": at}
    answer = await client.post("/keys", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == ["expires_at"]


async def test_a_key_for_some_symbols_trades_no_other(
    client: httpx.AsyncClient, api: FastAPI
) -> None:
    order = (await client.post("/orders", json=order_body())).json()
    allowed = await make(client, symbols=["ACME"])
    other = await make(client, symbols=["GLOBEX"])
    signal = {"action": "BUY", "symbol": "ACME", "size": "5"}
    async with client_for(api, allowed["key"]) as trader:
        assert (await trader.post("/orders", json=order_body())).status_code == 202
        assert (await trader.post("/signals", json=signal)).status_code == 202
    place = f"/orders/{order['id']}"
    async with client_for(api, other["key"]) as stranger:
        for method, path, body in (
            ("POST", "/orders", order_body()),
            ("POST", "/orders/preview", order_body()),
            ("POST", "/signals", signal),
            ("PATCH", place, {"qty": "400"}),
            ("POST", f"{place}/resume", None),
        ):
            answer = await stranger.request(method, path, json=body, headers={"If-Match": '"v1"'})
            assert answer.status_code == 403, f"{method} {path} {answer.text}"
            assert answer.json()["code"] == "symbol_not_allowed"
        batch = await stranger.post("/orders/batch", json={"orders": [order_body()]})
        assert batch.json()["results"][0]["status"] == 403
        # What makes risk smaller is never refused.
        assert (await stranger.post(f"{place}/pause")).status_code == 202
        assert (await stranger.delete(place)).status_code == 202


async def test_both_keys_open_until_the_overlap_is_over(
    client: httpx.AsyncClient, api: FastAPI, service: Service
) -> None:
    old = await make(client, symbols=["ACME"], accounts=["main"], default_algo="twap")
    answer = await client.post(f"/keys/{old['id']}/rotate", json={"overlap": "1h"})
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    new = answer.json()
    for member in ("name", "scopes", "accounts", "symbols", "default_algo"):
        assert new[member] == old[member]
    assert (new["replaces"], new["expires_at"]) == (old["id"], None)
    for key in (old["key"], new["key"]):
        async with client_for(api, key) as trader:
            assert (await trader.get("/orders")).status_code == 200
    listed = {key["id"]: key for key in (await client.get("/keys")).json()["items"]}
    ends = datetime.fromisoformat(listed[old["id"]]["expires_at"])
    assert timedelta(minutes=59) < ends - datetime.now(UTC) < timedelta(minutes=61)
    # A second rotation cannot give the old one more time than it has.
    again = (await client.post(f"/keys/{old['id']}/rotate", json={"overlap": "9h"})).json()
    assert again["old_key_ends_at"] == new["old_key_ends_at"]
    await run_out(service, old["id"])
    assert (await client.post(f"/keys/{old['id']}/rotate", json={})).status_code == 404


async def test_what_becomes_of_keys_is_on_record(client: httpx.AsyncClient) -> None:
    old = await make(client, expires_at=later(hours=1), symbols=["ACME"])
    new = (await client.post(f"/keys/{old['id']}/rotate", json={"overlap": "1m"})).json()
    await client.delete(f"/keys/{old['id']}")
    told = (await client.get("/audit-trail")).json()["items"]
    assert [entry["action"] for entry in told] == [
        "key.ended",
        "key.made",
        "key.rotated",
        "key.made",
    ] or [entry["action"] for entry in told] == [
        "key.ended",
        "key.rotated",
        "key.made",
        "key.made",
    ]
    rotated = next(entry for entry in told if entry["action"] == "key.rotated")
    assert rotated["after"]["replaced_by"] == new["id"]
    assert rotated["before"]["expires_at"] == old["expires_at"]
    made = [entry["after"] for entry in told if entry["action"] == "key.made"]
    assert [one["symbols"] for one in made] == [["ACME"], ["ACME"]]
    assert old["key"].split("_", 2)[2] not in str(told)


async def test_no_key_makes_one_that_reaches_further(
    client: httpx.AsyncClient, api: FastAPI, make_key: MakeKey
) -> None:
    bound = await make(client, scopes=["admin"], symbols=["ACME"])
    wide = await make(client, scopes=["read"])
    async with client_for(api, bound["key"]) as narrow:
        for symbols in (None, ["ACME", "GLOBEX"]):
            body = {"name": "more", "scopes": ["trade"], "symbols": symbols}
            answer = await narrow.post("/keys", json=body)
            assert (answer.status_code, answer.json()["code"]) == (403, "symbol_not_allowed")
        answer = await narrow.post(f"/keys/{wide['id']}/rotate", json={})
        assert answer.status_code == 403
    other = await make_key("admin", accounts=["other"])
    async with client_for(api, other) as stranger:
        answer = await stranger.post(f"/keys/{wide['id']}/rotate", json={})
        assert answer.status_code == 404
