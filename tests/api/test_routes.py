"""The API page, signals, alerts, the clock, health, metrics, and failures of our own."""

import ast
import asyncio
import inspect
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from jsonschema import Draft202012Validator

import app.api
from app.api import tradingview
from app.api.app import create_api
from app.api.errors import STATUS_OF
from app.api.health import PUBLIC as OPEN_PAGES
from app.domain import refusal
from app.domain.alert import Alert, Severity
from app.domain.algos import BY_NAME
from app.engine.service import Service
from app.store import alerts, market_state
from app.store.database import Database
from tests.api.conftest import NOW, MakeKey, client_for, order_body, row_counts, silence

PUBLIC = OPEN_PAGES | tradingview.PUBLIC

PAGE_EXAMPLES = ["auto", *BY_NAME]


@pytest.mark.parametrize("name", PAGE_EXAMPLES)
async def test_the_example_of_every_algorithm_works(client: httpx.AsyncClient, name: str) -> None:
    page = (await client.get("/openapi.json")).json()
    body = page["paths"]["/orders"]["post"]["requestBody"]["content"]["application/json"]
    assert set(body["examples"]) == {*PAGE_EXAMPLES, "reduce_only", "bracket_of_entry"}
    example = body["examples"][name]["value"]
    schema = {**body["schema"], "components": page["components"]}
    Draft202012Validator(schema).validate(example)
    entered = await client.post("/orders", json=example)
    assert entered.status_code == 202, entered.text
    assert entered.json()["asked_algo"] == name


