"""Kill switches over HTTP: who may throw and release them, and what they do to the door."""

import json
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.engine.service import Service
from tests.api.conftest import MakeKey, Served, client_for, order_body, row_counts, silence

PATH = "/risk/kill-switches"


def body(scope: str = "symbol", name: str | None = "ACME", **more: Any) -> dict[str, Any]:
    named = {"name": name} if name is not None else {}
    return {"scope": scope, **named, "reason": "drill", **more}


async def test_a_switch_is_thrown_listed_and_released(
    client: httpx.AsyncClient, admin_key: str
) -> None:
    await client.post("/orders", json=order_body())
    thrown = await client.post(PATH, json=body())
    assert thrown.status_code == 200, thrown.text
    told = thrown.json()
    assert told == {
        "scope": "symbol",
        "name": "ACME",
        "thrown": True,
        "level": "halt",
        "reason": "drill",
        "version": 1,
        "changed_at": told["changed_at"],
        "changed_by": admin_key.split("_")[1],
        "known": True,
        "open_orders": 1,
        "expected_seconds": None,
        "standing": [],
    }
    assert (await client.get(PATH)).json() == {"items": [told]}
    released = await client.delete(f"{PATH}/symbol/ACME", params={"reason": "news is out"})
    assert released.status_code == 200
    assert (released.json()["thrown"], released.json()["reason"]) == (False, "news is out")
    assert (await client.get(PATH)).json() == {"items": []}
    assert released.json()["causes"] == []
    again = await client.delete(f"{PATH}/symbol/ACME")
    assert (again.status_code, again.json()["code"]) == (404, "unknown_kill_switch")


@pytest.mark.parametrize(("scope", "name"), [("symbol", "ACME"), ("all", None)])
async def test_the_trail_has_what_a_change_found(
    client: httpx.AsyncClient, scope: str, name: str | None
) -> None:
    # Counts in the row of `all` as well, and is no change of that switch.
    await client.post(PATH, json=body("symbol", "GLOBEX"))
    await client.post(PATH, json=body(scope, name))
    await client.post(PATH, json=body(scope, name, level="cancel", reason="worse"))
    await client.delete(f"{PATH}/{scope}/{name or '*'}", params={"reason": "over"})
    await client.post(PATH, json=body(scope, name, reason="again"))
    trail = (await client.get("/audit-trail")).json()["items"]
    mine = [e for e in trail if e["target"] == f"{scope}:{name or '*'}"]
    assert [(e["before"], e["after"]) for e in reversed(mine)] == [
        (None, {"thrown": True, "level": "halt", "version": 2}),
        (
            {"thrown": True, "level": "halt", "reason": "drill"},
            {"thrown": True, "level": "cancel", "version": 3},
        ),
        (
            {"thrown": True, "level": "cancel", "reason": "worse"},
            {"thrown": False, "level": "cancel", "version": 4},
        ),
        (
            {"thrown": False, "level": "cancel", "reason": "over"},
            {"thrown": True, "level": "halt", "version": 5},
        ),
    ]


async def test_one_that_lets_through_what_closes(client: httpx.AsyncClient) -> None:
    thrown = await client.post(PATH, json=body(level="close_only"))
    assert (thrown.status_code, thrown.json()["level"]) == (200, "close_only")
    declared = (await client.get("/openapi.json")).json()["paths"][PATH]["post"]["responses"]
    assert "close_only" in json.dumps(declared["200"])
    for reduces, status in ((False, 409), (True, 202)):
        entered = await client.post("/orders", json=order_body(reduce_only=reduces))
        assert entered.status_code == status, entered.text


async def test_the_door_names_the_switch_and_answers_what_it_accepted(
    client: httpx.AsyncClient, service: Service
) -> None:
    asked = order_body(client_order_id="mine")
    entered = (await client.post("/orders", json=asked)).json()
    await client.post(PATH, json=body("all", None, level="cancel"))
    refused = await client.post("/orders", json=order_body())
    assert refused.status_code == 409
    told = refused.json()
    assert (told["code"], told["scope"], told["name"]) == ("risk.halted", "all", "*")
    assert told["reason"] == "drill"
    replayed = await client.post("/orders", json=asked)
    assert (replayed.status_code, replayed.headers["idempotency-replayed"]) == (202, "true")
    assert replayed.json()["id"] == entered["id"]
    # What ends and what looks goes on.
    assert (await client.post(f"/orders/{entered['id']}/pause")).status_code == 202
    assert (await client.delete(f"/orders/{entered['id']}")).status_code == 202
    shown = (await client.post("/orders/preview", json=order_body())).json()
    [verdict] = [v for v in shown["verdicts"] if v["gate"] == "kill_switch"]
    assert (verdict["verdict"], verdict["reason"]) == ("reject", "all:*: drill")
    assert (await row_counts(service))["orders"] == 1


