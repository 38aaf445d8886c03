"""The answer to an order that is entered is the order as everybody sees it from then on."""

from decimal import Decimal
from typing import Any

import httpx
import pytest

from app.domain.instant import rfc3339
from app.store.database import Database
from tests.api.conftest import order_body

BODIES: list[dict[str, Any]] = [
    {},
    {"tags": ["a", "b"], "strategy": "s", "priority": -3, "urgency": "high"},
    {"qty": None, "notional": "25000.50", "algo": "auto", "params": {}},
    {"limit_price": "99.50", "max_participation": "0.10", "on_restart": "pause"},
    {"take_profit": "103", "stop_loss": "99", "reduce_only": False},
    {"reduce_only": True, "qty": "1200.0"},
]


def whole(answer: dict[str, Any]) -> dict[str, Any]:
    """Without what only the order by itself is shown with."""
    return {name: value for name, value in answer.items() if name != "exits"}


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "k1"}], ids=["", "with a key"])
@pytest.mark.parametrize("said", BODIES)
async def test_it_is_the_order_there_is(
    client: httpx.AsyncClient, said: dict[str, Any], headers: dict[str, str]
) -> None:
    body = order_body(client_order_id="mine", **said)
    entered = await client.post("/orders", json=body, headers=headers)
    assert entered.status_code == 202, entered.text
    there = whole((await client.get(entered.headers["location"])).json())
    assert entered.json() == there
    again = await client.post("/orders", json=body, headers=headers)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == there


async def test_of_a_batch_too(client: httpx.AsyncClient) -> None:
    bodies = [order_body(client_order_id=f"n{i}", **said) for i, said in enumerate(BODIES)]
    for _ in range(2):  # Entered, then there already.
        answer = await client.post("/orders/batch", json={"orders": bodies})
        for result in answer.json()["results"]:
            assert result["status"] == 202, result
            found = await client.get(f"/orders/{result['order']['id']}")
            assert result["order"] == whole(found.json())


COLUMNS = {"start_time": "start_at", "end_time": "end_at"}
MADE = {"unsent", "average_price", "arrival", "estimate", "curve_source", "confirmed"}


def spelled(value: Any) -> Any:
    """A column as an answer has it."""
    if isinstance(value, Decimal):
        return str(int(value)) if value == int(value) else str(value.normalize())
    return value


@pytest.mark.parametrize("said", BODIES)
async def test_it_says_what_the_row_says(
    client: httpx.AsyncClient, database: Database, said: dict[str, Any]
) -> None:
    answer = (await client.post("/orders", json=order_body(**said))).json()
    async with database.connection() as connection:
        row = await connection.fetchrow("SELECT * FROM orders WHERE id = $1", answer["id"])
    assert row is not None
    for name in set(answer) - MADE:
        held = row[COLUMNS.get(name, name)]
        moment = name.endswith(("_time", "_at")) and held is not None
        assert answer[name] == (rfc3339(held) if moment else spelled(held)), name
    assert answer["unsent"] == answer["qty"]
    assert answer["average_price"] is None
    assert answer["confirmed"] == []
    assert answer["curve_source"] == row["curve"]["source"]
    assert answer["arrival"] == {"bid": "99.99", "ask": "100.01", "mid": "100"}
    assert answer["estimate"]["total_bps"] == row["estimate"]["total_bps"]