async def test_the_api_page_is_whole(client: httpx.AsyncClient) -> None:
    page = (await client.get("/openapi.json")).json()
    text = json.dumps(page)
    for reference in set(part.split('"')[0] for part in text.split('"$ref": "')[1:]):
        _, *path = reference.split("/")
        found: Any = page
        for part in path:
            found = found[part]
    for path, operations in page["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], f"{method} {path}"
            told = operation["responses"]
            assert "default" not in told, "every status is named"
            for status in (401, 403, 422, 503) if path not in PUBLIC else (503,):
                kinds = told[str(status)]["content"]
                assert "application/problem+json" in kinds or path == "/readyz", f"{method} {path}"
    assert "HTTPValidationError" not in json.dumps(page["paths"])


async def test_every_group_of_the_page_says_what_it_is_for(client: httpx.AsyncClient) -> None:
    page = (await client.get("/openapi.json")).json()
    described = [group["name"] for group in page["tags"]]
    used = {
        tag for path in page["paths"].values() for route in path.values() for tag in route["tags"]
    }
    assert described[0] == "orders"
    assert set(described) == used


async def test_algorithms_describe_their_parameters(client: httpx.AsyncClient) -> None:
    told = (await client.get("/algorithms")).json()
    items, order = told["items"], told["order"]
    assert order["additionalProperties"] is False
    assert {"symbol", "side"} == set(order["required"])
    mutable = {name for name, field in order["properties"].items() if field["mutable"]}
    assert mutable == {"qty", "limit_price", "end_time", "max_participation", "params"}
    assert {"urgency", "duration", "start_time"} <= order["properties"].keys()
    assert {item["name"] for item in items} == set(BY_NAME)
    for item in items:
        Draft202012Validator.check_schema(item["parameters"])
        for name, schema in item["parameters"]["properties"].items():
            assert schema["mutable"] == BY_NAME[item["name"]].parameter(name).mutable  # type: ignore[union-attr]
            assert schema["description"]
    twap = next(item for item in items if item["name"] == "twap")
    assert twap["parameters"]["properties"]["slices"] == {
        "type": "integer",
        "description": "Number of child orders.",
        "mutable": False,
        "default": 10,
        "minimum": 1,
        "maximum": 1000,
    }


async def test_a_signal_becomes_a_decision_and_an_order(
    client: httpx.AsyncClient, service: Service
) -> None:
    body = {
        "action": "SELL",
        "market": "ACME",
        "size": 300,
        "price": "100.1",
        "confidence": 0.75,
        "id": "sig-1",
        "strategy": "momentum",
    }
    answer = await client.post("/signals", json=body)
    assert answer.status_code == 202
    decided = answer.json()
    assert (decided["decision"], decided["signal_id"]) == ("execute", "sig-1")
    assert answer.headers["location"] == f"/signals/{decided['id']}"
    order = (await client.get(f"/orders/{decided['order_id']}")).json()
    assert (order["side"], order["qty"], order["strategy"]) == ("sell", "300", "momentum")
    assert (await client.get(f"/signals/{decided['id']}")).json() == decided
    assert (await client.post("/signals", json=body)).json() == decided
    other = await client.post("/signals", json=body | {"size": 301})
    assert (other.status_code, other.json()["code"]) == (409, "duplicate_signal")
    assert (await row_counts(service))["orders"] == 1


async def test_a_repeated_signal_gets_its_decision_without_a_market(
    client: httpx.AsyncClient, service: Service
) -> None:
    said = {"action": "BUY", "market": "ACME", "size": 300}
    bodies = [said | {"id": "yes"}, said | {"id": "no", "confidence": "0.1"}]
    decided = [(await client.post("/signals", json=body)).json() for body in bodies]
    assert [d["decision"] for d in decided] == ["execute", "reject"]
    await silence(service)
    for body, first in zip(bodies, decided, strict=True):
        again = await client.post("/signals", json=body)
        assert (again.status_code, again.json()) == (202, first)
        other = await client.post("/signals", json=body | {"size": 301})
        assert (other.status_code, other.json()["code"]) == (409, "duplicate_signal")
    new = await client.post("/signals", json=said | {"id": "new"})
    assert (new.status_code, new.json()["code"]) == (503, "no_market_time")
    assert (await row_counts(service))["signals"] == 2


async def test_a_doubtful_signal_is_kept_without_an_order(
    client: httpx.AsyncClient, service: Service
) -> None:
    body = {"action": "BUY", "market": "ACME", "size": "10", "confidence": "0.1"}
    decided = (await client.post("/signals", json=body)).json()
    assert (decided["decision"], decided["reason"]) == ("reject", "confidence")
    assert decided["order_id"] is None
    assert [v["gate"] for v in decided["verdicts"][:2]] == ["freshness", "confidence"]
    assert (await row_counts(service))["orders"] == 0


async def test_alerts_are_listed_and_acknowledged_once(
    client: httpx.AsyncClient, service: Service, admin_key: str
) -> None:
    order = (await client.post("/orders", json=order_body())).json()
    raised = Alert("stalled_order", order["id"], Severity.WARNING, "slow", {"symbol": "ACME"})
    async with service.database.transaction() as connection:
        await alerts.raise_alerts(connection, account="main", alerts=[raised], at=NOW)
    [alert] = (await client.get("/alerts?open=true")).json()["items"]
    acknowledged = await client.post(f"/alerts/{alert['id']}/ack")
    assert acknowledged.json()["acknowledged_by"] == admin_key.split("_")[1]
    assert (await client.post(f"/alerts/{alert['id']}/ack")).json() == acknowledged.json()
    assert (await client.get("/alerts?open=true")).json()["items"] == []
    assert len((await client.get("/alerts")).json()["items"]) == 1


async def test_a_stepped_clock_is_held_and_hurried(
    client: httpx.AsyncClient, service: Service
) -> None:
    told = (await client.get("/clock")).json()
    assert (told["now"], told["held"], told["stepped"]) == (
        "2026-01-05T15:30:00.000000Z",
        True,
        True,
    )
    changed = (await client.put("/clock", json={"speed": "60", "held": False})).json()
    assert (changed["speed"], changed["held"]) == ("60", False)
    kept = (await client.put("/clock", json={"held": True})).json()
    assert (kept["speed"], kept["held"]) == ("60", True)
    for body in ({}, {"speed": -1}, {"speed": "fast"}, {"held": "yes"}, {"now": "later"}):
        assert (await client.put("/clock", json=body)).status_code == 422, body
    async with service.database.connection() as connection:
        await market_state.start_clock(
            connection, feed="live", now=NOW, stepped=False, speed=Decimal(1), held=False
        )
    live = await client.put("/clock", json={"held": True})
    assert (live.status_code, live.json()["code"]) == (409, "live_clock")


async def test_accounts_positions_and_fills_begin_empty(client: httpx.AsyncClient) -> None:
    accounts = (await client.get("/accounts")).json()["items"]
    assert [account["account"] for account in accounts] == ["main", "other"]
    assert (await client.get("/positions")).json() == {"items": []}
    assert (await client.get("/fills")).json() == {"items": []}


async def test_status_tells_the_whole_system(client: httpx.AsyncClient, service: Service) -> None:
    await client.post("/orders", json=order_body())
    async with service.database.connection() as connection:
        await connection.execute(
            "INSERT INTO leases (name, owner, epoch, until)"
            " VALUES ('desk', 'worker-1', 3, clock_timestamp() + interval '5 seconds'),"
            " ('feed', 'worker-2', 9, clock_timestamp() - interval '5 seconds')"
        )
    status = (await client.get("/status")).json()
    assert status["counts"]["orders"] == {"accepted": 1}
    assert status["counts"]["algorithms"] == {"twap": 1}
    assert status["clock"]["age_seconds"] < 30
    assert status["streams"] == {"subscribers": 0}
    assert status["version"]
    assert [(lease["name"], lease["owner"]) for lease in status["leases"]] == [
        ("desk", "worker-1"),
        ("feed", None),
    ]


async def test_health_needs_no_key_and_readiness_a_worker(api: FastAPI, service: Service) -> None:
    async with client_for(api, None) as client:
        assert (await client.get("/healthz")).json() == {"status": "ok"}
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()["ready"]) == (200, True)
        assert set(ready.json()["checks"]) == {"database", "schema", "worker"}
        await silence(service)
        late = await client.get("/readyz")
        assert (late.status_code, late.json()["checks"]["worker"]["ok"]) == (503, False)
        async with service.database.connection() as connection:
            await connection.execute("UPDATE alembic_version SET version_num = '0000'")
        old = await client.get("/readyz")
        assert (old.status_code, old.json()["checks"]["schema"]["ok"]) == (503, False)


