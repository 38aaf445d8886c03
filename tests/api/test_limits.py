"""Limits over HTTP: set, met, confirmed, counted across orders and processes."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from app.api.app import create_api
from app.domain.instant import MINUTE
from app.domain.risk.bound import EVERYTHING, Bound
from app.domain.risk.limit import LIMITS, Scope
from app.engine.service import Service
from app.store.usage import usages
from tests.api.conftest import MakeKey, client_for, open_service, order_body

PATH = "/risk/limits"


async def put(client: httpx.AsyncClient, limit: str, **more: Any) -> httpx.Response:
    name = {"name": more.pop("name")} if "name" in more else {}
    body = {"scope": more.pop("scope", "all"), **name, "limit": limit, "reason": "drill", **more}
    return await client.put(PATH, json=body)


async def enter(client: httpx.AsyncClient, **fields: Any) -> httpx.Response:
    return await client.post("/orders", json=order_body(**fields))


async def test_of_hard_and_soft_what_is_left_out_stays(client: httpx.AsyncClient) -> None:
    acme = {"scope": "symbol", "name": "ACME"}
    for given, hard, soft in (
        ({"hard": "100", "soft": "50"}, "100", "50"),
        ({"soft": "40"}, "100", "40"),
        ({"hard": "90"}, "90", "40"),
        ({"hard": None, "soft": "40"}, None, "40"),
        ({"hard": "40", "soft": None}, "40", None),
    ):
        told = (await put(client, "max_order_qty", **acme, **given)).json()
        assert (told["hard"], told["soft"]) == (hard, soft), given
    beyond = await put(client, "max_order_qty", **acme, soft="41")
    assert (beyond.status_code, beyond.json()["code"]) == (422, "out_of_range")
    assert (await enter(client, qty="60", confirm=["max_order_qty"])).status_code == 422
    nothing = await put(client, "max_order_qty", **acme, hard=None, soft=None)
    assert nothing.status_code == 422
    unnamed = await put(client, "max_order_qty", scope="symbol", hard="1")
    assert "say which symbol" in unnamed.json()["message"]


async def test_a_limit_is_set_listed_changed_and_removed(
    client: httpx.AsyncClient, admin_key: str
) -> None:
    told = await put(client, "max_order_qty", scope="symbol", name="ACME", hard="300", soft="200")
    assert told.status_code == 200, told.text
    assert told.json() == {
        "scope": "symbol",
        "name": "ACME",
        "limit": "max_order_qty",
        "unit": "qty",
        "hard": "300",
        "soft": "200",
        "version": 1,
        "source": "set",
        "known": True,
        "tighter": None,
    }
    listed = (await client.get(PATH)).json()
    assert [item["source"] for item in listed["items"]] == ["settings", "set"]
    assert listed["version"] == 1
    assert {"max_daily_loss", "restricted"} <= {kind["limit"] for kind in listed["kinds"]}
    assert (await enter(client, qty="500")).json()["code"] == "risk.max_order_qty"
    await put(client, "max_order_qty", scope="symbol", name="ACME", hard="500", soft=None)
    assert (await enter(client, qty="500")).status_code == 202
    gone = await client.delete(f"{PATH}/symbol/max_order_qty/ACME", params={"reason": "over"})
    assert gone.status_code == 204
    again = await client.delete(f"{PATH}/symbol/max_order_qty/ACME")
    assert (again.status_code, again.json()["code"]) == (404, "unknown_limit")
    assert (await enter(client, qty="600")).status_code == 202
    changes = (await client.get(f"{PATH}/changes")).json()["items"]
    assert [(c["version"], c["hard"], c["soft"]) for c in changes] == [
        (3, None, None),
        (2, "500", None),
        (1, "300", "200"),
    ]
    assert {c["changed_by"] for c in changes} == {admin_key.split("_")[1]}
    trail = (await client.get("/audit-trail", params={"action": "limit.set"})).json()["items"]
    assert [e["before"] for e in trail] == [
        {"hard": "300", "soft": "200"},
        {"hard": None, "soft": None},
    ]


@pytest.mark.parametrize(
    ("scope", "name", "numbers", "loose"),
    [
        ("all", "*", {"hard": "10000001"}, True),
        ("account", "main", {"soft": "20000000"}, True),
        ("all", "*", {"soft": "100", "hard": "10000001"}, True),
        ("symbol", "ACME", {"hard": "10000000"}, False),
        ("all", "*", {"soft": "9000000"}, False),
    ],
)
async def test_a_limit_beyond_that_of_the_house_is_told_so(
    client: httpx.AsyncClient, scope: str, name: str, numbers: dict[str, str], loose: bool
) -> None:
    told = await put(client, "max_order_notional", scope=scope, name=name, **numbers)
    assert told.status_code == 200, told.text
    [house] = [b for b in (await client.get(PATH)).json()["items"] if b["source"] == "settings"]
    assert (house["limit"], house["hard"]) == ("max_order_notional", "10000000")
    assert told.json()["tighter"] == (house if loose else None)
    refused = await enter(client, qty="100001")
    assert refused.json()["code"] == "risk.max_order_notional"
    # Of another limit the house says nothing.
    assert (await put(client, "max_order_qty", hard="99999999")).json()["tighter"] is None


async def test_a_refusal_names_limit_scope_and_numbers_and_stores_nothing(
    client: httpx.AsyncClient,
) -> None:
    await put(client, "max_order_notional", scope="account", name="main", hard="40000")
    refused = await enter(client, qty="500", limit_price="100.50")
    assert refused.status_code == 422
    told = refused.json()
    assert told["code"] == "risk.max_order_notional"
    assert (told["limit"], told["scope"], told["name"]) == ("max_order_notional", "account", "main")
    assert (told["limit_value"], told["order_value"]) == ("40000", "50250.00")
    assert (await client.get("/orders")).json()["items"] == []
    assert (await enter(client, account="other", qty="500")).status_code == 202


async def test_settings_cannot_be_widened(client: httpx.AsyncClient) -> None:
    assert (await put(client, "max_order_notional", hard="1000000000")).status_code == 200
    refused = await enter(client, qty="200000")
    assert refused.json()["code"] == "risk.max_order_notional"
    assert refused.json()["limit_value"] == "10000000"


async def test_what_is_soft_takes_a_word_that_names_it_and_is_kept(
    client: httpx.AsyncClient, service: Service
) -> None:
    await put(client, "max_order_qty", soft="100", hard="1000")
    refused = await enter(client, qty="500")
    assert refused.json()["code"] == "risk.confirmation_needed"
    assert refused.json()["confirm"] == "max_order_qty"
    wrong = await enter(client, qty="500", confirm=["max_order_notional"])
    assert wrong.json()["code"] == "risk.confirmation_needed"
    entered = await enter(client, qty="500", confirm=["max_order_qty"])
    assert entered.status_code == 202, entered.text
    async with service.database.connection() as connection:
        row = await connection.fetchrow("SELECT confirmed, limits_version, value FROM orders")
    assert (row["confirmed"], row["limits_version"], row["value"]) == (
        ["max_order_qty"],
        1,
        Decimal(50000),
    )
    beyond = await enter(client, qty="1001", confirm=["max_order_qty"])
    assert beyond.json()["code"] == "risk.max_order_qty"


async def test_a_preview_tells_the_verdict_of_every_limit(client: httpx.AsyncClient) -> None:
    await put(client, "max_open_orders", scope="account", name="main", hard="1")
    await put(client, "max_order_qty", soft="100")
    await enter(client, qty="50")
    shown = (await client.post("/orders/preview", json=order_body(qty="500"))).json()
    told = {v["gate"]: (v["verdict"], v["order_value"]) for v in shown["verdicts"]}
    assert told["max_open_orders"] == ("reject", "2")
    assert told["max_order_qty"] == ("confirm", "500")
    assert shown["would_be_accepted"] is False


@pytest.mark.parametrize(
    ("limit", "bound", "fits"),
    [
        ("max_open_orders", "7", 7),
        ("max_position_qty", "3500", 7),
        ("max_gross_exposure", "350000", 7),
        ("max_net_exposure", "399999", 7),
        ("max_orders_1m", "7", 7),
        ("max_notional_1m", "350000", 7),
        ("max_notional_1d", "350000", 7),
    ],
)
async def test_a_hundred_at_once_never_exceed_one_budget(
    service: Service, admin_key: str, limit: str, bound: str, fits: int
) -> None:
    """Through two processes' worth of doors: two services on one database."""
    async with (
        open_service(service.database.url) as second,
        client_for(create_api(service), admin_key) as first_client,
        client_for(create_api(second), admin_key) as second_client,
    ):
        await put(first_client, limit, scope="account", name="main", hard=bound)
        answers = await asyncio.gather(
            *(enter((first_client, second_client)[n % 2], qty="500") for n in range(100))
        )
        codes = [answer.status_code for answer in answers]
        assert codes.count(202) == fits
        refused = {a.json()["code"] for a in answers if a.status_code != 202}
        assert refused == {f"risk.{limit}"}
        # An account that the limit does not count is free.
        assert (await enter(second_client, qty="500", account="other")).status_code == 202


