"""Costs over HTTP: one order, many, tables, pages, a day; numbers done by hand."""

import csv
import io
from decimal import Decimal
from typing import Any

import httpx
import pytest

from app.domain.instant import MINUTE, SECOND
from app.engine.service import Service
from tests.api.conftest import NOW, order_body

D = Decimal


async def execute(service: Service, query: str, *arguments: Any) -> None:
    async with service.database.connection() as connection:
        await connection.execute(query, *arguments)


async def worked(
    service: Service,
    client: httpx.AsyncClient,
    *,
    fills: tuple[tuple[str, int, str], ...] = (("100.05", 300, "cross"), ("99.99", 200, "rest")),
    end: str | None = "100.40",
    status: str = "filled",
    **body: Any,
) -> str:
    """An order of 500 as it stands in the end. Accepted at a mid of 100, its first child saw
    100.02, the mid was 100.03 at every fill, 100.01 and 100.05 one and five minutes later."""
    answer = await client.post("/orders", json=order_body(**body))
    assert answer.status_code == 202, answer.text
    order_id: str = answer.json()["id"]
    filled = sum(qty for _, qty, _ in fills)
    money = sum((D(price) * qty for price, qty, _ in fills), D(0))
    account = body.get("account", "main")
    await execute(
        service,
        "UPDATE orders SET status = $2, filled = $3, filled_notional = $4, fees = $3 * 0.01,"
        " canceled = qty - $3, finished_at = $5, market_volume = 9500, market_notional = 951900,"
        " measured_to = $5, own_volume_included = false WHERE id = $1",
        order_id, status, D(filled), money, NOW + 10 * MINUTE,
    )  # fmt: skip
    seen: dict[int, str] = {}
    for number, (price, qty, purpose) in enumerate(fills, start=1):
        at = NOW + number * SECOND
        await execute(
            service,
            "INSERT INTO children (account, id, order_id, number, epoch, symbol, side, qty, price,"
            " purpose, time_in_force, status, intended_at, quote_at, filled, why) VALUES ($1, $2,"
            " $3, $4, 1, 'ACME', $5, 250, $6, $7, 'day', 'filled', $8, $8, $9, $10)",
            account, f"c{order_id[-10:]}-{number}", order_id, number, body.get("side", "buy"),
            D(price), purpose, at, D(qty), {"quote": {"bid": "100.01", "ask": "100.03"}},
        )  # fmt: skip
        await execute(
            service,
            "INSERT INTO fills (account, broker, execution_id, order_id, child_id, symbol, side,"
            " qty, price, fee, liquidity, at) VALUES ($1, 'paper', $2, $3, $4, 'ACME', $5, $6, $7,"
            " 0, 'taker', $8)",
            account, f"e{order_id[-10:]}-{number}", order_id, f"c{order_id[-10:]}-{number}",
            body.get("side", "buy"), D(qty), D(price), at,
        )  # fmt: skip
        seen |= {at: "100.03", at + MINUTE: "100.01", at + 5 * MINUTE: "100.05"}
    if end is not None:
        seen[NOW + 10 * MINUTE] = end
    for at, mid in seen.items():
        await mark(service, account, order_id, at, mid)
    return order_id


async def mark(
    service: Service, account: str, order_id: str, at: int, mid: str | None, why: str = ""
) -> None:
    await execute(
        service,
        "INSERT INTO marks (account, order_id, at, bid, ask, quoted_at, reason)"
        " VALUES ($1, $2, $3::timestamptz, $4::numeric - 0.01, $4::numeric + 0.01,"
        " CASE WHEN $5::text IS NULL THEN $3::timestamptz END, $5)",
        account, order_id, at, D(mid) if mid else None, None if mid else why,
    )  # fmt: skip


