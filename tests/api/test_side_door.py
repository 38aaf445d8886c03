"""A direct route comes in by the side door: whatever it is asked, the house would say the same."""

import json
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from app.api.side_door import Api
from tests.api.conftest import MakeKey, client_for, order_body, silence

GOOD = json.dumps(order_body(client_order_id="mine"))
WAYS: dict[str, dict[str, Any]] = {
    "entered": {"content": GOOD},
    "its id is kept": {"content": GOOD, "headers": {"X-Request-Id": "mine-1"}},
    "by key": {"content": GOOD, "headers": {"Idempotency-Key": "k"}},
    "bad key": {"content": GOOD, "headers": {"Idempotency-Key": "k" * 256}},
    "no JSON": {"content": "{"},
    "no object": {"content": "[]"},
    "nothing": {"content": ""},
    "unknown field": {"content": json.dumps(order_body(colour="red"))},
    "refused": {"content": json.dumps(order_body(qty="0.5"))},
    "unknown symbol's account": {"content": json.dumps(order_body(account="nobody"))},
    "too large": {"content": "x" * 300_000},
    "another body": {"content": json.dumps(order_body(client_order_id="mine", qty="100"))},
    "with a query": {"content": GOOD, "params": {"a": "b"}},
    "no such method": {"method": "PUT", "content": GOOD},
}
OWN = ("x-request-id", "location")
"""Each answer's own."""


class FrontDoor:
    """The same app, entered the way every other route is."""

    def __init__(self, api: FastAPI) -> None:
        self._api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await super(Api, self._api).__call__(scope, receive, send)


def told(answer: httpx.Response) -> Any:
    body = answer.json()
    for own in ("id", "request_id", "created_at", "updated_at"):
        body.pop(own, None)
    headers = {name: value for name, value in answer.headers.items() if name not in OWN}
    headers.pop("content-length")  # Of the moments, which may have fewer digits.
    return answer.status_code, headers, body


async def both(api: FastAPI, key: str | None, asked: dict[str, Any]) -> list[httpx.Response]:
    asked = {"method": "POST", "url": "/orders", **asked}
    answers = []
    for door in (api, FrontDoor(api)):
        async with client_for(door, key) as client:  # type: ignore[arg-type]
            answers.append(await client.request(**asked))
    return answers


@pytest.mark.parametrize("way", WAYS.values(), ids=list(WAYS))
async def test_both_doors_answer_alike(api: FastAPI, admin_key: str, way: dict[str, Any]) -> None:
    async with client_for(api, admin_key) as client:
        await client.post("/orders", content=GOOD)  # So that neither is the first.
        await client.post("/orders", content=GOOD, headers={"Idempotency-Key": "k"})
    side, front = await both(api, admin_key, way)
    assert told(side) == told(front)
    assert side.headers["x-request-id"]
    assert way.get("headers", {}).get("X-Request-Id") in (None, side.headers["x-request-id"])


@pytest.mark.parametrize("scopes", [None, [], ["read"], ["trade"]], ids=str)
async def test_neither_door_is_open_to_others(
    api: FastAPI, make_key: MakeKey, scopes: list[str] | None
) -> None:
    key = None if scopes is None else await make_key(*scopes, accounts=["other"])
    side, front = await both(api, key, {"content": json.dumps(order_body(account="main"))})
    assert told(side) == told(front)
    assert side.status_code == (401 if scopes is None else 403)


async def test_both_doors_tell_a_silent_market_and_are_counted(
    api: FastAPI, service: Any, admin_key: str
) -> None:
    await silence(service)
    side, front = await both(api, admin_key, {"content": GOOD})
    assert told(side) == told(front)
    assert (side.status_code, side.headers["retry-after"]) == (503, "1")
    async with client_for(api, admin_key) as client:
        page = (await client.get("/metrics")).text
    (counted,) = (
        line
        for line in page.splitlines()
        if 'route="/orders",status="503"' in line
        and line.startswith("slipstream_request_seconds_count")
    )
    assert counted.endswith(" 2.0")


async def test_a_failure_of_ours_is_answered_at_the_side_door(
    api: FastAPI, service: Any, admin_key: str
) -> None:
    async with client_for(api, admin_key) as client:
        await client.post("/orders", content=GOOD)
        await service.database.pool.execute("ALTER TABLE orders RENAME TO elsewhere")
        answer = await client.post("/orders", json=order_body())
    assert answer.status_code == 500
    assert answer.json()["code"] == "internal_error"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
