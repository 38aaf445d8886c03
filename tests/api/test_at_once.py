"""A thousand clients that send the same at the same moment: one order, one signal."""

import asyncio
import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest

from app.engine.service import Service
from tests.api.conftest import Served, order_body

CLIENTS = 1_000


@dataclass(frozen=True)
class Heard:
    status: int
    head: str
    body: dict[str, Any]


async def sent_by_all(
    served: Served, key: str, path: str, body: dict[str, Any], **headers: str
) -> list[Heard]:
    """The answers to the same request, sent on a thousand connections that are open already."""
    content = json.dumps(body).encode()
    told = {"Host": "x", "Authorization": f"Bearer {key}", "Content-Length": len(content)}
    lines = [f"{name}: {value}" for name, value in (told | headers).items()]
    raw = "\r\n".join([f"POST {path} HTTP/1.1", *lines, "Connection: close", "", ""]).encode()
    doors = [await asyncio.open_connection("127.0.0.1", served.port) for _ in range(CLIENTS)]
    for _, writer in doors:
        writer.write(raw + content)
    answers = await asyncio.gather(*(reader.read() for reader, _ in doors))
    for _, writer in doors:
        writer.close()
    return [heard(answer) for answer in answers]


def heard(answer: bytes) -> Heard:
    head, _, body = answer.partition(b"\r\n\r\n")
    return Heard(int(head.split()[1]), head.decode().lower(), json.loads(body))


async def count(service: Service, table: str) -> int:
    async with service.database.connection() as connection:
        found: int = await connection.fetchval(f"SELECT count(*) FROM {table}")
        return found


@pytest.mark.slow
@pytest.mark.parametrize("named_by", ["client_order_id", "idempotency_key", "both"])
async def test_a_thousand_identical_orders_are_one(
    served: Served, service: Service, admin_key: str, named_by: str
) -> None:
    body = order_body(client_order_id=None if named_by == "idempotency_key" else "once")
    headers: dict[str, str] = {} if named_by == "client_order_id" else {"Idempotency-Key": "once"}
    answers = await sent_by_all(served, admin_key, "/orders", body, **headers)
    assert Counter(a.status for a in answers) == {202: CLIENTS}
    assert len({a.body["id"] for a in answers}) == 1
    assert sum("idempotency-replayed" not in a.head for a in answers) == 1
    assert await count(service, "orders") == 1


@pytest.mark.slow
async def test_a_thousand_identical_signals_are_one(
    served: Served, service: Service, admin_key: str
) -> None:
    body = {"id": "once", "action": "BUY", "symbol": "ACME", "size": "5", "strategy": "s"}
    answers = await sent_by_all(served, admin_key, "/signals", body)
    assert Counter(a.status for a in answers) == {202: CLIENTS}
    assert len({a.body["id"] for a in answers}) == 1
    assert await count(service, "signals") == 1
    assert await count(service, "orders") == 1
