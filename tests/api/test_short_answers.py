"""`Prefer: return=minimal`: who enters many orders need not read each of them whole."""

import time
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.api.conftest import order_body

SHORT = {"id", "client_order_id", "status", "version"}
APPLIED = ("preference-applied", "return=minimal")


def is_short(answer: httpx.Response) -> bool:
    assert answer.status_code == 202, answer.text
    applied = answer.headers.get(APPLIED[0]) == APPLIED[1]
    assert (set(answer.json()) == SHORT) is applied, "what is said is done"
    return applied


@pytest.mark.parametrize(
    "told",
    [
        "return=minimal",
        "Return = Minimal",
        'return="minimal"',
        "respond-async, return=minimal; foo=bar",
        "wait=2,return=minimal,return=representation",
        r'foo="a, \", return=representation", return=minimal',
    ],
)
async def test_who_prefers_it_gets_the_least(client: httpx.AsyncClient, told: str) -> None:
    answer = await client.post("/orders", json=order_body(), headers={"Prefer": told})
    assert is_short(answer)
    whole = (await client.get(answer.headers["location"])).json()
    assert answer.json() == {name: whole[name] for name in SHORT}
    assert answer.headers["etag"] == f'"v{whole["version"]}"'


@pytest.mark.parametrize(
    "told",
    [
        "",
        "return=representation",
        "return=representation, return=minimal",
        "return",
        "returned=minimal",
        "foo; return=minimal",
        "return=minimally",
        'foo="a, return=minimal"',
        'foo="x, return=minimal, y"',
        'foo; a="x, return=minimal"',
        'return="minimal',
        'return=""minimal',
    ],
)
async def test_nobody_else_does(client: httpx.AsyncClient, told: str) -> None:
    assert not is_short(await client.post("/orders", json=order_body(), headers={"Prefer": told}))


async def test_nobody_is_kept_waiting_by_quotes_without_end(client: httpx.AsyncClient) -> None:
    endless = '"' + '\\"' * 30_000
    used = time.process_time()
    answer = await client.post("/orders", json=order_body(), headers={"Prefer": endless})
    assert not is_short(answer)
    assert time.process_time() - used < 3, "read whole, it takes ten seconds"


async def test_a_preference_may_stand_in_a_header_of_its_own(client: httpx.AsyncClient) -> None:
    headers = [("Prefer", "wait=2"), ("Prefer", "return=minimal")]
    assert is_short(await client.post("/orders", json=order_body(), headers=headers))


async def test_a_repetition_is_the_same_order_however_it_is_told(
    client: httpx.AsyncClient,
) -> None:
    body = order_body(client_order_id="mine")
    whole = await client.post("/orders", json=body)
    again = await client.post("/orders", json=body, headers={"Prefer": "return=minimal"})
    assert is_short(again)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json()["id"] == whole.json()["id"]


async def test_a_refusal_is_told_whole(client: httpx.AsyncClient) -> None:
    answer = await client.post(
        "/orders", json=order_body(qty="-1"), headers={"Prefer": "return=minimal"}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "not_positive")
    assert APPLIED[0] not in answer.headers


async def test_a_batch_is_answered_in_short_too(client: httpx.AsyncClient) -> None:
    orders = [order_body(client_order_id="a"), order_body(qty="-1"), order_body()]
    sent: dict[str, Any] = {"json": {"orders": orders}, "headers": {"Prefer": "return=minimal"}}
    answer = await client.post("/orders/batch", **sent)
    assert answer.headers[APPLIED[0]] == APPLIED[1]
    first, second, third = answer.json()["results"]
    assert (set(first["order"]), set(third["order"])) == (SHORT, SHORT)
    assert first["order"]["client_order_id"] == "a"
    assert second["problem"]["code"] == "not_positive"
    again = (await client.post("/orders/batch", **sent)).json()["results"][0]
    assert again == {**first, "replayed": True}


def test_the_page_shows_headers_that_mean_something(api: FastAPI) -> None:
    """Without them nobody could change an order from the page: If-Match is asked for."""
    paths: Mapping[str, Any] = api.openapi()["paths"]

    def headers(method: str, path: str) -> dict[str, bool]:
        told = paths[path][method].get("parameters", ())
        return {p["name"]: p["required"] for p in told if p["in"] == "header"}

    assert headers("post", "/orders") == {"Idempotency-Key": False, "Prefer": False}
    assert headers("post", "/orders/batch") == {"Prefer": False}
    assert headers("post", "/orders/preview") == {}
    assert headers("patch", "/orders/{order_id}") == {"If-Match": True}
    assert headers("get", "/orders/{order_id}") == {"If-None-Match": False}
    assert headers("get", "/orders:by_client_order_id") == {"If-None-Match": False}
    assert {p["name"] for p in paths["/orders/{order_id}"]["patch"]["parameters"]} == {
        "order_id",
        "If-Match",
    }
