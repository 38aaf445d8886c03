"""Priority between orders: said once, shown everywhere, fixed in flight."""

from typing import Any

import httpx
import pytest

from app.engine.service import Service
from tests.api.conftest import order_body


@pytest.mark.parametrize(
    ("given", "kept"), [({}, 0), ({"priority": 7}, 7), ({"priority": -100}, -100)]
)
async def test_it_is_kept_and_shown(
    client: httpx.AsyncClient, service: Service, given: dict[str, Any], kept: int
) -> None:
    body = order_body(**given)
    shown = (await client.post("/orders/preview", json=body)).json()
    entered = (await client.post("/orders", json=body)).json()
    found = (await client.get(f"/orders/{entered['id']}")).json()
    assert [answer["priority"] for answer in (shown, entered, found)] == [kept] * 3
    async with service.database.connection() as connection:
        assert await connection.fetchval("SELECT priority FROM orders") == kept


@pytest.mark.parametrize("wrong", [101, -101, 1.5, "7", True, None, [1], 1e30])
async def test_what_is_no_priority_is_refused(client: httpx.AsyncClient, wrong: Any) -> None:
    answer = await client.post("/orders", json=order_body() | {"priority": wrong})
    assert (answer.status_code, answer.json()["errors"][0]["loc"]) == (422, ["priority"])


async def test_it_does_not_change_in_flight(client: httpx.AsyncClient) -> None:
    entered = (await client.post("/orders", json=order_body(priority=5))).json()
    answer = await client.patch(
        f"/orders/{entered['id']}", json={"priority": 9}, headers={"If-Match": '"v1"'}
    )
    assert (answer.status_code, answer.json()["errors"][0]["loc"]) == (422, ["priority"])