async def test_one_order_in_parts(service: Service, client: httpx.AsyncClient) -> None:
    order_id = await worked(service, client)
    cost = (await client.get(f"/orders/{order_id}/tca")).json()
    shortfall = cost["shortfall"]
    bps = {name: shortfall[name]["bps"] for name in ("delay", "execution", "opportunity", "fees")}
    # 500 × 100 = 50,000 paper; delay 500 × 0.02 = 10; execution 50,013 − 50,010 = 3; fees 5.
    assert bps == {"delay": "2", "execution": "0.6", "opportunity": "0", "fees": "1"}
    assert (shortfall["total"]["bps"], shortfall["total"]["money"]) == ("3.6", "18")
    assert shortfall["trading"]["money"] == "13"
    assert shortfall["prices"]["begin"] == {"mid": "100.02", "reason": None}
    assert cost["arrival"]["slippage_bps"] == "2.6"
    assert cost["interval_vwap"]["benchmark"] == "100.2"
    assert cost["interval_vwap"]["own_included"] is False
    assert cost["participation"] == "0.05"
    # The last fill saw 100.03; 100.01 a minute later, 100.05 after five.
    assert cost["reversion"]["1m"]["bps"] == "1.9994"
    assert cost["reversion"]["5m"]["bps"] == "-1.9994"
    cross, rest = cost["spread"]["cross"], cost["spread"]["rest"]
    assert (cross["fills"], cross["qty"], rest["qty"]) == (1, "300", "200")
    assert cross["effective"]["bps"] == "3.9988"  # 2 × 0.02 / 100.03
    assert rest["effective"]["bps"] == "-7.9976"
    assert cross["realised"]["1m"]["bps"] == "7.9976"
    assert cross["markout"]["5m"]["bps"] == "0"
    assert cost["resting"]["fill_probability"] == "0.8"
    assert [f["purpose"] for f in cost["fills"]] == ["cross", "rest"]
    assert cost["fills"][0]["markout_bps"] == {"1m": "3.9988", "5m": "0"}


async def test_a_sell_pays_what_it_gets_less(service: Service, client: httpx.AsyncClient) -> None:
    order_id = await worked(service, client, side="sell", fills=(("99.95", 500, "cross"),))
    cost = (await client.get(f"/orders/{order_id}/tca")).json()["shortfall"]
    assert cost["delay"]["bps"] == "-2"
    assert cost["execution"]["bps"] == "7"
    assert cost["total"]["money"] == "30"


async def test_what_was_not_filled_has_its_price(
    service: Service, client: httpx.AsyncClient
) -> None:
    order_id = await worked(service, client, fills=(("100.02", 200, "cross"),), status="canceled")
    shortfall = (await client.get(f"/orders/{order_id}/tca")).json()["shortfall"]
    assert shortfall["opportunity"] == {"bps": "24", "money": "120", "reason": None}
    assert shortfall["total"]["money"] == "126"


async def test_what_is_not_known_is_null_with_a_reason(
    service: Service, client: httpx.AsyncClient
) -> None:
    order_id = await worked(service, client, fills=(), end=None, status="canceled")
    await mark(service, "main", order_id, NOW + 10 * MINUTE, None, "after_close")
    cost = (await client.get(f"/orders/{order_id}/tca")).json()
    assert cost["shortfall"]["opportunity"] == {
        "bps": None, "money": None, "reason": "after_close",
    }  # fmt: skip
    assert cost["shortfall"]["total"]["reason"] == "after_close"
    assert cost["shortfall"]["delay"]["money"] == "0"
    assert cost["reversion"]["1m"] == {"bps": None, "reason": "nothing was filled"}
    assert cost["estimate"]["quality"]["reason"] == "no estimate was kept with the order"
    assert cost["resting"]["reason"] == "nothing rested"


async def test_an_order_that_works_has_no_end_yet(
    service: Service, client: httpx.AsyncClient
) -> None:
    order_id = (await client.post("/orders", json=order_body())).json()["id"]
    cost = (await client.get(f"/orders/{order_id}/tca")).json()
    assert cost["shortfall"]["total"]["reason"] == "the order is not finished"
    assert cost["shortfall"]["prices"]["begin"]["reason"] == "nothing was sent"
    assert cost["shortfall"]["prices"]["decision"]["mid"] == "100"


async def test_a_mark_that_is_not_due_says_so(service: Service, client: httpx.AsyncClient) -> None:
    order_id = await worked(service, client)
    await execute(service, "DELETE FROM marks WHERE at > $1", NOW)
    cost = (await client.get(f"/orders/{order_id}/tca")).json()
    assert cost["reversion"]["5m"]["reason"] == "not_yet_due"
    async with service.database.connection() as connection:
        await connection.execute("UPDATE market_clock SET now = $1", NOW + 60 * MINUTE)
    cost = (await client.get(f"/orders/{order_id}/tca")).json()
    assert cost["reversion"]["5m"]["reason"] == "not_captured"