async def test_a_restart_resets_no_window_but_time_does(service: Service, admin_key: str) -> None:
    async with client_for(create_api(service), admin_key) as client:
        await put(client, "max_orders_1m", hard="2")
        assert [(await enter(client)).status_code for _ in range(3)] == [202, 202, 422]
    async with (
        open_service(service.database.url) as risen,
        client_for(create_api(risen), admin_key) as client,
    ):
        assert (await enter(client)).json()["code"] == "risk.max_orders_1m"
        async with risen.database.connection() as connection:
            await connection.execute(
                "UPDATE orders SET created_at = created_at - $1::interval", timedelta(seconds=61)
            )
        assert (await enter(client)).status_code == 202


async def test_a_canceled_order_still_counts_in_a_window_and_no_longer_as_open(
    client: httpx.AsyncClient, service: Service
) -> None:
    await put(client, "max_open_orders", hard="1")
    entered = (await enter(client)).json()
    assert (await enter(client)).json()["code"] == "risk.max_open_orders"
    async with service.database.connection() as connection:
        await connection.execute(
            "UPDATE orders SET status = 'canceled', canceled = qty WHERE id = $1", entered["id"]
        )
    assert (await enter(client)).status_code == 202
    await put(client, "max_orders_1m", hard="2")
    assert (await enter(client)).json()["code"] in ("risk.max_open_orders", "risk.max_orders_1m")
    await client.delete(f"{PATH}/all/max_open_orders/*")
    assert (await enter(client)).json()["code"] == "risk.max_orders_1m"


