"""Every route of the surface × every scope, as on the native API."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute, iter_route_contexts

from app.api.alpaca import stream
from app.api.alpaca.access import Needs
from app.engine.access import SCOPES
from tests.compat.conftest import House

PAGES = {"/openapi.json", "/docs"}

BEYOND_READING = {
    ("POST", "/v2/orders"): "trade",
    ("PATCH", "/v2/orders/{order_id}"): "trade",
    ("DELETE", "/v2/orders"): "cancel",
    ("DELETE", "/v2/orders/{order_id}"): "cancel",
    ("DELETE", "/v2/positions"): "trade",
    ("DELETE", "/v2/positions/{symbol_or_id:path}"): "trade",
}

PLACES = {
    "{order_id}": "01a1fda6-32f0-7104-a88b-a4ed1c86d077",
    "{symbol_or_id:path}": "ACME",
    "{symbol}": "ACME",
}


def declared(house: House) -> Iterator[tuple[str, str, str]]:
    """Method, path and scope of every route."""
    [mounted] = [r for r in house.app.routes if getattr(r, "path", "") == "/alpaca"]
    for context in iter_route_contexts(mounted.app.routes):
        route = context.original_route
        if not isinstance(route, APIRoute) or context.path in PAGES:
            continue
        needs = [d.call.scope for d in route.dependant.dependencies if isinstance(d.call, Needs)]
        assert len(needs) == 1, f"{context.path} declares no scope"
        for method in route.methods:
            yield method, context.path, needs[0]


async def test_every_route_declares_its_scope(house: House) -> None:
    routes = list(declared(house))
    assert len(routes) > 20
    assert {scope for _, _, scope in routes} | {stream.SCOPE} <= set(SCOPES)
    beyond = {(m, p): scope for m, p, scope in routes if scope != "read"}
    assert beyond == BEYOND_READING
    assert {m for m, _, scope in routes if scope == "read"} == {"GET"}


async def test_without_a_key_every_route_is_closed(house: House) -> None:
    basic = httpx.BasicAuth(house.key_id, "wrong")
    headers: list[dict[str, Any]] = [
        {},
        {"Authorization": "Bearer slip_0000_wrong"},
        {"APCA-API-KEY-ID": house.key_id, "APCA-API-SECRET-KEY": ""},
        {"APCA-API-SECRET-KEY": house.key},
        {"Authorization": "Basic !!!"},
    ]
    async with httpx.AsyncClient(base_url=house.base) as client:
        for method, path, _ in declared(house):
            for place, value in PLACES.items():
                path = path.replace(place, value)
            for shown in headers:
                answer = await client.request(method, path, headers=shown)
                assert (answer.status_code, answer.json()["code"]) == (401, 40110000), path
            assert (await client.request(method, path, auth=basic)).status_code == 401


@pytest.mark.parametrize("scope", SCOPES)
async def test_a_key_opens_what_its_scope_says(house: House, scope: str) -> None:
    key = await house.make_key(scope)
    opens = {"trade": {"trade", "cancel"}, "risk": {"risk", "cancel"}, "admin": set(SCOPES)}
    pair = {"APCA-API-KEY-ID": key.split("_")[1], "APCA-API-SECRET-KEY": key}
    async with httpx.AsyncClient(base_url=house.base, headers=pair) as client:
        for method, path, needed in declared(house):
            for place, value in PLACES.items():
                path = path.replace(place, value)
            answer = await client.request(method, path, content=b"{}")
            let_in = answer.status_code != 403
            assert let_in == (needed in opens.get(scope, {scope})), f"{method} {path}"


async def test_a_basic_pair_is_let_in(house: House) -> None:
    async with httpx.AsyncClient(auth=(house.key_id, house.key)) as client:
        assert (await client.get(f"{house.base}/v2/account")).status_code == 200
