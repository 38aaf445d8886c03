"""Signals that come late, early or again: which overtakes which, and what is judged anew."""

from typing import Any

import httpx
import pytest

from app.engine.service import Service
from tests.api.ending import hold
from tests.api.test_signals import put, send

AIM = {"action": None, "size": None}
NOW, EARLIER, LATER = (f"2026-01-05T{t}Z" for t in ("15:29:59", "15:29:58", "15:30:30"))


async def test_a_signal_from_the_future_is_refused_and_overtakes_nobody(
    client: httpx.AsyncClient,
) -> None:
    early = await send(client, strategy="s", time="2199-01-05T14:59:58Z")
    assert (early["decision"], early["reason"]) == ("reject", "freshness")
    assert (await send(client, strategy="s"))["decision"] == "execute"
    now = early["at"]
    assert (await send(client, strategy="s", time=now))["decision"] == "execute"


async def test_what_was_deferred_is_judged_again_and_what_was_decided_is_not(
    client: httpx.AsyncClient, service: Service
) -> None:
    await put(client, gates=[{"gate": "confidence"}])
    first = await send(client, id="a", confidence=0.1)
    assert first["decision"] == "reject"
    async with service.database.connection() as connection:
        await connection.execute("UPDATE signals SET decision = 'defer'")
    await put(client, gates=[])
    again = await send(client, id="a", confidence=0.1)
    assert (again["id"], again["decision"]) == (first["id"], "execute")
    assert await send(client, id="a", confidence=0.1) == again


@pytest.mark.parametrize(
    ("asked", "early"),
    [
        ([{"gate": "freshness"}], {"direction": "flat"}),
        ([{"gate": "flow"}, {"gate": "freshness"}], {"target_position": "50"}),
        ([], {"target_position": "50"}),
        ([{"gate": "freshness", "params": {"tolerance": 20}}], {"target_position": "50"}),
    ],
    ids=["nothing to do", "another gate first", "no gate", "a gate's own tolerance"],
)
async def test_one_from_the_future_holds_up_nobody(
    client: httpx.AsyncClient, asked: list[Any], early: dict[str, Any]
) -> None:
    await put(client, "s", gates=asked)
    await send(client, **(AIM | early), strategy="s", time=LATER)
    told = await send(client, **(AIM | {"target_position": "80"}), strategy="s", time=NOW)
    assert told["reason"] != "overtaken"


async def test_what_was_turned_away_overtakes_nobody_what_was_done_already_does(
    client: httpx.AsyncClient, service: Service
) -> None:
    await put(client, "s", gates=[{"gate": "confidence"}])
    refused = await send(client, strategy="s", confidence=0.1, time=NOW)
    assert (refused["decision"], refused["reason"]) == ("reject", "confidence")
    assert (await send(client, strategy="s", time=EARLIER))["decision"] == "execute"
    await hold(service, "-200")
    there = await send(client, **AIM, strategy="s", target_position="100", time=NOW)
    assert there["reason"] == "already_there"
    late = await send(client, **AIM, strategy="s", target_position="70", time=EARLIER)
    assert late["reason"] == "overtaken"


async def deferred(client: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    await put(client, "s", gates=[{"gate": "flow", "params": {"no_data": "defer"}}])
    told = await send(client, id="d", strategy="s", **fields)
    assert told["decision"] == "defer"
    await put(client, "s", gates=[])
    return told


async def test_a_deferred_signal_that_cannot_be_judged_again_stays_deferred(
    client: httpx.AsyncClient,
) -> None:
    told = await deferred(client, algo="nonsense")
    body = {"symbol": "ACME", "action": "buy", "size": "300", "algo": "nonsense"}
    again = await client.post("/signals", json=body | {"id": "d", "strategy": "s"})
    assert (again.status_code, again.json()["code"]) == (422, "unknown_algorithm")
    assert (await client.get(f"/signals/{told['id']}")).json() == told


async def test_a_deferred_signal_outlives_an_order_that_was_not_entered(
    client: httpx.AsyncClient, service: Service
) -> None:
    """The order's name is taken: its claim on the signal is given up in the same transaction."""
    told = await deferred(client)
    taken = {"symbol": "ACME", "side": "buy", "qty": "1", "client_order_id": f"signal-{told['id']}"}
    assert (await client.post("/orders", json=taken)).status_code == 202
    body = {"symbol": "ACME", "action": "buy", "size": "300", "id": "d", "strategy": "s"}
    assert (await client.post("/signals", json=body)).status_code == 409
    assert (await client.get(f"/signals/{told['id']}")).json() == told
