"""A key that takes another's place is bounded like it: in time, by limits, by what was entered."""

from datetime import datetime
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.engine.service import Service
from tests.api.conftest import client_for
from tests.api.test_keys import later, make
from tests.api.test_limits import enter, put


async def rotate(client: httpx.AsyncClient, key_id: str, **fields: Any) -> dict[str, Any]:
    answer = await client.post(f"/keys/{key_id}/rotate", json=fields)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_it_ends_when_the_old_one_was_to_end(client: httpx.AsyncClient) -> None:
    old = await make(client, expires_at=later(hours=3))
    assert (await rotate(client, old["id"]))["expires_at"] == old["expires_at"]
    assert (await rotate(client, (await make(client))["id"]))["expires_at"] is None


async def test_another_end_may_be_said(client: httpx.AsyncClient) -> None:
    old, at = await make(client, expires_at=later(hours=3)), later(hours=9)
    told = await rotate(client, old["id"], expires_at=at)
    assert datetime.fromisoformat(told["expires_at"]) == datetime.fromisoformat(at)
    assert (await rotate(client, old["id"], expires_at=None))["expires_at"] is None
    past = await client.post(f"/keys/{old['id']}/rotate", json={"expires_at": later(hours=-1)})
    assert (past.status_code, past.json()["code"]) == (422, "already_over")


async def test_no_key_makes_one_that_outlives_it(client: httpx.AsyncClient, api: FastAPI) -> None:
    ending = await make(client, scopes=["admin"], expires_at=later(hours=3))
    endless = await make(client)
    async with client_for(api, ending["key"]) as bound:
        for path, body in (
            ("/keys", {"name": "more", "scopes": ["read"]}),
            ("/keys", {"name": "more", "scopes": ["read"], "expires_at": later(hours=4)}),
            (f"/keys/{endless['id']}/rotate", {}),
            (f"/keys/{ending['id']}/rotate", {"expires_at": None}),
            (f"/keys/{ending['id']}/rotate", {"expires_at": later(hours=4)}),
        ):
            answer = await bound.post(path, json=body)
            assert (answer.status_code, answer.json()["code"]) == (403, "expiry_not_allowed"), path
        await make(bound, expires_at=later(hours=2))
        assert (await rotate(bound, ending["id"]))["expires_at"] == ending["expires_at"]


async def test_the_limits_of_the_old_key_hold_for_the_new_one(
    client: httpx.AsyncClient, api: FastAPI, admin_key: str
) -> None:
    old = await make(client)
    await put(client, "max_order_qty", scope="key", name=old["id"], hard="10")
    await put(client, "max_order_notional", scope="key", name=old["id"], hard="9000", soft="8000")
    new = await rotate(client, old["id"])
    async with client_for(api, new["key"]) as trader:
        refused = await enter(trader, qty="11")
        assert (refused.status_code, refused.json()["code"]) == (422, "risk.max_order_qty")
        assert refused.json()["name"] == new["id"]
        assert (await enter(trader, qty="5")).status_code == 202
    changes = (await client.get("/risk/limits/changes")).json()["items"]
    assert [(c["name"], c["limit"], c["hard"], c["soft"]) for c in changes[:2]] == [
        (new["id"], "max_order_qty", "10", None),
        (new["id"], "max_order_notional", "9000", "8000"),
    ]
    assert [c["version"] for c in changes] == [4, 3, 2, 1]
    assert {c["changed_by"] for c in changes} == {admin_key.split("_")[1]}


@pytest.mark.parametrize("limit", ["max_orders_1m", "max_open_orders"])
async def test_a_rotated_key_gets_no_fresh_window(
    client: httpx.AsyncClient, api: FastAPI, limit: str
) -> None:
    old, other = await make(client), await make(client)
    await put(client, limit, scope="key", name=old["id"], hard="3")
    async with client_for(api, old["key"]) as trader, client_for(api, other["key"]) as stranger:
        assert [(await enter(trader)).status_code for _ in range(2)] == [202, 202]
        assert (await enter(stranger)).status_code == 202
        new = await rotate(client, old["id"])
        newer = await rotate(client, new["id"])
        async with client_for(api, newer["key"]) as again:
            assert [(await enter(again)).status_code for _ in range(2)] == [202, 422]
        # While both open they count as one.
        assert (await enter(trader)).json()["code"] == f"risk.{limit}"


async def test_a_duplicate_is_looked_for_within_a_day_at_most(
    client: httpx.AsyncClient, service: Service
) -> None:
    for side in ("soft", "hard"):
        refused = await put(client, "duplicate_seconds", **{side: "1e15"})
        assert (refused.status_code, refused.json()["code"]) == (422, "out_of_range")
    assert (await put(client, "duplicate_seconds", hard="86400")).status_code == 200
    # Set before it was refused.
    async with service.database.connection() as connection:
        await connection.execute("UPDATE limits SET hard = 1e15")
        await connection.execute("UPDATE limit_state SET version = version + 1")
    service.limits.forget()
    assert (await enter(client)).status_code == 202
    assert (await enter(client)).json()["code"] == "risk.duplicate_seconds"