async def test_the_same_again_is_asked_about_and_a_replay_is_not(
    client: httpx.AsyncClient,
) -> None:
    await put(client, "duplicate_seconds", soft="30", hard="0.001")
    asked = order_body(client_order_id="mine")
    assert (await client.post("/orders", json=asked)).status_code == 202
    replayed = await client.post("/orders", json=asked)
    assert (replayed.status_code, replayed.headers["idempotency-replayed"]) == (202, "true")
    twin = await enter(client)
    assert twin.json()["code"] == "risk.confirmation_needed"
    assert (await enter(client, qty="501")).status_code == 202
    assert (await enter(client, side="sell")).status_code == 202
    assert (await enter(client, confirm=["duplicate_seconds"])).status_code == 202


async def test_what_makes_nothing_worse_passes_a_limit_that_is_broken_already(
    client: httpx.AsyncClient, service: Service
) -> None:
    async with service.database.connection() as connection:
        await connection.execute(
            "INSERT INTO positions (account, symbol, qty, average_price) VALUES ($1, $2, 1000, 99)",
            "main",
            "ACME",
        )
    for limit in ("max_position_qty", "max_position_notional"):
        await put(client, limit, hard="500", scope="account", name="main")
    await put(client, "no_short", hard="1", scope="account", name="main")
    assert (await enter(client, qty="1")).json()["code"] == "risk.max_position_notional"
    assert (await enter(client, side="sell", qty="800")).status_code == 202
    # 800 are being sold already: 200 more are there to be sold, and not one beyond.
    short = await enter(client, side="sell", qty="201")
    assert short.json()["code"] == "risk.max_position_notional"
    for limit in ("max_position_qty", "max_position_notional"):
        await put(client, limit, hard="1000000", scope="account", name="main")
    short = await enter(client, side="sell", qty="201")
    assert short.json()["code"] == "risk.no_short"
    assert (await enter(client, side="sell", qty="200")).status_code == 202


