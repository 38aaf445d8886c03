"""What the answer to a throw says of open positions; the switch holds whatever becomes of that."""

from decimal import Decimal

import httpx
from fastapi import FastAPI

from app.domain.risk.bound import Bound
from app.domain.risk.limit import LIMITS, Scope
from app.engine.kill_progress import progress_of
from app.engine.service import Service
from app.engine.tripping import trip
from app.store import controls
from tests.api.conftest import MakeKey, client_for, order_body
from tests.api.test_kill_switches import PATH, body


async def test_what_every_position_waits_for_is_told(
    client: httpx.AsyncClient, service: Service
) -> None:
    closing = (await client.post("/orders", json=order_body(account="other"))).json()
    async with service.database.connection() as connection:
        await connection.execute(
            "INSERT INTO positions (account, symbol, qty) VALUES ('main', 'ACME', 70),"
            " ('main', 'NONE', 5), ('other', 'ACME', -9), ('main', 'FLAT', 0)"
        )
        await connection.execute(
            "UPDATE orders SET role = 'flatten', reduce_only = true WHERE id = $1", closing["id"]
        )
    thrown = (await client.post(PATH, json=body("all", None, level="flatten"))).json()
    assert [(s["account"], s["symbol"], s["doing"], s["order_id"]) for s in thrown["standing"]] == [
        ("main", "ACME", "its order is about to be entered", None),
        ("main", "NONE", "no feed has data for it", None),
        ("other", "ACME", "an order closes it", closing["id"]),
    ]


async def test_a_switch_holds_though_nobody_can_report_it(
    client: httpx.AsyncClient, service: Service
) -> None:
    async with service.database.connection() as connection:
        await connection.execute("ALTER TABLE positions RENAME TO gone")
    answer = await client.post(PATH, json=body("all", None, level="flatten"))
    assert answer.status_code == 200, answer.text
    assert (answer.json()["thrown"], answer.json()["open_orders"]) == (True, None)
    async with service.database.connection() as connection:
        await connection.execute("ALTER TABLE gone RENAME TO positions")
    [held] = (await client.get(PATH)).json()["items"]
    assert (held["level"], held["open_orders"]) == ("flatten", 0)


async def test_many_positions_take_no_more_questions(
    client: httpx.AsyncClient, service: Service
) -> None:
    asked: list[str] = []
    async with service.database.connection() as connection:
        await connection.execute(
            "INSERT INTO positions (account, symbol, qty) SELECT 'main', 'S' || i, 1"
            " FROM generate_series(1, 2000) AS i"
        )
        thrown = (await client.post(PATH, json=body("all", None, level="flatten"))).json()
        assert len(thrown["standing"]) == 2000
        [switch] = await controls.thrown(connection, accounts=None)
        with connection.query_logger(lambda record: asked.append(record.query)):
            await progress_of(connection, switch, None)
    assert 3 < len(asked) < 12, asked


async def test_an_alert_of_the_house_is_everybodys_to_see_and_the_houses_to_end(
    client: httpx.AsyncClient, api: FastAPI, service: Service, make_key: MakeKey
) -> None:
    """What stops everything stops the accounts of a bound key as well."""
    everything = Bound(LIMITS["max_daily_loss"], Scope.ALL, "*", hard=Decimal(1000))
    main = Bound(LIMITS["max_daily_loss"], Scope.ACCOUNT, "main", hard=Decimal(10))
    for bound in (main, everything):
        await trip(service.database, service.doorbell, bound, "lost 1001")
    async with client_for(api, await make_key("trade", "read", accounts=["other"])) as bound_key:
        [seen] = (await bound_key.get("/alerts")).json()["items"]
        assert (seen["account"], seen["rule"], seen["data"]["found"]) == (
            "*",
            "limit_broken",
            "lost 1001",
        )
        assert (await bound_key.post(f"/alerts/{seen['id']}/ack")).status_code == 404
    assert len((await client.get("/alerts")).json()["items"]) == 2
    assert (await client.post(f"/alerts/{seen['id']}/ack")).status_code == 200