async def test_a_signal_under_a_switch_is_a_decision(client: httpx.AsyncClient) -> None:
    await client.post(PATH, json=body())
    decided = await client.post("/signals", json={"action": "BUY", "market": "ACME", "size": 5})
    assert (decided.json()["decision"], decided.json()["reason"]) == ("reject", "risk.halted")


@pytest.mark.parametrize(
    ("scopes", "throws", "releases"),
    [
        (["cancel"], 200, 403),
        (["trade"], 200, 403),
        (["risk"], 200, 200),
        (["read"], 403, 403),
        (["admin"], 200, 200),
    ],
)
async def test_throwing_needs_no_more_than_canceling_releasing_needs_risk(
    api: FastAPI,
    client: httpx.AsyncClient,
    make_key: MakeKey,
    scopes: list[str],
    throws: int,
    releases: int,
) -> None:
    async with client_for(api, await make_key(*scopes)) as own:
        assert (await own.post(PATH, json=body())).status_code == throws
        await client.post(PATH, json=body())
        assert (await own.delete(f"{PATH}/symbol/ACME")).status_code == releases


async def test_a_bound_key_throws_those_of_its_own_accounts(
    api: FastAPI, client: httpx.AsyncClient, make_key: MakeKey
) -> None:
    for foreign in (body("account", "main"), body("strategy", "s")):
        assert (await client.post(PATH, json=foreign)).status_code == 200
    async with client_for(api, await make_key("admin", accounts=["other"])) as bound:
        for refused in (
            body("all", None),
            body("symbol"),
            body("strategy", "s"),
            body("account", "main"),
        ):
            answer = await bound.post(PATH, json=refused)
            assert (answer.status_code, answer.json()["code"]) == (403, "account_not_allowed")
        for path in ("account/main", "strategy/s", "all/*"):
            assert (await bound.delete(f"{PATH}/{path}")).status_code == 403
        assert (await bound.post(PATH, json=body("account", "other"))).status_code == 200
        listed = {s["scope"]: s["name"] for s in (await bound.get(PATH)).json()["items"]}
        assert listed == {"account": "other", "strategy": "s"}
        assert (await bound.delete(f"{PATH}/account/other")).status_code == 200


@pytest.mark.parametrize(
    ("scopes", "flattens"),
    [(["cancel"], 403), (["cancel", "read"], 403), (["trade"], 200), (["risk"], 200)],
)
async def test_closing_positions_takes_more_than_canceling(
    api: FastAPI, make_key: MakeKey, scopes: list[str], flattens: int
) -> None:
    async with client_for(api, await make_key(*scopes)) as own:
        answer = await own.post(PATH, json=body("all", None, level="flatten"))
        assert answer.status_code == flattens, answer.text
        if flattens == 403:
            assert answer.json()["code"] == "scope_missing"


async def test_a_key_of_some_symbols_throws_theirs_and_flattens_nothing(
    api: FastAPI, client: httpx.AsyncClient
) -> None:
    wanted = {"name": "desk", "scopes": ["risk", "trade"], "symbols": ["ACME"]}
    made = (await client.post("/keys", json=wanted)).json()
    async with client_for(api, made["key"]) as bound:
        for refused in (
            body("all", None),
            body("account", "main"),
            body("strategy", "s"),
            body(name="GLOBEX"),
            body(level="flatten"),
        ):
            answer = await bound.post(PATH, json=refused)
            assert (answer.status_code, answer.json()["code"]) == (403, "symbol_not_allowed")
        await client.post(PATH, json=body("all", None))
        assert (await bound.delete(f"{PATH}/all/*")).status_code == 403
        assert (await bound.post(PATH, json=body(level="cancel"))).status_code == 200
        assert (await bound.delete(f"{PATH}/symbol/ACME")).status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        body("desk", "x"),
        body("all", "everything"),
        body("symbol", None),
        body("symbol", "*"),
        body(level="burn"),
        body(reason=""),
        body(reason="two\nlines"),
        body(name="a\u0000b"),
        body(version=3),
        {"scope": "symbol", "name": "ACME"},
    ],
)
async def test_a_bad_switch_is_refused(client: httpx.AsyncClient, wrong: dict[str, Any]) -> None:
    assert (await client.post(PATH, json=wrong)).status_code == 422
    assert (await client.get(PATH)).json() == {"items": []}