async def test_without_a_price_for_what_is_held_exposure_is_not_known_and_refused(
    client: httpx.AsyncClient, service: Service
) -> None:
    await put(client, "max_gross_exposure", hard="1000000000")
    async with service.database.connection() as connection:
        await connection.execute(
            "INSERT INTO positions (account, symbol, qty) VALUES ('main', 'LOST', 5)"
        )
    refused = await enter(client)
    assert refused.json()["code"] == "risk.max_gross_exposure"
    assert "LOST" in refused.json()["message"]


async def test_loss_and_drawdown_stop_what_opens_and_let_through_what_closes(
    client: httpx.AsyncClient, service: Service
) -> None:
    await put(client, "max_daily_loss", hard="1000", scope="account", name="main")
    unknown = await enter(client)
    assert unknown.json()["code"] == "risk.max_daily_loss"
    assert "nobody has told" in unknown.json()["message"]
    async with service.database.connection() as connection:
        await connection.execute(
            "INSERT INTO profits (account, day, opened, best, latest)"
            " VALUES ('main', '2026-01-05', 0, 500, -1000)"
        )
        await connection.execute(
            "INSERT INTO positions (account, symbol, qty, average_price)"
            " VALUES ('main', 'ACME', 500, 100)"
        )
    assert (await enter(client, qty="1")).status_code == 202
    await put(client, "max_drawdown", hard="1499", scope="account", name="main")
    assert (await enter(client, qty="1")).json()["code"] == "risk.max_drawdown"
    assert (await enter(client, side="sell", qty="499")).status_code == 202
    assert (await enter(client, side="sell", qty="2")).json()["code"] == "risk.max_drawdown"


async def test_an_order_that_only_reduces_adds_to_no_exposure(
    client: httpx.AsyncClient, service: Service
) -> None:
    await put(client, "max_gross_exposure", hard="1000")
    await put(client, "no_short", hard="1")
    async with service.database.connection() as connection:
        await connection.execute(
            "INSERT INTO positions (account, symbol, qty, average_price)"
            " VALUES ('main', 'ACME', 10, 100)"
        )
    refused = await enter(client, side="sell", qty="500")
    assert refused.json()["code"] in ("risk.no_short", "risk.max_gross_exposure")
    assert (await enter(client, side="sell", qty="4", reduce_only=True)).status_code == 202
    assert (await enter(client, side="sell", qty="6")).status_code == 202
    assert (await enter(client, side="sell", qty="500", reduce_only=True)).status_code == 202
    # All that is held is being sold by those.
    assert (await enter(client, side="sell", qty="1")).json()["code"] == "risk.no_short"


async def test_no_window_of_orders_is_read_by_reading_them_all(
    client: httpx.AsyncClient, service: Service
) -> None:
    assert (await enter(client, qty="500")).status_code == 202
    window = Bound(LIMITS["max_notional_1m"], Scope.ALL, EVERYTHING, Decimal(1))
    async with service.database.transaction() as connection:
        await connection.execute(
            "INSERT INTO orders SELECT (jsonb_populate_record(o, jsonb_build_object("
            "'id', gen_random_uuid(), 'client_order_id', 'old-' || n, 'key', 'old' || n,"
            " 'status', 'filled', 'created_at', o.created_at - interval '1 hour' * n))).*"
            " FROM orders o, generate_series(1, 5000) n"
        )
    async with service.database.connection() as connection:
        await connection.execute("VACUUM ANALYZE orders")
    async with service.database.transaction() as connection:
        found = await usages(connection, [window], ["main"])
        read = await connection.fetchval(
            "SELECT seq_tup_read FROM pg_stat_xact_user_tables WHERE relname = 'orders'"
        )
    assert found[Scope.ALL, EVERYTHING].entered[MINUTE] == 1
    assert read == 0


