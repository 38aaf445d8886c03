"""Seeded secrets are nowhere: not in the database, the log, an answer, the page or an error."""

import json
from pathlib import Path

import asyncpg
import httpx
import pytest

from tests.api.conftest import order_body
from tests.server import Server, running_server

SECRET = "zq-broker-secret-4711"
KEY_ID = "zq-broker-key-4711"


async def said(server: Server) -> list[str]:
    """All that the server answers to good requests and bad ones."""
    client, key = server.client, server.key
    made = await client.post("/keys", json={"name": "desk", "scopes": ["trade"]})
    other = made.json().pop("key")
    texts = [made.text.replace(other, "")]
    page = (await client.get("/openapi.json")).json()
    texts.append(json.dumps(page))
    for path, methods in page["paths"].items():
        if "get" in methods and "{" not in path and path != "/events":
            texts.append((await client.get(path)).text)
    for method, path, body in (
        ("POST", "/orders", order_body()),
        ("POST", "/orders", order_body(side=key)),
        ("POST", "/orders", order_body(nothing=key)),
        ("POST", "/keys", {"name": "x", "scopes": [key]}),
        ("POST", "/keys", {key: "x"}),
        ("PUT", "/risk/limits", {"limit": key}),
        ("GET", "/alpaca/v2/account", None),
        ("GET", "/alpaca/v2/orders?status=all", None),
    ):
        answer = await client.request(method, path, json=body)
        texts.append(answer.text.replace(key, "") if key in json.dumps(body) else answer.text)
        texts.append(str(answer.headers))
    async with httpx.AsyncClient(base_url=server.url) as stranger:
        for shown in (f"Bearer {key}x", f"Basic {key}", key):
            answer = await stranger.get("/orders", headers={"Authorization": shown})
            texts.append(answer.text + str(answer.headers))
    return [text.replace(other, "") for text in texts]


@pytest.mark.slow
async def test_no_secret_is_left_anywhere(
    tmp_path: Path, home_url: str | None, database_url: str
) -> None:
    home = home_url or database_url
    async with running_server(
        tmp_path / "house",
        home,
        LOG_LEVEL="debug",
        HOLD="false",
        ALPACA_KEY_ID=KEY_ID,
        ALPACA_SECRET_KEY=SECRET,
    ) as server:
        texts = await said(server)
        secret = server.key.split("_", 2)[2]
        log = server.log()
        dump = await dumped(home)
    assert len(texts) > 40
    assert '"request"' in log
    assert "api_keys" in dump
    for where, text in (("answers", "\n".join(texts)), ("log", log), ("database", dump)):
        for canary in (secret, SECRET, KEY_ID):
            assert canary not in text, f"a secret in the {where}"


async def dumped(url: str) -> str:
    """Every row of every table, as text."""
    connection = await asyncpg.connect(url)
    tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    rows = []
    for (table,) in tables:
        found = await connection.fetch(f"SELECT t::text FROM {table} t")
        rows += [f"{table} {row[0]}" for row in found]
    await connection.close()
    return "\n".join(rows)
