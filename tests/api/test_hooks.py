"""Hooks: made, shown once, rotated, ended, and what is on record of that."""

import json
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.engine.service import Service
from tests.api.conftest import MakeKey, client_for

HOOK: dict[str, Any] = {
    "name": "turtle",
    "strategy": "turtle",
    "symbols": {"NASDAQ:ACME": "ACME", "ACME": "ACME"},
    "max_qty": "1000",
}


async def make(client: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    body = {k: v for k, v in (HOOK | fields).items() if v is not None}
    answer = await client.post("/hooks", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


BUY = {"ticker": "ACME", "action": "buy", "quantity": "10"}


async def sent(client: httpx.AsyncClient, path: str) -> int:
    return (await client.post(f"{path}?test=1", json=BUY)).status_code


async def test_a_token_is_shown_once_and_stored_nowhere(
    client: httpx.AsyncClient, service: Service
) -> None:
    made = await make(client, passphrase="correct horse battery")
    assert made["path"] == f"/webhooks/tradingview/{made['token']}"
    assert len(made["token"]) > 40
    listed = await client.get("/hooks")
    assert [hook["id"] for hook in listed.json()["items"]] == [made["id"]]
    assert listed.json()["items"][0]["passphrase"] is True
    trail = await client.get("/audit-trail", params={"action": "hook.made"})
    assert trail.json()["items"][0]["target"] == made["id"]
    async with service.database.connection() as connection:
        stored = str(
            [await connection.fetch(f"SELECT * FROM {t}") for t in ("hooks", "hook_tokens")]
        )
    for secret in (made["token"], "correct horse battery"):
        for text in (listed.text, trail.text, stored):
            assert secret not in text


async def test_two_tokens_work_while_one_is_rotated_out(
    client: httpx.AsyncClient, service: Service
) -> None:
    made = await make(client)
    second = (await client.post(f"/hooks/{made['id']}/rotate", json={"keep": "1h"})).json()
    assert [await sent(client, h["path"]) for h in (made, second)] == [200, 200]
    third = (await client.post(f"/hooks/{made['id']}/rotate", json={"keep": "1h"})).json()
    assert [await sent(client, h["path"]) for h in (made, second, third)] == [404, 200, 200]
    last = (await client.post(f"/hooks/{made['id']}/rotate", json={})).json()
    assert [await sent(client, h["path"]) for h in (second, third, last)] == [404, 404, 200]
    async with service.database.connection() as connection:
        await connection.execute("UPDATE hook_tokens SET until = clock_timestamp()")
    assert await sent(client, last["path"]) == 404
    trail = (await client.get("/audit-trail", params={"action": "hook.rotated"})).json()["items"]
    assert len(trail) == 3


async def test_an_ended_hook_is_as_if_it_had_never_been(client: httpx.AsyncClient) -> None:
    made = await make(client)
    assert await sent(client, made["path"]) == 200
    assert (await client.delete(f"/hooks/{made['id']}")).status_code == 204
    gone = await client.post(made["path"], json=BUY)
    never = await client.post("/webhooks/tradingview/hook_" + "x" * 43, json=BUY)
    for answer in (gone, never):
        assert answer.status_code == 404
    assert {k: v for k, v in gone.json().items() if k != "request_id"} == {
        k: v for k, v in never.json().items() if k != "request_id"
    }
    assert (await client.delete(f"/hooks/{made['id']}")).status_code == 404
    assert (await client.post(f"/hooks/{made['id']}/rotate", json={})).status_code == 404
    [listed] = (await client.get("/hooks")).json()["items"]
    assert listed["ended_at"] is not None


async def test_an_expired_hook_lets_nothing_in(client: httpx.AsyncClient) -> None:
    past, future = "2020-01-01T00:00:00Z", "2199-01-01T00:00:00Z"
    made = [await make(client, expires_at=at) for at in (past, future)]
    assert [await sent(client, hook["path"]) for hook in made] == [404, 200]


async def test_hooks_are_bound_to_the_accounts_of_their_makers(
    api: FastAPI, client: httpx.AsyncClient, make_key: MakeKey
) -> None:
    made = await make(client)
    key = await make_key("admin", accounts=["other"])
    async with client_for(api, key) as bound:
        assert (await bound.get("/hooks")).json()["items"] == []
        assert (await bound.delete(f"/hooks/{made['id']}")).status_code == 404
        rotated = await bound.post(f"/hooks/{made['id']}/rotate", json={})
        assert rotated.status_code == 404
        foreign = await bound.post("/hooks", json=HOOK | {"account": "main"})
        assert (foreign.status_code, foreign.json()["code"]) == (403, "account_not_allowed")
        own = await make(bound)
        assert own["account"] == "other"
    assert await sent(client, made["path"]) == 200


@pytest.mark.timeout(20)
async def test_a_number_that_would_fill_the_memory_is_refused_at_once(
    client: httpx.AsyncClient,
) -> None:
    body = json.dumps(HOOK)[:-1] + ', "per_minute": 1E+99999999999}'
    assert (await client.post("/hooks", content=body)).status_code == 422


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"max_qty": None}, "max_qty"),
        ({"sizes": "fixed"}, "fixed_qty"),
        ({"fixed_qty": "5"}, "fixed_qty"),
        ({"symbols": {}}, "symbols"),
        ({"symbols": None}, "symbols"),
        ({"symbols": {"A": "not a symbol!"}}, "symbols"),
        ({"sources": ["52.89.214"]}, "sources"),
        ({"sources": []}, "sources"),
        ({"passphrase": "short"}, "passphrase"),
        ({"per_minute": 0}, "per_minute"),
        ({"per_minute": "many"}, "per_minute"),
        ({"per_minute": 1.5}, "per_minute"),
        ({"per_minute": True}, "per_minute"),
        ({"account": "nobody"}, "account"),
        ({"unheard": 1}, "unheard"),
    ],
)
async def test_a_hook_that_bounds_nothing_or_says_nothing_is_refused(
    client: httpx.AsyncClient, fields: dict[str, Any], field: str
) -> None:
    body = {k: v for k, v in (HOOK | fields).items() if v is not None}
    refused = await client.post("/hooks", json=body)
    assert refused.status_code == 422, refused.text
    assert field in json.dumps(refused.json()["errors"])
    assert (await client.get("/hooks")).json()["items"] == []