async def test_many_orders_in_groups(service: Service, client: httpx.AsyncClient) -> None:
    await worked(service, client, strategy="a")
    await worked(service, client, algo="market", duration=None, fills=(("100.05", 500, "cross"),))
    await worked(service, client, fills=(), status="canceled")
    await client.post("/orders", json=order_body())  # Works still: not counted.
    found = (await client.get("/tca", params={"group_by": "algo"})).json()
    total = found["total"]
    assert (total["orders"], total["filled_completely"]) == (3, 2)
    # 3.6, 6 and 40: the one that was never filled ran away by 0.40.
    assert total["bps"]["total"]["mean"] == "16.5333"
    assert total["bps"]["total"]["count"] == 3
    assert {g["key"]: g["orders"] for g in found["groups"]} == {"twap": 2, "market": 1}
    twap = next(g for g in found["groups"] if g["key"] == "twap")["bps"]["total"]
    assert (twap["mean"], twap["sd"], twap["standard_error"]) == ("21.8", "25.7387", "18.2")
    for by in ("symbol", "broker", "hour", "strategy", "side"):
        groups = (await client.get("/tca", params={"group_by": by})).json()["groups"]
        assert sum(g["orders"] for g in groups) == 3
    hours = (await client.get("/tca", params={"group_by": "hour"})).json()["groups"]
    assert [g["key"] for g in hours] == ["15"]
    later = await client.get("/tca", params={"since": "2026-01-05T20:00:00Z"})
    assert later.json()["total"]["bps"]["total"]["reason"] == "no order has it"


@pytest.mark.parametrize(
    ("params", "headers"), [({"format": "csv"}, {}), ({}, {"Accept": "text/csv"})]
)
async def test_orders_as_a_table(
    service: Service, client: httpx.AsyncClient, params: dict[str, str], headers: dict[str, str]
) -> None:
    order_id = await worked(service, client, strategy="=1+1")
    answer = await client.get("/tca", params=params, headers=headers)
    assert answer.headers["content-type"].startswith("text/csv")
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert (row["order_id"], row["total_bps"], row["delay_bps"]) == (order_id, "3.6", "2")
    assert row["strategy"] == "'=1+1", "a spreadsheet must not take it for a formula"


async def test_each_key_sees_its_accounts(
    service: Service, client: httpx.AsyncClient, api: Any, make_key: Any
) -> None:
    from tests.api.conftest import client_for

    order_id = await worked(service, client)
    await worked(service, client, account="other")
    key = await make_key("read", accounts=["other"])
    async with client_for(api, key) as other:
        assert (await other.get("/tca")).json()["total"]["orders"] == 1
        assert (await other.get("/reports/daily?date=2026-01-05")).json()["orders"] == 1
        for what in ("tca", "report"):
            assert (await other.get(f"/orders/{order_id}/{what}")).status_code == 404
        assert (await other.get("/tca", params={"account": "main"})).status_code == 403
    own = await client.get("/tca", params={"account": "main"})
    assert own.json()["total"]["orders"] == 1


async def test_pages_stand_alone_and_escape_what_users_wrote(
    service: Service, client: httpx.AsyncClient
) -> None:
    nasty = "<script>alert(1)</script>"
    order_id = await worked(service, client, strategy=nasty)
    pages = [
        (await client.get(f"/orders/{order_id}/report")).text,
        (await client.get("/tca", params={"group_by": "strategy", "format": "html"})).text,
        (await client.get("/reports/daily?date=2026-01-05&format=html")).text,
    ]
    for page in pages:
        assert page.startswith("<!doctype html>")
        assert nasty not in page
        assert "<script" not in page
        assert 'src="' not in page
        assert "http://" not in page.replace("http://www.w3.org/", "")
    assert "&lt;script&gt;" in pages[0]
    assert pages[0].count("<svg") == 3
    assert "+3.60" in pages[0]


async def test_a_day(service: Service, client: httpx.AsyncClient) -> None:
    await worked(service, client)
    dear = await worked(service, client, fills=(), status="canceled")
    await execute(
        service,
        "INSERT INTO alerts (account, id, rule, subject, severity, message, data, count, at)"
        " VALUES ('main', gen_random_uuid(), 'failed_orders', 'x', 'error', 'm', '{}', 2, $1)",
        NOW,
    )
    day = (await client.get("/reports/daily", params={"date": "2026-01-05"})).json()
    assert (day["orders"], day["by_status"]) == (2, {"filled": 1, "canceled": 1})
    assert (day["notional"], day["fees"], day["currency"]) == ("50013", "5", "USD")
    assert day["fill_ratio"] == "0.5"
    assert day["worst"][0]["order_id"] == dear
    assert day["worst"][0]["bps"]["opportunity"] == "40"
    assert day["costs"]["bps"]["total"]["mean"] == "21.8"
    assert day["alerts"] == [{"severity": "error", "rule": "failed_orders", "count": 2}]
    # Without a date: the day of market time.
    assert (await client.get("/reports/daily")).json()["date"] == "2026-01-05"
    empty = (await client.get("/reports/daily", params={"date": "2026-01-06"})).json()
    assert (empty["orders"], empty["notional"]) == (0, None)
    assert (await client.get("/reports/daily", params={"date": "5 May"})).status_code == 422
