"""What a preview tells of an order's cost, and what it keeps quiet about."""

from decimal import Decimal

import httpx

from app.engine.service import Service
from tests.api.conftest import order_body


async def test_a_preview_prices_the_order_in_all_its_parts(
    client: httpx.AsyncClient, service: Service
) -> None:
    async with service.database.connection() as connection:
        await connection.execute("UPDATE watches SET volatility = 0.02")
    body = order_body(algo="auto", params={})
    shown = (await client.post("/orders/preview", json=body)).json()
    cost = shown["cost"]
    parts = [Decimal(part["bps"]) for part in cost["parts"].values()]
    assert list(cost["parts"]) == ["spread", "impact", "urgency", "volatility"]
    assert sum(parts) == Decimal(cost["expected"]["bps"])
    assert Decimal(cost["range"]["low"]["bps"]) < sum(parts) < Decimal(cost["range"]["high"]["bps"])
    assert Decimal(cost["expected"]["money"]) == round(sum(parts) * 5, 4)
    assert cost["source"] == "published"
    assert [one["algo"] for one in shown["alternatives"] if one["taken"]] == ["twap"]
    assert len(shown["participation"]["slices"]) == len(shown["schedule"])
    assert all(0 < Decimal(one["share"]) < 1 for one in shown["participation"]["slices"])
    points = shown["frontier"]["points"]
    assert [point["urgency"] for point in points if point["urgency"]] == [
        ["low"], ["normal"], ["high"], ["immediate"],
    ]  # fmt: skip
    assert Decimal(points[0]["sd_bps"]) > Decimal(points[-1]["sd_bps"])
    order = (await client.post("/orders", json=body)).json()
    kept = (await client.get(f"/orders/{order['id']}")).json()["estimate"]
    assert Decimal(kept["total_bps"]) == Decimal(cost["expected"]["bps"])
    assert Decimal(kept["sd_bps"]) == Decimal(cost["sd"]["bps"])
    assert Decimal(kept["low_bps"]) == Decimal(cost["range"]["low"]["bps"])
    assert Decimal(kept["high_bps"]) == Decimal(cost["range"]["high"]["bps"])
    assert Decimal(kept["total_money"]) == Decimal(cost["expected"]["money"])


async def test_a_preview_without_history_says_what_is_missing(
    client: httpx.AsyncClient, service: Service
) -> None:
    async with service.database.connection() as connection:
        await connection.execute("UPDATE watches SET daily_volume = NULL")
    shown = (await client.post("/orders/preview", json=order_body())).json()
    assert shown["cost"]["expected"] == {
        "bps": None, "money": None, "reason": "the daily volume is not known",
    }  # fmt: skip
    assert shown["cost"]["parts"]["volatility"]["reason"] == "the volatility is not known"
    assert shown["participation"]["slices"] == []
    assert shown["participation"]["reason"] == "the daily volume is not known"
    assert (shown["frontier"]["points"], bool(shown["frontier"]["reason"])) == ([], True)


async def test_a_preview_of_a_share_of_the_volume_is_what_a_usual_day_would_bring(
    client: httpx.AsyncClient, service: Service
) -> None:
    body = order_body(algo="pov", params={"rate": "0.2"})
    shown = (await client.post("/orders/preview", json=body)).json()
    schedule, participation = shown["schedule"], shown["participation"]
    assert shown["schedule_basis"] == participation["basis"] == "expected"
    assert participation["reason"].startswith("the market's volume decides")
    assert len(schedule) == len(participation["slices"]) > 10
    assert [s["at"] for s in schedule] == [s["at"] for s in participation["slices"]]
    # Until the last, others trade four times what we do.
    shares = [Decimal(s["share"]) for s in participation["slices"]][:-1]
    assert all(abs(share - Decimal("0.2")) < Decimal("0.02") for share in shares)
    async with service.database.connection() as connection:
        await connection.execute("UPDATE watches SET daily_volume = NULL")
    blind = (await client.post("/orders/preview", json=body)).json()
    assert (blind["schedule"], blind["participation"]["slices"]) == ([], [])
    assert blind["participation"]["reason"] == "the daily volume is not known"
    planned = (await client.post("/orders/preview", json=order_body())).json()
    assert planned["schedule_basis"] == "planned"
