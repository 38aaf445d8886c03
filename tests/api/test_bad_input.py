"""Whatever is wrong with a request: a problem that names the field, and no row anywhere."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from app.engine.service import Service
from app.store import market_state
from tests.api.conftest import Served, order_body, row_counts

BAD: list[tuple[str, dict[str, Any], str]] = [
    ("unknown field", {"quantity": "5"}, "quantity"),
    ("no symbol", {"symbol": None}, "symbol"),
    ("symbol is a number", {"symbol": 5}, "symbol"),
    ("symbol with a hidden character", {"symbol": "AC\x00ME"}, "symbol"),
    ("symbol too long", {"symbol": "A" * 33}, "symbol"),
    ("side in capitals", {"side": "BUY"}, "side"),
    ("negative", {"qty": "-5"}, "qty"),
    ("zero", {"qty": 0}, "qty"),
    ("wrong lot", {"qty": "0.5"}, "qty"),
    ("true", {"qty": True}, "qty"),
    ("empty", {"qty": ""}, "qty"),
    ("text", {"qty": "many"}, "qty"),
    ("NaN as text", {"qty": "NaN"}, "qty"),
    ("Infinity as text", {"qty": "Infinity"}, "qty"),
    ("exponent", {"qty": "1E+999999"}, "qty"),
    ("too long", {"qty": "1" * 41}, "qty"),
    ("too many digits", {"qty": "1." + "1" * 30}, "qty"),
    ("underscore", {"qty": "1_000"}, "qty"),
    ("space", {"qty": " 5"}, "qty"),
    ("other digits", {"qty": "٣"}, "qty"),
    ("list", {"qty": [5]}, "qty"),
    ("no quantity", {"qty": None}, "qty"),
    ("both", {"notional": "1000"}, "qty"),
    ("negative notional", {"qty": None, "notional": "-1000"}, "notional"),
    ("below the smallest", {"qty": None, "notional": "10"}, "notional"),
    ("unknown algorithm", {"algo": "magic"}, "algo"),
    ("unknown parameter", {"params": {"slizes": 5}}, "params.slizes"),
    ("parameter out of range", {"params": {"slices": 0}}, "params.slices"),
    ("parameter true", {"params": {"slices": True}}, "params.slices"),
    ("parameter is a list", {"params": {"slices": [5]}}, "params.slices"),
    ("parameter with a hidden character", {"params": {"seed": "a\x00b"}}, "params.seed"),
    ("surrogate in a parameter", {"params": {"seed": "\ud800"}}, "params.seed"),
    ("surrogate", {"strategy": "\ud800"}, "strategy"),
    ("params is a text", {"params": "slices=5"}, "params"),
    ("wrong tick", {"limit_price": "100.001"}, "limit_price"),
    ("negative price", {"limit_price": "-1"}, "limit_price"),
    ("limit without price", {"algo": "limit", "duration": None}, "limit_price"),
    ("participation of ten", {"max_participation": 10}, "max_participation"),
    ("duration without unit", {"duration": "soon"}, "duration"),
    ("duration of nothing", {"duration": 0}, "duration"),
    ("duration below zero", {"duration": -30}, "duration"),
    ("duration too short", {"duration": "0.5s"}, "duration"),
    ("duration too long", {"duration": "24h"}, "duration"),
    ("both ends", {"end_time": "2026-01-05T16:00:00Z"}, "duration"),
    (
        "end before start",
        {
            "duration": None,
            "start_time": "2026-01-05T17:00:00Z",
            "end_time": "2026-01-05T16:00:00Z",
        },
        "end_time",
    ),
    (
        "end after the close",
        {"duration": None, "end_time": "2026-01-05T22:00:00Z"},
        "end_time",
    ),
    ("start at night", {"start_time": "2026-01-06T03:00:00Z"}, "start_time"),
    ("start without zone", {"start_time": "2026-01-05T16:00:00"}, "start_time"),
    ("start on no day", {"start_time": "2026-02-30T16:00:00Z"}, "start_time"),
    ("start as a number", {"start_time": 1767628800}, "start_time"),
    ("start at the end of time", {"start_time": "9999-12-31T23:59:59Z"}, "start_time"),
    ("start before time", {"start_time": "0001-01-01T00:00:00+14:00"}, "start_time"),
    ("urgency", {"urgency": "asap"}, "urgency"),
    ("time in force", {"time_in_force": "gtc"}, "time_in_force"),
    ("restart", {"on_restart": "forget"}, "on_restart"),
    ("client id with a space", {"client_order_id": "a b"}, "client_order_id"),
    ("client id too long", {"client_order_id": "a" * 129}, "client_order_id"),
    ("tag with a hidden character", {"tags": ["ok", "a\x07"]}, "tags.1"),
    ("too many tags", {"tags": ["t"] * 21}, "tags"),
    ("above the limit", {"qty": "100001"}, "qty"),
]


@pytest.mark.parametrize(
    ("changes", "field"), [case[1:] for case in BAD], ids=[case[0] for case in BAD]
)
async def test_a_bad_order_names_the_field_and_leaves_no_row(
    client: httpx.AsyncClient, service: Service, changes: dict[str, Any], field: str
) -> None:
    before = await row_counts(service)
    answer = await client.post("/orders", content=json.dumps(order_body(**changes)))
    assert_problem(answer, 422)
    assert [".".join(map(str, error["loc"])) for error in answer.json()["errors"]] == [field]
    assert await row_counts(service) == before
    preview = await client.post("/orders/preview", content=json.dumps(order_body(**changes)))
    if not answer.json()["code"].startswith("risk."):
        assert_problem(preview, 422)


@pytest.mark.parametrize(
    "literal", ["NaN", "Infinity", "-Infinity", "1E+999999", "1e99999999999999999999", "9" * 5000]
)
async def test_a_number_that_is_none_names_the_field(
    client: httpx.AsyncClient, service: Service, literal: str
) -> None:
    before = await row_counts(service)
    body = json.dumps(order_body(qty="@")).replace('"@"', literal)
    answer = await client.post("/orders", content=body)
    assert_problem(answer, 422)
    assert answer.json()["errors"][0]["loc"] == ["qty"]
    seed = json.dumps(order_body(params={"slices": "@"})).replace('"@"', literal)
    answer = await client.post("/orders", content=seed)
    assert_problem(answer, 422)
    assert answer.json()["errors"][0]["loc"] == ["params", "slices"]
    assert await row_counts(service) == before


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"ACME"',
        b"null",
        b"\xff\xfe",
        b'{"symbol":"ACME","symbol":"ACME"}',
        b'{"\\ud800":1}',
        b"[" * 100_000,
        b'{"a":' * 40_000,
    ],
    ids=["empty", "cut", "list", "text", "null", "bytes", "twice", "surrogate", "deep", "deeper"],
)
async def test_what_is_no_json_object_is_400(
    client: httpx.AsyncClient, service: Service, body: bytes
) -> None:
    before = await row_counts(service)
    for path in ("/orders", "/orders/preview", "/signals", "/keys"):
        answer = await client.post(path, content=body)
        assert_problem(answer, 400)
        assert answer.json()["code"] == "invalid_json"
    assert await row_counts(service) == before


async def test_an_unknown_symbol_is_named(client: httpx.AsyncClient, service: Service) -> None:
    async with feed_that_knows_nothing(service):
        answer = await client.post("/orders", json=order_body(symbol="NOPE"))
    assert_problem(answer, 422)
    assert answer.json()["code"] == "unknown_symbol"
    assert answer.json()["errors"][0]["loc"] == ["symbol"]
    counts = await row_counts(service)
    assert (counts["orders"], counts["events"]) == (0, 0)


async def test_a_huge_body_is_refused_by_its_length(
    client: httpx.AsyncClient, service: Service
) -> None:
    answer = await client.post("/orders", content=b"x" * (256 * 1024 + 1))
    assert_problem(answer, 413)
    exact = await client.post("/orders", content=b"x" * (256 * 1024))
    assert_problem(exact, 400)


async def test_a_huge_body_is_refused_while_it_streams(served: Served, admin_key: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(
        b"POST /orders HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
        b"Authorization: Bearer " + admin_key.encode() + b"\r\n\r\n"
    )
    for _ in range(5):
        writer.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
    await writer.drain()
    # The body has no end: the answer comes because of what is there already.
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    assert b" 413 " in head.split(b"\r\n")[0]
    assert b"application/problem+json" in head
    writer.close()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"action": "HOLD"}, "action"),
        ({"size": "-1"}, "size"),
        ({"size": "0.5"}, "size"),
        ({"price": 0}, "price"),
        ({"confidence": 1.5}, "confidence"),
        ({"market": ""}, "market"),
        ({"when": "now"}, "when"),
        ({"id": "a b"}, "id"),
    ],
)
async def test_a_bad_signal_names_the_field(
    client: httpx.AsyncClient, service: Service, changes: dict[str, Any], field: str
) -> None:
    before = await row_counts(service)
    body = {"action": "BUY", "market": "ACME", "size": "100"} | changes
    answer = await client.post("/signals", json=body)
    assert_problem(answer, 422)
    assert answer.json()["errors"][0]["loc"] == [field]
    assert await row_counts(service) == before


@pytest.mark.parametrize("key", ['""', "", "x" * 256, "\x80"])
async def test_a_bad_idempotency_key_is_named(client: httpx.AsyncClient, key: str) -> None:
    headers = {"Idempotency-Key": key.encode("latin-1")}
    answer = await client.post("/orders", json=order_body(), headers=headers)  # type: ignore[arg-type]
    assert_problem(answer, 422)
    assert answer.json()["errors"][0]["loc"] == ["Idempotency-Key"]


@pytest.mark.parametrize(
    "path", ["/", "/nothing", "/orders/", "/orders/x", "/orders/%00", "/signals/x", "/fills/1"]
)
async def test_what_is_not_there_is_404(client: httpx.AsyncClient, path: str) -> None:
    assert_problem(await client.get(path), 404)


@pytest.mark.parametrize(
    "path",
    [
        "/risk/limits/changes?before=136202098366083758095004073984",
        "/audit-trail?before=174196802156783599616",
        f"/backtests/{'0' * 32}/parents?after=174196802156783599616",
        "/reports/daily?date=2.8e-44",
        "/reports/daily?date=86400",
        "/reports/daily?date=2026-13-01",
    ],
)
async def test_numbers_beyond_all_and_dates_that_are_none(
    client: httpx.AsyncClient, path: str
) -> None:
    assert_problem(await client.get(path), 422)


async def test_a_wrong_method_is_405(client: httpx.AsyncClient) -> None:
    answer = await client.put("/orders", json={})
    assert_problem(answer, 405)
    assert "POST" in answer.headers["allow"] or "GET" in answer.headers["allow"]


def assert_problem(answer: httpx.Response, status: int) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    for member in ("type", "title", "detail", "code", "message", "errors"):
        assert member in problem
    assert problem["request_id"] == answer.headers["x-request-id"]


@asynccontextmanager
async def feed_that_knows_nothing(service: Service) -> AsyncIterator[None]:
    """The owner of a feed that has no symbol."""

    async def answer() -> None:
        while True:
            async with service.database.connection() as connection:
                for symbol in await market_state.unanswered(connection):
                    await market_state.refuse(connection, symbol, f"no symbol {symbol}")
            await asyncio.sleep(0.01)

    answering = asyncio.create_task(answer())
    yield
    answering.cancel()
