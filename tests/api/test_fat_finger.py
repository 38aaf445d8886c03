"""The basket of 2 May 2022 again: meant for 58 million, entered for 444 billion.

711 warnings were clicked away, and the rest went into an algorithm that sliced it over the day.
Here the parents are refused, whatever is confirmed, and no slice ever exists.
"""

from decimal import Decimal
from typing import Any

import httpx
import pytest

from app.engine.service import Service
from tests.api.conftest import order_body, row_counts

STOCKS = 349
MEANT, ENTERED = Decimal(58_000_000), Decimal(444_000_000_000)


def basket(value: Decimal, **more: Any) -> dict[str, Any]:
    each = str((value / STOCKS).quantize(Decimal("0.01")))
    one = order_body(qty=None, notional=each, side="sell", algo="vwap", **more)
    return {"orders": [one | {"client_order_id": f"basket-{n}"} for n in range(STOCKS)]}


async def set_limit(client: httpx.AsyncClient, limit: str, **numbers: str) -> None:
    body = {"scope": "all", "limit": limit, "reason": "as agreed", **numbers}
    assert (await client.put("/risk/limits", json=body)).status_code == 200


@pytest.mark.parametrize(
    "confirm", [[], ["max_order_notional"], ["max_order_notional", "restricted"]]
)
async def test_every_parent_of_the_basket_is_refused(
    client: httpx.AsyncClient, service: Service, confirm: list[str]
) -> None:
    await set_limit(client, "max_order_notional", soft="1000000", hard="5000000")
    before = await row_counts(service)
    answer = await client.post("/orders/batch", json=basket(ENTERED, confirm=confirm))
    told = answer.json()["results"]
    assert len(told) == STOCKS
    assert {one["problem"]["code"] for one in told} == {"risk.max_order_notional"}
    assert await row_counts(service) == before
    meant = await client.post("/orders/batch", json=basket(MEANT))
    assert [one["status"] for one in meant.json()["results"]] == [202] * STOCKS


async def test_parents_small_enough_by_themselves_stop_at_the_budget_of_all(
    client: httpx.AsyncClient, service: Service
) -> None:
    """The same money in orders that each look harmless."""
    await set_limit(client, "max_gross_exposure", hard="60000000")
    answer = await client.post("/orders/batch", json=basket(MEANT * 10))
    small = answer.json()["results"]
    entered = [one for one in small if one["status"] == 202]
    assert {one["problem"]["code"] for one in small if one["status"] != 202} == {
        "risk.max_gross_exposure"
    }
    async with service.database.connection() as connection:
        value = await connection.fetchval("SELECT sum(value) FROM orders")
    assert 58_000_000 < value <= 60_000_000
    assert len(entered) == 36