async def test_who_is_ready_takes_orders(client: httpx.AsyncClient, service: Service) -> None:
    for silent, ready, entered in ((0, 200, 202), (3.5, 503, 503), (29, 503, 503), (0, 200, 202)):
        async with service.database.connection() as connection:
            await connection.execute(
                "UPDATE market_clock SET told_at = clock_timestamp() - $1 * interval '1 second'",
                silent,
            )
        order = await client.post("/orders", json=order_body())
        assert ((await client.get("/readyz")).status_code, order.status_code) == (ready, entered)


async def test_readiness_asks_whom_it_was_told_to_ask(service: Service) -> None:
    async def broker() -> dict[str, dict[str, Any]]:
        return {"broker": {"ok": False, "detail": "not reconciled"}}

    async with client_for(create_api(service, ready=broker), None) as client:
        answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["checks"]["broker"]["ok"]) == (503, False)


async def test_metrics_are_of_this_app_alone(client: httpx.AsyncClient, service: Service) -> None:
    await client.post("/orders", json=order_body())
    await client.get("/nothing/at/all")
    page = (await client.get("/metrics")).text
    assert 'slipstream_orders{status="accepted"} 1.0' in page
    counted = 'slipstream_request_seconds_count{method="POST",route="/orders",status="202"} 1.0'
    assert counted in page
    assert 'route="unknown",status="404"' in page
    assert "slipstream_stream_clients 0.0" in page
    assert "slipstream_stream_lag_seconds" in page
    create_api(service)  # A second registry: nothing is global.


async def test_request_ids_are_echoed_or_made(client: httpx.AsyncClient) -> None:
    given = await client.get("/healthz", headers={"X-Request-ID": "abc-1"})
    assert given.headers["x-request-id"] == "abc-1"
    for twice in (("abc-1", "abc-2"), ("a b", "abc-1"), ("abc-1", "a b")):
        given = await client.get("/healthz", headers=[("X-Request-ID", one) for one in twice])
        assert given.headers["x-request-id"] == "abc-1"
    for bad in ("a b", "x" * 65, 'a"b'):
        made = await client.get("/healthz", headers={"X-Request-ID": bad})
        assert made.headers["x-request-id"] != bad
        assert len(made.headers["x-request-id"]) == 16


async def test_a_failure_of_ours_is_logged_not_told(
    client: httpx.AsyncClient, service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    async with service.database.connection() as connection:
        await connection.execute("ALTER TABLE positions RENAME TO positions_of_someone")
    answer = await client.get("/positions", headers={"X-Request-ID": "broken-1"})
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "positions" not in answer.text
    assert answer.json()["request_id"] == "broken-1"
    assert "broken-1" in capsys.readouterr().out


async def test_without_the_database_the_answer_is_503(
    api: FastAPI, client: httpx.AsyncClient, service: Service, make_key: MakeKey
) -> None:
    assert (await client.get("/positions")).status_code == 200
    await service.database.close()
    for answer in (
        await client.get("/positions"),
        await client.post("/orders", json=order_body()),
        await client.get("/readyz"),
    ):
        assert answer.status_code == 503, answer.text
        assert answer.headers["content-type"].startswith("application/")
    assert (await client.get("/healthz")).status_code == 200


async def test_a_terminated_connection_is_503_and_then_forgotten(
    client: httpx.AsyncClient, service: Service, database_url: str
) -> None:
    assert (await client.get("/positions")).status_code == 200
    other = await Database.open(database_url, connections=1)
    reading = [asyncio.create_task(client.get("/positions")) for _ in range(20)]
    async with other.connection() as connection:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    statuses = {answer.status_code for answer in await asyncio.gather(*reading)}
    assert statuses <= {200, 503}
    await other.close()
    async with asyncio.timeout(30):
        while (await client.get("/positions")).status_code != 200:
            await asyncio.sleep(0.05)


def test_every_refusal_has_a_status() -> None:
    kinds = [
        kind
        for kind in vars(refusal).values()
        if inspect.isclass(kind) and issubclass(kind, refusal.Refusal)
    ]
    assert set(kinds) <= set(STATUS_OF)


def test_handlers_parse_call_one_use_case_and_answer(api: FastAPI) -> None:
    for context in iter_route_contexts(api.routes):
        if isinstance(context.original_route, APIRoute):
            [handler] = ast.parse(inspect.getsource(context.original_route.endpoint)).body
            assert isinstance(handler, ast.AsyncFunctionDef)
            lines = (handler.end_lineno or 0) - handler.body[0].lineno
            assert lines <= 15, f"{context.path}: {lines} lines"
    for path in Path(app.api.__file__).parent.glob("*.py"):
        assert len(path.read_text().splitlines()) <= 250, path.name