async def test_an_account_that_is_not_there_is_told(client: httpx.AsyncClient) -> None:
    answer = await client.post(PATH, json=body("account", "mian"))
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_account")
    assert (await client.get(PATH)).json() == {"items": []}


@pytest.mark.parametrize("symbol", ["BTC/USDT", "A B", "^GSPC", "x:y=1"])
async def test_every_symbols_name_fits_into_the_path(
    client: httpx.AsyncClient, symbol: str
) -> None:
    assert (await client.post(PATH, json=body(name=symbol))).status_code == 200
    assert (await client.delete(f"{PATH}/symbol/{symbol}")).status_code == 200


@pytest.mark.parametrize("path", ["symbol/a%00b", "desk/x", "symbol/"])
async def test_a_path_that_is_no_switch_is_no_failure(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.delete(f"{PATH}/{path}")).status_code in (404, 422)


@pytest.mark.parametrize("accounts", [None, ["other"]])
async def test_the_stream_tells_it_to_everybody_concerned(
    served: Served, client: httpx.AsyncClient, make_key: MakeKey, accounts: list[str] | None
) -> None:
    """A global switch is told to a key of one account as well; another account's is not."""
    await client.post(PATH, json=body("account", "main"))
    await client.post(PATH, json=body("all", None, level="cancel"))
    await client.delete(f"{PATH}/all/*")
    seen = []
    key = await make_key("read", accounts=accounts)
    async with (
        httpx.AsyncClient(headers={"Authorization": f"Bearer {key}"}, timeout=10) as reader,
        reader.stream("GET", f"{served.url}/events?channels=controls&after=start") as answer,
    ):
        async for line in answer.aiter_lines():
            if line.startswith("data: "):
                frame = json.loads(line.removeprefix("data: "))
                seen.append((frame["account"], frame["data"]["thrown"], frame["type"]))
            if seen and not seen[-1][1]:
                break
    everywhere = [("*", True, "control.changed"), ("*", False, "control.changed")]
    assert seen == ([("main", True, "control.changed")] if accounts is None else []) + everywhere


async def test_a_switch_needs_no_worker(client: httpx.AsyncClient, service: Service) -> None:
    await silence(service)
    assert (await client.post(PATH, json=body("all", None))).status_code == 200


async def test_what_stands_open_is_told(client: httpx.AsyncClient, service: Service) -> None:
    async with service.database.connection() as connection:
        await connection.execute(
            "INSERT INTO positions (account, symbol, qty) VALUES ('main', 'ACME', 70)"
        )
    await client.post("/orders", json=order_body())
    thrown = (await client.post(PATH, json=body("all", None, level="flatten"))).json()
    assert thrown["level"] == "flatten"
    [standing] = thrown["standing"]
    assert (standing["account"], standing["symbol"], standing["qty"]) == ("main", "ACME", "70")
    assert standing["doing"] == "1 open orders have to end first"
    lower = await client.post(PATH, json=body("all", None, level="halt"))
    assert lower.json()["level"] == "flatten"
    assert (await client.get(PATH)).json()["items"][0]["standing"] == [standing]


async def test_orders_that_only_reduce_say_so(client: httpx.AsyncClient) -> None:
    entered = await client.post("/orders", json=order_body(reduce_only=True))
    assert (entered.status_code, entered.json()["reduce_only"]) == (202, True), entered.text
    plain = (await client.post("/orders", json=order_body())).json()
    assert (plain["reduce_only"], plain["role"]) == (False, "single")
    wrong = await client.post("/orders", json=order_body(reduce_only="yes"))
    assert wrong.status_code == 422
