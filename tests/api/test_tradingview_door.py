"""The door for alerts: who may come in, what is told and logged, and what takes too long."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
import structlog
from fastapi import FastAPI

from app.api.app import create_api
from app.engine import tradingview
from app.engine.service import Service
from app.main import configure_logging
from app.settings import Settings
from tests.api.conftest import Served, client_for, row_counts, serve, silence
from tests.api.test_hooks import make
from tests.api.test_tradingview import BUY, send


async def test_who_may_not_come_in_does_not_learn_why(
    client: httpx.AsyncClient, served: Served, service: Service
) -> None:
    plain = await make(client)
    locked = await make(client, passphrase="correct horse battery")
    distant = await make(client, sources=["52.89.214.238", "34.212.75.0/24"])
    wrong = "/webhooks/tradingview/" + plain["token"][:-1] + "!"
    told = [
        await send(served.url, wrong, BUY),
        await send(served.url, "/webhooks/tradingview/%00%ff", BUY),
        await send(served.url, locked["path"], BUY),
        await send(served.url, locked["path"], BUY | {"passphrase": "correct horse batterz"}),
        await send(served.url, locked["path"], BUY | {"passphrase": 7}),
        await send(served.url, locked["path"], b"no passphrase fits in here"),
        await send(served.url, distant["path"], BUY),
        await send(served.url, distant["path"], BUY, **{"x-forwarded-for": "52.89.214.238"}),
        await send(served.url, distant["path"], b"not even an alert"),
    ]
    assert {a.status_code for a in told} == {404}
    assert len({(a.json()["code"], a.json()["message"]) for a in told}) == 1
    listed = (await client.get("/hooks")).json()["items"]
    refused = {hook["id"]: hook["last_refused"] for hook in listed}
    assert refused == {
        plain["id"]: None,
        locked["id"]: "hook.unreadable",
        distant["id"]: "source",
    }
    good = await send(served.url, locked["path"], BUY | {"passphrase": "correct horse battery"})
    assert good.status_code == 202
    assert "correct horse" not in good.text
    async with service.database.connection() as connection:
        stored = str(await connection.fetch("SELECT * FROM signals"))
    assert "correct horse" not in stored


async def test_an_account_that_is_no_longer_served_takes_no_alerts(
    client: httpx.AsyncClient, service: Service
) -> None:
    hook = await make(client)
    elsewhere = replace(service, broker_of={"other": "paper"}, default_account="other")
    async with serve(create_api(elsewhere)) as later:
        assert (await send(later.url, hook["path"], BUY)).status_code == 404
    [listed] = (await client.get("/hooks")).json()["items"]
    assert listed["last_refused"] == "account"


async def test_only_a_proxy_that_is_named_says_who_sends(
    client: httpx.AsyncClient, service: Service
) -> None:
    hook = await make(client, sources=["52.89.214.238"])
    async with serve(create_api(service, proxies=["127.0.0.1", "10.0.0.1"])) as behind:
        for told, status in (
            ("52.89.214.238", 200),
            ("::ffff:52.89.214.238", 200),
            ("1.2.3.4, 52.89.214.238, 10.0.0.1", 200),
            ("52.89.214.238, 1.2.3.4", 404),
            ("nobody", 404),
        ):
            answer = await send(
                behind.url, hook["path"], BUY, query="?test=1", **{"x-forwarded-for": told}
            )
            assert answer.status_code == status, told


async def test_a_trial_shows_what_is_understood_and_enters_nothing(
    client: httpx.AsyncClient, served: Served, service: Service
) -> None:
    hook = await make(client, per_minute=1)
    for _ in range(3):
        told = await send(served.url, hook["path"], BUY | {"exchange": "NASDAQ"}, query="?test=1")
        assert told.status_code == 200
        assert told.json()["understood"]["act"] == "buy"
        shown = told.json()["signal"]
        assert (shown["symbol"], shown["side"], shown["size"]) == ("ACME", "buy", "10")
    refused = await send(served.url, hook["path"], BUY | {"quantity": "{{x}}"}, query="?test=1")
    assert (refused.status_code, refused.json()["code"]) == (422, "hook.placeholder")
    assert (await row_counts(service))["signals"] == 0
    assert (await send(served.url, hook["path"], BUY)).status_code == 202


async def test_nothing_stored_is_a_5xx_and_the_next_send_is_decided(
    client: httpx.AsyncClient, served: Served, service: Service
) -> None:
    hook = await make(client)
    await silence(service)
    told = await send(served.url, hook["path"], BUY)
    assert (told.status_code, told.json()["code"]) == (503, "no_market_time")
    assert (await row_counts(service))["signals"] == 0
    async with service.database.connection() as connection:
        await connection.execute("UPDATE market_clock SET told_at = clock_timestamp()")
    again = await send(served.url, hook["path"], BUY)
    assert (again.status_code, again.json()["decision"]) == (202, "execute")


async def test_a_decision_that_takes_too_long_is_asked_for_again(
    client: httpx.AsyncClient,
    served: Served,
    service: Service,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert tradingview.ANSWER_SECONDS < 3, "TradingView waits no longer"
    monkeypatch.setattr(tradingview, "ANSWER_SECONDS", 0.5)
    hook = await make(client)
    async with service.database.connection() as other:
        await other.execute("SELECT pg_advisory_lock(hashtextextended('signal:main:ACME', 0))")
        began = asyncio.get_running_loop().time()
        slow = await send(served.url, hook["path"], BUY)
        took = asyncio.get_running_loop().time() - began
        await other.execute("SELECT pg_advisory_unlock(hashtextextended('signal:main:ACME', 0))")
    assert (slow.status_code, slow.json()["code"]) == (503, "still_deciding")
    assert 0.4 < took < 20
    again = await send(served.url, hook["path"], BUY)
    assert (again.status_code, again.json()["decision"]) == (202, "execute")
    assert (await row_counts(service))["orders"] == 1


async def test_a_client_that_hangs_up_changes_nothing(
    client: httpx.AsyncClient, served: Served, service: Service
) -> None:
    hook = await make(client)
    raw = json.dumps(BUY).encode()
    for body, said in ((raw, len(raw)), (raw[:10], len(raw))):
        _, writer = await asyncio.open_connection("127.0.0.1", served.port)
        head = f"POST {hook['path']} HTTP/1.1\r\nHost: x\r\nContent-Length: {said}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()
    async with asyncio.timeout(5):
        while (await row_counts(service))["orders"] < 1:
            await asyncio.sleep(0.02)
    again = await send(served.url, hook["path"], BUY)
    assert again.json()["decision"] == "execute"
    assert (await row_counts(service))["orders"] == 1


@pytest.fixture
def logging_as_served() -> Iterator[None]:
    yield
    structlog.reset_defaults()


@pytest.mark.usefixtures("logging_as_served")
async def test_no_token_is_in_a_log_an_error_or_a_metric(
    client: httpx.AsyncClient, served: Served, service: Service, capfd: pytest.CaptureFixture[str]
) -> None:
    configure_logging(Settings(_env_file=None, log_level="debug"))
    hook = await make(client, passphrase="correct horse battery")
    secrets = (hook["token"], "correct horse battery")
    path, good = hook["path"], BUY | {"passphrase": "correct horse battery"}
    answers = [await send(served.url, path, alert) for alert in (good, BUY, b"\xff", b"{" * 70000)]
    async with httpx.AsyncClient() as plain:
        for method, address in (
            ("GET", path),
            ("POST", path + "/more"),
            ("POST", path + "/"),
            ("POST", "/" + path),
            ("POST", "/alpaca" + path),
            ("PUT", path.upper()),
            ("POST", "/" + hook["token"]),
        ):
            answers.append(await plain.request(method, served.url + address))
    _, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\nab".encode())
    await writer.drain()
    writer.close()
    await asyncio.sleep(0.1)
    async with service.database.connection() as connection:
        await connection.execute("ALTER TABLE hook_sends RENAME TO hook_sends_of_someone")
    broken = await send(served.url, path, good | {"id": "other"})
    assert broken.status_code == 500
    metrics = (await client.get("/metrics")).text
    logged = "".join(capfd.readouterr())
    assert "/webhooks/tradingview/***" in logged
    assert "request failed" in logged
    for text in (logged, metrics, broken.text, *(a.text for a in answers)):
        for secret in secrets:
            assert secret not in text
            assert secret.upper() not in text


async def test_the_api_page_describes_the_door(api: FastAPI) -> None:
    async with client_for(api, None) as client:
        page = (await client.get("/openapi.json")).json()
    door = page["paths"]["/webhooks/tradingview/{token}"]["post"]
    assert door["security"] == []
    [token] = [p for p in door["parameters"] if p["name"] == "token"]
    assert "POST /hooks" in token["description"]
    assert set(door["requestBody"]["content"]) == {"application/json", "text/plain"}
