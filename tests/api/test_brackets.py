"""Brackets over HTTP: how levels are said, what is refused, what is shown."""

from decimal import Decimal
from typing import Any

import httpx
import pytest

from app.engine.service import Service

BUY = {"symbol": "ACME", "side": "buy", "qty": "100", "algo": "market"}


async def enter(client: httpx.AsyncClient, **fields: Any) -> httpx.Response:
    return await client.post("/orders", json=BUY | fields)


@pytest.mark.parametrize(
    ("target", "stop", "shown"),
    [
        ("111", "95.5", ({"price": "111"}, {"price": "95.5"})),
        ({"limit_price": "111"}, {"stop_price": "95"}, ({"price": "111"}, {"price": "95"})),
        ({"offset": "2.00"}, {"offset": "1"}, ({"offset": "2.00"}, {"offset": "1"})),
        ({"percent": "2"}, None, ({"percent": "2"}, None)),
        (None, {"price": 98}, (None, {"price": "98"})),
    ],
)
async def test_every_way_to_say_a_level(
    client: httpx.AsyncClient, service: Service, target: Any, stop: Any, shown: Any
) -> None:
    said = {"take_profit": target, "stop_loss": stop}
    answer = await enter(client, **{k: v for k, v in said.items() if v is not None})
    assert answer.status_code == 202, answer.text
    made = answer.json()
    assert (made["role"], made["group_id"]) == ("entry", made["id"])
    assert (made["bracket"]["take_profit"], made["bracket"]["stop_loss"]) == shown
    assert made["bracket"]["min_reward_risk"] == "2"
    assert made["bracket"]["exit_policy"] == "close"
    found = await client.get(f"/orders/{made['id']}")
    assert found.json() == made | {"exits": []}
    again = await client.get(f"/orders/{made['id']}", headers={"If-None-Match": '"v1"'})
    assert again.status_code == 200, "its exits change without it"
    async with service.database.connection() as connection:
        row = await connection.fetchrow("SELECT take_profit, stop_loss FROM orders")
    prices = [level.get("price") if level else None for level in shown]
    assert [row[0], row[1]] == [Decimal(p) if p is not None else None for p in prices]


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"take_profit": "99"}, "risk.wrong_side", "take_profit"),
        ({"stop_loss": "100.01"}, "risk.wrong_side", "stop_loss"),
        ({"side": "sell", "stop_loss": "98"}, "risk.wrong_side", "stop_loss"),
        ({"stop_loss": "98.005"}, "wrong_tick", "stop_loss"),
        ({"stop_loss": {"percent": "100"}}, "out_of_range", "stop_loss"),
        ({"take_profit": "101", "stop_loss": "99"}, "risk.reward_risk", "take_profit"),
        ({"exit_policy": "keep"}, "level_needed", "take_profit"),
        ({"stop_loss": "98", "reduce_only": True}, "contradiction", "reduce_only"),
        ({"stop_loss": {"offset": "1", "percent": "1"}}, "invalid_request", "stop_loss"),
        ({"stop_loss": {}}, "invalid_request", "stop_loss"),
        ({"stop_loss": "-5"}, "invalid_request", "stop_loss.price"),
        ({"exit_policy": "hope", "stop_loss": "98"}, "invalid_request", "exit_policy"),
    ],
)
async def test_a_bracket_that_cannot_be_is_refused_by_its_field(
    client: httpx.AsyncClient, fields: dict[str, Any], code: str, field: str
) -> None:
    answer = await enter(client, **fields)
    told = answer.json()
    assert (answer.status_code, told["code"]) == (422, code), told
    named = [str(part) for part in told["errors"][0]["loc"] if part != "body"]
    assert ".".join(named) == field, told


async def test_the_incident_is_refused_with_its_numbers(client: httpx.AsyncClient) -> None:
    """Stop 92.74, target 100.95: 1 : 2 was planned at 95.5; the market is at 100.01."""
    answer = await enter(client, take_profit="100.95", stop_loss="92.74")
    told = answer.json()
    assert (told["code"], told["reward_risk"], told["min_reward_risk"]) == (
        "risk.reward_risk",
        "0.12",
        "2",
    )
    low = await enter(client, take_profit="100.95", stop_loss="92.74", min_reward_risk="0.1")
    assert low.status_code == 202


