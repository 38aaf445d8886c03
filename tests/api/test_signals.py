"""Signals over HTTP: sizes, targets, gates, modes, order, and what is decided twice."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx
import pytest

from app.api.app import create_api
from app.engine.service import Service
from app.engine.strategy_book import HouseRules, StrategyBook
from tests.api.conftest import MakeKey, client_for, open_service
from tests.api.ending import ending

BUY = {"symbol": "ACME", "action": "buy", "size": "300"}


async def send(client: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    body = {name: value for name, value in (BUY | fields).items() if value is not None}
    answer = await client.post("/signals", json=body)
    assert answer.status_code == 202, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def put(client: httpx.AsyncClient, name: str = "*", **fields: Any) -> httpx.Response:
    return await client.put(f"/strategies/{name}", json={"reason": "drill", **fields})


def gates(told: dict[str, Any]) -> dict[str, str]:
    return {verdict["gate"]: verdict["verdict"] for verdict in told["verdicts"]}


async def order(client: httpx.AsyncClient, told: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = (await client.get(f"/orders/{told['order_id']}")).json()
    return found


async def test_a_signal_passes_the_gates_and_becomes_its_order(client: httpx.AsyncClient) -> None:
    told = await send(client, strategy="momo", confidence=0.7, stop="98", target="106")
    assert (told["decision"], told["mode"], told["reason"]) == ("execute", "paper", None)
    assert (told["side"], told["qty"], told["final_qty"]) == ("buy", "300", "300")
    assert list(gates(told)) == ["freshness", "confidence", "reward_risk", "cost", "mode"]
    assert set(gates(told).values()) == {"pass"}
    ratio = next(v for v in told["verdicts"] if v["gate"] == "reward_risk")
    assert Decimal(ratio["inputs"]["ratio"]) > 2
    made = await order(client, told)
    assert (made["qty"], made["strategy"], made["symbol"]) == ("300", "momo", "ACME")
    assert (await client.get(f"/signals/{told['id']}")).json() == told
    listed = (await client.get("/signals", params={"strategy": "momo"})).json()
    assert listed == {"items": [told], "next": None}


async def test_reward_to_risk_is_measured_at_a_better_limit_price(
    client: httpx.AsyncClient,
) -> None:
    levels = {"stop": "90", "target": "110"}
    waits = await send(client, algo="limit", limit_price="95", **levels)
    assert (waits["decision"], gates(waits)["reward_risk"]) == ("execute", "pass")
    assert (await send(client, **levels))["reason"] == "reward_risk"


@pytest.mark.parametrize(
    ("fields", "side", "qty"),
    [
        ({"size": None, "notional": "10000"}, "buy", "100"),
        ({"action": "SELL", "size": "7"}, "sell", "7"),
        ({"action": None, "size": None, "target_position": "-20"}, "sell", "20"),
        ({"action": None, "direction": "long", "size": "30"}, "buy", "30"),
        ({"action": None, "direction": "short", "size": "30"}, "sell", "30"),
        ({"market": "ACME", "symbol": None}, "buy", "300"),
    ],
)
async def test_every_way_to_say_how_much(
    client: httpx.AsyncClient, fields: dict[str, Any], side: str, qty: str
) -> None:
    told = await send(client, **fields)
    assert (told["decision"], told["side"], told["final_qty"]) == ("execute", side, qty)


@pytest.mark.parametrize(
    "fields",
    [
        {"size": None},
        {"notional": "5"},
        {"action": None},
        {"direction": "long"},
        {"target_position": "5"},
        {"target_position": "5", "size": None},
        {"direction": "flat", "action": None},
        {"direction": "long", "action": None, "size": None, "notional": "5"},
        {"confidence": 1.1},
        {"stop": "0"},
    ],
)
async def test_a_signal_that_contradicts_itself_is_refused(
    client: httpx.AsyncClient, fields: dict[str, Any]
) -> None:
    body = {name: value for name, value in (BUY | fields).items() if value is not None}
    refused = await client.post("/signals", json=body)
    assert refused.status_code == 422
    assert (await client.get("/signals")).json()["items"] == []


async def test_a_target_counts_what_is_held_and_open_and_may_come_twice(
    client: httpx.AsyncClient, service: Service
) -> None:
    async with service.database.connection() as connection:
        await connection.execute(
            "INSERT INTO positions (account, symbol, qty, outside) VALUES ('main', 'ACME', 100, 50)"
        )
    aim = {"action": None, "size": None}
    first = await send(client, **aim, target_position="400")
    assert (first["side"], first["final_qty"]) == ("buy", "250")
    again = await send(client, **aim, target_position="400")
    assert (again["decision"], again["reason"], again["order_id"]) == (
        "reject",
        "already_there",
        None,
    )
    async with ending(service):
        flat = await send(client, **aim, direction="flat")
    assert (flat["side"], flat["final_qty"]) == ("sell", "150")


async def test_targets_at_once_through_two_doors_come_to_one(
    service: Service, admin_key: str
) -> None:
    async with (
        open_service(service.database.url) as second,
        client_for(create_api(service), admin_key) as a,
        client_for(create_api(second), admin_key) as b,
    ):
        aim = {"action": None, "size": None, "target_position": "400"}
        told = await asyncio.gather(*(send((a, b)[n % 2], **aim) for n in range(12)))
        assert [t["decision"] for t in told].count("execute") == 1
        assert sum(Decimal(t["final_qty"] or 0) for t in told) == 400


async def test_a_thousand_times_the_same_signal_is_one_order(
    service: Service, admin_key: str
) -> None:
    async with (
        open_service(service.database.url) as second,
        client_for(create_api(service), admin_key) as a,
        client_for(create_api(second), admin_key) as b,
    ):
        told = await asyncio.gather(*(send((a, b)[n % 2], id="one") for n in range(1000)))
        assert len({t["id"] for t in told}) == len({t["order_id"] for t in told}) == 1
        assert len((await a.get("/orders")).json()["items"]) == 1
        assert len((await a.get("/signals")).json()["items"]) == 1


async def test_an_overtaken_signal_is_refused(client: httpx.AsyncClient) -> None:
    await put(client, gates=[])
    first = await send(client, strategy="s", time="2026-01-05T14:59:58Z")
    late = await send(client, strategy="s", time="2026-01-05T14:59:57Z")
    other = await send(client, strategy="t", time="2026-01-05T14:59:57Z")
    assert (first["decision"], late["decision"], other["decision"]) == (
        "execute",
        "reject",
        "execute",
    )
    assert late["reason"] == "overtaken"
    assert gates(late) == {"sequence": "reject"}


async def test_gates_are_chosen_ordered_and_set_by_strategy(
    client: httpx.AsyncClient, service: Service
) -> None:
    async with service.database.connection() as connection:
        await connection.execute("UPDATE watches SET volatility = 0.02")
    told = await put(
        client,
        "momo",
        kind="momentum",
        gates=[{"gate": "cost", "params": {"multiple": "3"}}, {"gate": "confidence"}],
    )
    assert told.status_code == 200, told.text
    rejected = await send(client, strategy="momo", expected_edge_bps="0.5", confidence=0.9)
    assert (rejected["decision"], rejected["reason"]) == ("reject", "cost")
    assert gates(rejected) == {"cost": "reject", "confidence": "not_asked"}
    assert rejected["order_id"] is None
    passed = await send(client, strategy="momo", expected_edge_bps="5000", confidence=0.9)
    assert list(gates(passed)) == ["cost", "confidence", "mode"]
    other = await send(client, expected_edge_bps="0.5", confidence=0.9)
    assert "freshness" in gates(other)
    unknown = await put(client, "momo", gates=[{"gate": "astrology"}])
    assert unknown.json()["code"] == "unknown_gate"
    wrong = await put(client, "momo", gates=[{"gate": "cost", "params": {"x": 1}}])
    assert wrong.json()["code"] == "unknown_parameter"


async def test_without_order_flow_there_is_no_confirmation_and_it_says_so(
    client: httpx.AsyncClient,
) -> None:
    await put(client, gates=[{"gate": "flow"}])
    told = await send(client)
    assert told["decision"] in ("reject", "defer")
    assert gates(told)["flow"] in ("reject", "defer")


async def test_reward_to_risk_of_the_incident_is_refused_or_resized(
    client: httpx.AsyncClient,
) -> None:
    """A market order at 100.01, its stop at 98.00 and its target at 100.27: 1 : 0.13."""
    told = await send(client, strategy="e2", size="100", stop="98.00", target="100.27")
    assert (told["decision"], told["reason"], told["order_id"]) == ("reject", "reward_risk", None)
    ratio = next(v for v in told["verdicts"] if v["gate"] == "reward_risk")["inputs"]["ratio"]
    assert Decimal("0.10") < Decimal(ratio) < Decimal("0.16")


async def test_shadow_records_and_sends_nothing(client: httpx.AsyncClient) -> None:
    await put(client, mode="shadow")
    told = await send(client, id="a")
    assert (told["decision"], told["mode"], told["order_id"]) == ("execute", "shadow", None)
    assert told["final_qty"] == "300"
    assert await send(client, id="a") == told
    assert (await client.get("/orders")).json()["items"] == []


async def test_shadow_decides_what_would_be_entered(client: httpx.AsyncClient) -> None:
    await put(client, mode="shadow")
    body = {"limit": "max_order_qty", "scope": "all", "hard": "100", "reason": "drill"}
    assert (await client.put("/risk/limits", json=body)).status_code == 200
    told = await send(client)
    assert (told["decision"], told["reason"]) == ("reject", "risk.max_order_qty")
    assert gates(told)["risk"] == "reject"
    assert (await send(client, size="100"))["decision"] == "execute"
    unknown = await client.post("/signals", json=BUY | {"algo": "nonsense"})
    assert unknown.json()["code"] == "unknown_algorithm"


async def test_the_cost_gate_is_shown_what_the_order_would_cost_as_it_is_worked(
    client: httpx.AsyncClient, service: Service
) -> None:
    async with service.database.connection() as connection:
        await connection.execute("UPDATE watches SET volatility = 0.02")
    gate = [{"gate": "cost"}]
    await put(client, "smart", gates=gate)
    await put(client, "plain", gates=gate, smart=False)

    async def cost(strategy: str) -> Decimal:
        told = await send(client, strategy=strategy, size="5000", expected_edge_bps="1000")
        [ruling] = [v for v in told["verdicts"] if v["gate"] == "cost"]
        return Decimal(ruling["inputs"]["cost_bps"])

    assert await cost("plain") > 2 * await cost("smart")


async def test_promotion_takes_what_is_on_record(
    client: httpx.AsyncClient, service: Service
) -> None:
    await put(client, "s", mode="shadow")
    refused = await put(client, "s", mode="paper")
    assert (refused.status_code, refused.json()["code"]) == (409, "promotion_not_ready")
    for n in range(20):
        await send(client, strategy="s", id=f"n{n}")
    rejected = await send(client, strategy="s", id="bad", stop="98.00", target="100.27")
    assert rejected["decision"] == "reject"
    shown = (await client.get("/strategies/s")).json()
    # What was rejected proves nothing.
    assert {c["name"]: c["found"] for c in shown["conditions"]}["signals_decided"] == "20"
    assert shown["next_mode"] == "paper"
    met = {c["name"]: c["met"] for c in shown["conditions"]}
    assert met == {
        "one_step": True,
        "signals_decided": True,
        "time_in_mode": False,
        "no_critical_alerts": True,
        "no_kill_switch": True,
    }
    shown = (await client.get("/strategies/*")).json()
    # `*` has only what is nobody's own.
    assert {c["name"]: c["found"] for c in shown["conditions"]}["signals_decided"] == "0"
    async with service.database.connection() as connection:
        await connection.execute(
            "UPDATE strategies SET mode_since = mode_since - interval '25 hours'"
        )
        await connection.execute(
            "UPDATE signals SET received_at = received_at - interval '25 hours'"
        )
    skipped = await put(client, "s", mode="canary")
    assert "one_step" in skipped.json()["message"]
    assert (await put(client, "s", mode="paper")).json()["mode"] == "paper"
    assert (await put(client, "s", mode="shadow")).status_code == 200
    trail = (await client.get("/audit-trail", params={"action": "strategy.set"})).json()["items"]
    assert [e["after"]["mode"] for e in trail] == ["shadow", "paper", "shadow"]


async def test_a_canary_gets_a_twentieth(client: httpx.AsyncClient, service: Service) -> None:
    async with service.database.connection() as connection:
        await connection.execute(
            "INSERT INTO strategies (account, name, mode, gates, changed_by)"
            " VALUES ('main', 's', 'canary', '[]', 'test')"
        )
    told = await send(client, strategy="s", size="310")
    assert (told["decision"], told["reason"], told["final_qty"]) == ("reduce", "mode", "15")
    assert (await order(client, told))["qty"] == "15"
    small = await send(client, strategy="s", size="19")
    assert (small["decision"], small["reason"], small["order_id"]) == ("reject", "too_small", None)


async def test_where_money_is_real_signals_begin_in_shadow(
    service: Service, admin_key: str
) -> None:
    real = replace(service, strategies=StrategyBook(service.database, HouseRules()))
    async with client_for(create_api(real), admin_key) as client:
        told = await send(client)
        assert (told["mode"], told["order_id"]) == ("shadow", None)
        refused = await put(client, mode="paper")
        assert refused.json()["code"] == "no_paper_account"


async def test_a_mode_earned_without_real_money_is_worth_nothing_with_it(
    client: httpx.AsyncClient, service: Service, admin_key: str
) -> None:
    async with service.database.connection() as connection:
        await connection.execute(
            "INSERT INTO strategies (account, name, mode, gates, changed_by, paper)"
            " VALUES ('main', 'old', 'live', '[]', 'test', NULL),"
            " ('main', 'play', 'live', '[]', 'test', true),"
            " ('main', 'kept', 'paper', '[]', 'test', NULL),"
            " ('main', 'real', 'canary', '[]', 'test', false)"
        )
    assert (await send(client, strategy="play"))["order_id"]
    real = replace(service, strategies=StrategyBook(service.database, HouseRules()))
    async with client_for(create_api(real), admin_key) as other:
        modes = {}
        for name in ("old", "play", "kept", "real"):
            shown = (await other.get(f"/strategies/{name}")).json()
            modes[name] = (shown["mode"], shown["held_back"])
            told = await send(other, strategy=name, size="1000")
            assert (told["mode"], bool(told["order_id"])) == (
                shown["mode"],
                shown["mode"] != "shadow",
            )
        assert modes == {
            "old": ("live", None),
            "play": ("shadow", "live"),
            "kept": ("shadow", "paper"),
            "real": ("canary", None),
        }
        # Setting anything else does not bring it back.
        again = (await put(other, "play", smart=False)).json()
        assert (again["mode"], again["held_back"]) == ("shadow", None)
        assert (await put(other, "play", mode="live")).status_code == 409


async def test_a_strategy_begins_with_what_is_set_for_all_others(
    client: httpx.AsyncClient,
) -> None:
    await put(client, "*", mode="shadow", gates=[{"gate": "confidence"}])
    assert (await client.get("/strategies/momo")).json()["mode"] == "shadow"
    first = (await put(client, "momo", kind="momentum")).json()
    assert (first["mode"], [g["gate"] for g in first["gates"]]) == ("shadow", ["confidence"])
    refused = await put(client, "momo", mode="paper")
    assert refused.json()["code"] == "promotion_not_ready"
    assert (await send(client, strategy="momo"))["order_id"] is None


async def test_smart_execution_can_be_switched_off(
    client: httpx.AsyncClient, service: Service, admin_key: str
) -> None:
    await put(client, "plain", smart=False)
    body = {"symbol": "ACME", "side": "buy", "qty": "500"}
    entered = (await client.post("/orders", json=body | {"strategy": "plain"})).json()
    assert (entered["algo"], entered["route_reason"]) == ("market", "smart execution is off")
    told = (await client.post("/orders/preview", json=body | {"strategy": "plain"})).json()
    assert told["algo"] == "market"
    limited = body | {"strategy": "plain", "limit_price": "100.00"}
    assert (await client.post("/orders", json=limited)).json()["algo"] == "limit"
    asked = body | {"strategy": "plain", "algo": "twap", "duration": "30m"}
    assert (await client.post("/orders", json=asked)).json()["algo"] == "twap"
    assert (await client.post("/orders", json=body)).json()["algo"] == "twap"
    off = StrategyBook(service.database, HouseRules(paper=frozenset({"main"}), smart=False))
    async with client_for(create_api(replace(service, strategies=off)), admin_key) as other:
        assert (await other.post("/orders", json=body)).json()["algo"] == "market"


async def test_risk_has_the_last_word_and_it_is_kept(client: httpx.AsyncClient) -> None:
    limit = {"scope": "all", "limit": "max_order_qty", "hard": "100", "reason": "drill"}
    await client.put("/risk/limits", json=limit)
    told = await send(client)
    assert (told["decision"], told["reason"]) == ("reject", "risk.max_order_qty")
    assert gates(told)["risk"] == "reject"
    assert told["order_id"] is None


async def test_who_may_set_a_strategy(
    client: httpx.AsyncClient, service: Service, make_key: MakeKey
) -> None:
    trader, bound = await make_key("trade", "read"), await make_key("risk", accounts=["other"])
    async with client_for(create_api(service), trader) as other:
        assert (await put(other, "s", smart=False)).status_code == 403
        assert (await other.get("/strategies/s")).status_code == 200
    async with client_for(create_api(service), bound) as other:
        assert (await put(other, "s", account="main", smart=False)).status_code == 403
        assert (await put(other, "s", account="other", smart=False)).status_code == 200
    assert [s["account"] for s in (await client.get("/strategies")).json()["items"]] == ["other"]
    assert {g["name"] for g in (await client.get("/gates")).json()["items"]} >= {"flow", "regime"}
