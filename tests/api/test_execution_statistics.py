"""Windows over what was recorded: known events, counts done by hand."""

import csv
import io
from typing import Any

import httpx

from app.domain.instant import SECOND
from app.engine.service import Service
from tests.api.conftest import client_for, order_body


async def told(
    service: Service, order_id: str, seq: int, type: str, at: int, child: str | None = None
) -> None:
    """An event as it was recorded at a moment."""
    async with service.database.connection() as connection:
        await connection.execute(
            "INSERT INTO events (account, order_id, seq, type, at, recorded_at, data)"
            " SELECT account, id, $2, $3, accepted_at, $4, $5 FROM orders WHERE id = $1",
            order_id,
            seq,
            type,
            at,
            {"child_id": child},
        )


async def entered(client: httpx.AsyncClient, **body: Any) -> str:
    answer = await client.post("/orders", json=order_body(**body))
    assert answer.status_code == 202, answer.text
    order_id: str = answer.json()["id"]
    return order_id


async def seeded(service: Service, client: httpx.AsyncClient) -> None:
    """Four children in the last minute, two of them refused or unknown, one two minutes ago."""
    order_id = await entered(client)
    async with service.database.connection() as connection:
        now = await connection.fetchval("SELECT clock_timestamp()")

    def before(seconds: float) -> int:
        return now - int(seconds * SECOND)

    for n, (ago, took, end) in enumerate(
        [(30, 0.010, "sent"), (20, 0.020, "sent"), (10, 0.030, "sent"), (9, 0.1, "rejected"),
         (8, 0.1, "unknown"), (100, 0.5, "sent")]
    ):  # fmt: skip
        await told(service, order_id, 10 + 2 * n, "child.intended", before(ago), f"c{n}")
        await told(service, order_id, 11 + 2 * n, f"child.{end}", before(ago - took), f"c{n}")
    await told(service, order_id, 50, "fill.booked", before(5), "c1")
    done = await entered(client, algo="market", duration=None)
    async with service.database.connection() as connection:
        await connection.execute(
            "UPDATE orders SET status = 'filled', finished_at = accepted_at + interval '90 s',"
            " start_at = accepted_at WHERE id = $1",
            done,
        )
    await told(service, done, 2, "order.filled", before(3))
    await told(service, order_id, 60, "order.expired", before(2))


async def test_a_minute_beside_the_one_before(service: Service, client: httpx.AsyncClient) -> None:
    await seeded(service, client)
    found = (await client.get("/statistics/execution")).json()
    assert set(found["windows"]) == {"1m", "5m", "1h", "1d"}
    minute = found["windows"]["1m"]
    now, before = minute["current"], minute["previous"]
    assert now["orders"] == {
        "accepted": 2, "finished": 2, "filled": 1, "success_rate": "0.5000",
    }  # fmt: skip
    children = now["children"]
    assert (children["intended"], children["sent"], children["refused"]) == (5, 3, 1)
    assert (children["unknown"], children["success_rate"]) == (1, "0.7500")
    assert children["per_second"] == "0.0833"
    assert now["time_to_complete"]["median_seconds"] == "90.000"
    assert now["send_latency"]["children"] == 3
    assert abs(float(now["send_latency"]["p50_ms"]) - 20) < 0.01
    assert abs(float(now["send_latency"]["p99_ms"]) - 29.8) < 0.01
    assert (before["children"]["intended"], before["orders"]["success_rate"]) == (1, None)
    assert abs(float(before["send_latency"]["p50_ms"]) - 500) < 0.01
    assert minute["change"]["children_success_rate"] == "-0.2500"
    assert minute["change"]["orders_success_rate"] is None
    assert now["by_algo"]["twap"]["children"]["intended"] == 5
    assert now["by_algo"]["market"]["orders"]["filled"] == 1
    assert now["by_broker"]["paper"]["fills"] == 1
    five = found["windows"]["5m"]["current"]
    assert (five["children"]["intended"], five["send_latency"]["children"]) == (6, 4)
    assert found["windows"]["5m"]["previous"]["send_latency"]["reason"] == "no child was answered"


async def test_the_backlog_is_what_waits_now(service: Service, client: httpx.AsyncClient) -> None:
    await entered(client)
    await entered(client, start_time="2026-01-05T18:00:00Z")
    found = (await client.get("/statistics/execution", params={"window": "1m"})).json()
    assert found["backlog"] == {
        "open": 2, "to_be_looked_at": 2, "due_to_start": 1, "needs_operator": 0, "in_flight": 0,
        "unknown": 0,
    }  # fmt: skip
    assert set(found["windows"]) == {"1m"}


async def test_history_in_steps(service: Service, client: httpx.AsyncClient) -> None:
    await seeded(service, client)
    params = {"window": "1m", "history": "5m"}
    history = (await client.get("/statistics/execution", params=params)).json()["history"]
    assert (history["step_seconds"], len(history["items"])) == (15, 20)
    assert sum(item["intended"] for item in history["items"]) == 6
    assert history["items"][-1]["intended"] == 3


async def test_a_table_and_an_account(
    service: Service, client: httpx.AsyncClient, api: Any, make_key: Any
) -> None:
    await seeded(service, client)
    answer = await client.get("/statistics/execution", params={"format": "csv"})
    lines = list(csv.DictReader(io.StringIO(answer.text)))
    (minute,) = [r for r in lines if (r["window"], r["span"], r["by"]) == ("1m", "current", "all")]
    assert (minute["children_intended"], minute["orders_success_rate"]) == ("5", "0.5000")
    assert {r["key"] for r in lines if r["by"] == "algo"} == {"twap", "market"}
    async with client_for(api, await make_key("read", accounts=["other"])) as other:
        found = (await other.get("/statistics/execution")).json()
    assert found["windows"]["1d"]["current"]["children"]["intended"] == 0


async def test_the_metrics_tell_it_as_well(service: Service, client: httpx.AsyncClient) -> None:
    await seeded(service, client)
    text = (await client.get("/metrics")).text
    assert 'slipstream_backlog{what="open"} 1.0' in text
    assert 'slipstream_order_success_ratio{window="1m"} 0.5' in text
    assert 'slipstream_child_success_ratio{window="1m"} 0.75' in text
    assert 'slipstream_children_per_second{window="5m"} 0.02' in text
    assert 'slipstream_send_seconds{quantile="0.5",window="1m"}' in text