async def test_the_same_order_again_is_the_same_and_another_bracket_is_not(
    client: httpx.AsyncClient,
) -> None:
    first = await enter(client, client_order_id="b-1", stop_loss={"offset": "1"})
    again = await enter(client, client_order_id="b-1", stop_loss={"offset": "1"})
    assert (again.status_code, again.json()["id"]) == (202, first.json()["id"])
    other = await enter(client, client_order_id="b-1", stop_loss={"offset": "2"})
    assert other.status_code == 409


async def test_a_signal_keeps_its_stop_and_target_as_exits(client: httpx.AsyncClient) -> None:
    signal = {"symbol": "ACME", "action": "buy", "size": "300", "stop": "98", "target": "106"}
    plain = (await client.post("/signals", json=signal)).json()
    made = (await client.get(f"/orders/{plain['order_id']}")).json()
    assert (made["role"], made["bracket"]) == ("single", None)
    told = (await client.post("/signals", json=signal | {"bracket": True})).json()
    assert told["decision"] == "execute", told
    made = (await client.get(f"/orders/{told['order_id']}")).json()
    assert made["bracket"]["take_profit"] == {"price": "106"}
    assert made["bracket"]["stop_loss"] == {"price": "98"}
    assert (made["exits"], told["note"]) == ([], None)


@pytest.mark.parametrize(
    ("levels", "named"),
    [
        ({"stop": "98", "target": "106"}, "stop and target are figures"),
        ({"stop": "98", "bracket": False}, "stop is a figure"),
        ({"target": "106"}, "target is a figure"),
        ({}, None),
    ],
)
async def test_a_signal_without_a_bracket_is_told_that_no_exits_follow(
    client: httpx.AsyncClient, levels: dict[str, Any], named: str | None
) -> None:
    await client.put("/strategies/bare", json={"reason": "drill", "gates": []})
    signal = {"symbol": "ACME", "action": "buy", "size": "300", "strategy": "bare"} | levels
    told = (await client.post("/signals", json=signal)).json()
    assert told["decision"] == "execute", told
    if named is None:
        assert told["note"] is None
    else:
        assert 'without "bracket": true' in told["note"]
        assert named in told["note"]
        assert "stands without exits" in told["note"]
    assert (await client.get(f"/signals/{told['id']}")).json() == told
    # Where nothing is entered there is nothing to miss.
    nothing = {"symbol": "ACME", "strategy": "bare", "target_position": "300"} | levels
    assert (await client.post("/signals", json=nothing)).json()["note"] is None


async def test_a_signal_takes_the_minimum_of_its_strategy(client: httpx.AsyncClient) -> None:
    gates = [{"gate": "reward_risk", "params": {"minimum": "2.5"}}]
    put = await client.put("/strategies/momo", json={"reason": "drill", "gates": gates})
    assert put.status_code == 200, put.text
    signal = {"symbol": "ACME", "action": "buy", "size": "300", "stop": "98", "target": "106"}
    asked = signal | {"bracket": True, "strategy": "momo"}
    told = (await client.post("/signals", json=asked)).json()
    made = (await client.get(f"/orders/{told['order_id']}")).json()
    assert made["bracket"]["min_reward_risk"] == "2.5"
    # A signal may ask for more, never for less.
    for own, held in ("1.5", "2.5"), ("2.75", "2.75"):
        more = asked | {"min_reward_risk": own, "exit_policy": "keep"}
        told = (await client.post("/signals", json=more)).json()
        made = (await client.get(f"/orders/{told['order_id']}")).json()
        bracket = made["bracket"]
        assert (bracket["min_reward_risk"], bracket["exit_policy"]) == (held, "keep")


@pytest.mark.parametrize(
    "fields", [{"bracket": True}, {"stop": "98", "exit_policy": "keep"}, {"bracket": "yes"}]
)
async def test_a_signal_whose_bracket_is_none_is_refused(
    client: httpx.AsyncClient, fields: dict[str, Any]
) -> None:
    body = {"symbol": "ACME", "action": "buy", "size": "300"} | fields
    assert (await client.post("/signals", json=body)).status_code == 422


async def test_a_signal_that_its_exits_make_worthless_is_a_rejection(
    client: httpx.AsyncClient,
) -> None:
    await client.put("/strategies/bare", json={"reason": "drill", "gates": []})
    body = {"symbol": "ACME", "action": "buy", "size": "300", "stop": "99", "target": "101"}
    told = (await client.post("/signals", json=body | {"bracket": True, "strategy": "bare"})).json()
    assert (told["decision"], told["reason"]) == ("reject", "risk.reward_risk"), told