async def test_limits_by_key_strategy_and_the_restricted_list(
    client: httpx.AsyncClient, service: Service, make_key: MakeKey
) -> None:
    trader = await make_key("trade", "read")
    await put(client, "max_order_qty", scope="key", name=trader.split("_")[1], hard="10")
    await put(client, "max_notional_1d", scope="strategy", name="momo", hard="60000")
    async with client_for(create_api(service), trader) as other:
        assert (await enter(other, qty="11")).json()["code"] == "risk.max_order_qty"
        assert (await enter(other, qty="10")).status_code == 202
    assert (await enter(client, qty="500", strategy="momo")).status_code == 202
    assert (await enter(client, qty="500", strategy="momo")).json()["scope"] == "strategy"
    await put(client, "restricted", scope="symbol", name="ACME", hard="1")
    refused = await enter(client, qty="1")
    assert (refused.json()["code"], refused.json()["name"]) == ("risk.restricted", "ACME")
    await put(client, "restricted", scope="symbol", name="ACME", hard="0")
    assert (await enter(client, qty="1")).status_code == 202


async def test_who_may_set_what(
    client: httpx.AsyncClient, service: Service, make_key: MakeKey
) -> None:
    bound = await make_key("risk", "read", accounts=["main"])
    trader = await make_key("trade", "read")
    async with client_for(create_api(service), trader) as other:
        assert (await put(other, "max_order_qty", hard="1")).status_code == 403
        assert (await other.get(PATH)).status_code == 200
        assert (await other.get("/audit-trail")).status_code == 403
    async with client_for(create_api(service), bound) as other:
        assert (await put(other, "max_order_qty", hard="1")).status_code == 403
        mine = await put(other, "max_order_qty", scope="account", name="main", hard="1")
        assert mine.status_code == 200
        foreign = await put(other, "max_order_qty", scope="account", name="other", hard="1")
        assert foreign.status_code == 403
        assert (await other.get(f"{PATH}/changes")).status_code == 403
    await put(client, "max_order_qty", scope="account", name="other", hard="2")
    async with client_for(create_api(service), bound) as other:
        names = {item["name"] for item in (await other.get(PATH)).json()["items"]}
    assert names == {"*", "main"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"limit": "max_luck", "hard": "1"}, "unknown_limit"),
        ({"limit": "max_order_qty"}, "nothing_given"),
        ({"limit": "max_order_qty", "hard": "-1"}, "out_of_range"),
        ({"limit": "max_order_qty", "hard": "1", "soft": "2"}, "out_of_range"),
        ({"limit": "duplicate_seconds", "hard": "2", "soft": "1"}, "out_of_range"),
        ({"limit": "restricted", "hard": "2"}, "out_of_range"),
        ({"limit": "max_child_qty", "soft": "2"}, "out_of_range"),
        (
            {"limit": "max_position_qty", "scope": "strategy", "name": "x", "hard": "1"},
            "wrong_scope",
        ),
        (
            {"limit": "max_order_qty", "scope": "account", "name": "none", "hard": "1"},
            "unknown_account",
        ),
        ({"limit": "max_order_qty", "scope": "symbol", "hard": "1"}, "wrong_name"),
    ],
)
async def test_a_limit_that_cannot_be_is_refused(
    client: httpx.AsyncClient, body: dict[str, Any], code: str
) -> None:
    refused = await client.put(PATH, json={"scope": "all", "reason": "drill", **body})
    assert (refused.status_code, refused.json()["code"]) == (422, code)


async def test_once_a_change_is_answered_nothing_that_breaks_it_is_entered(
    service: Service, admin_key: str
) -> None:
    """Orders pour in through two doors while the limit falls; each that was entered after the
    answer obeys it, though a door may remember the limits from before."""
    async with (
        open_service(service.database.url) as second,
        client_for(create_api(service), admin_key) as first_client,
        client_for(create_api(second), admin_key) as second_client,
    ):
        entered, changed = asyncio.Event(), asyncio.Event()

        async def pour() -> list[tuple[bool, int]]:
            told = []
            while sum(after for after, _ in told) < 10:
                after = changed.is_set()
                code = (await enter(second_client, qty="500")).status_code
                told.append((after, code))
                if code == 202:
                    entered.set()
            return told

        async def fall() -> None:
            await entered.wait()
            assert (await put(first_client, "max_order_qty", hard="499")).status_code == 200
            changed.set()

        *told, _ = await asyncio.gather(*(pour() for _ in range(4)), fall())
        told = [one for each in told for one in each]
        assert {code for after, code in told if after} == {422}
        assert 202 in {code for after, code in told if not after}
